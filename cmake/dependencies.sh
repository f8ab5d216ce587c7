# Sourced by run, test and .ci/run: installs the Debian packages that are missing, builds and tests.

build_packages=(
  g++ cmake ninja-build pkg-config ccache
  libcaf-dev libssh-dev libssl-dev libspdlog-dev libfmt-dev
  libcli11-dev nlohmann-json3-dev libexpected-dev libxxhash-dev
)
test_packages=(
  libboost-test-dev libbenchmark-dev
  openssh-server openssh-client openssl dropbear-bin libnss-wrapper tcsh zsh fish python3 python3-asyncssh
  systemd clustershell
)
benchmark_packages=(python3-paramiko golang golang-golang-x-crypto-dev pdsh pssh)
check_packages=(clang-format clang-tidy clang libclang-rt-dev)
fresh_packages=(debootstrap debian-archive-keyring)

# install_missing PACKAGE...: silent and quick when everything is there.
install_missing() {
  # Elsewhere than on Debian, CMake says what it misses.
  command -v apt-get dpkg-query >/dev/null || return 0

  local package missing=() root=()
  local installed
  installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null) || true
  for package in "$@"; do
    grep -qxF "$package installed" <<<"$installed" || missing+=("$package")
  done
  ((${#missing[@]})) || return 0

  echo "installing Debian packages: ${missing[*]}" >&2
  ((EUID == 0)) || root=(sudo)
  local log
  log=$(mktemp)
  # A fresh image has no package lists; another apt may hold the lock for a while.
  if ! {
    "${root[@]}" apt-get -q -o DPkg::Lock::Timeout=300 update &&
      "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qy -o DPkg::Lock::Timeout=300 \
        install --no-install-recommends "${missing[@]}"
  } >"$log" 2>&1; then
    cat "$log" >&2
    echo "could not install the packages above" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}

# build PRESET [ARGUMENT...]: configures and builds; the log is shown only when that fails.
build() {
  local preset=$1
  shift
  mkdir -p build
  local log=build/$preset.log
  if ! { cmake --preset "$preset" && cmake --build --preset "$preset" "$@"; } >"$log" 2>&1; then
    cat "$log" >&2
    echo "the $preset build failed" >&2
    return 1
  fi
}

# run_tests PRESET [ARGUMENT...]: by ctest. The output of a test is long, so what failed stands once more at
# the end, shortest last, as does what a sanitizer found in any process, whose output a test may have taken.
run_tests() {
  local preset=$1 failed=0 report
  shift
  rm -f "build/$preset"/sanitizer.*
  ctest --preset "$preset" "$@" || failed=1
  for report in "build/$preset"/sanitizer.*; do
    [[ -e $report ]] || continue
    echo "$report:"
    head -n 40 "$report"
    failed=1
  done
  if ((failed)); then
    local log=build/$preset/Testing/Temporary/LastTest.log
    echo "The last lines of each test that failed, by $log:"
    awk '/ Testing: / { name = $3; n = 0 }
         { lines[n++] = $0 }
         /^Test Failed\./ { print name ":"; for (i = n > 12 ? n - 12 : 0; i < n; ++i) print "  " lines[i] }
        ' "$log"
    echo "What failed:"
    grep -aE -A 2 ': (fatal )?error: ' "$log" | tail -n 60 || true
  fi
  return $failed
}
