#!/usr/bin/env bash
# Compares sshexec with other clients on this machine and prints a table with ratios.
# usage: compare.sh [--rounds N] [--row NAME]... [--scale X] [--list]
# SSHEXEC_PEERS names the folder of the rivals' programs.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
export SSHEXEC_PEERS=${SSHEXEC_PEERS:-$root/../shared/peers}

(
  cd "$root"
  source cmake/dependencies.sh
  install_missing "${build_packages[@]}" "${test_packages[@]}" "${benchmark_packages[@]}"
  build release-tests --target benchmarks sshexec_tool
  # Go without modules finds its libraries where Debian puts them.
  export GOPATH=/usr/share/gocode GO111MODULE=off
  for program in goserver goclient; do
    (cd "$SSHEXEC_PEERS/$program" && go build -o "$root/build/peers/$program" .)
  done
)
exec /usr/bin/python3 "$root/tests/benchmark/compare.py" "$@"
