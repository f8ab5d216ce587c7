#!/usr/bin/env bash
# Times sshexec and asyncssh in turn against one OpenSSH server on loopback and prints the medians.
# usage: compare.sh [ROUNDS]; SSHEXEC_PEERS names the folder of the rival's program.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
peers=${SSHEXEC_PEERS:-$root/../shared/peers}
bench=$root/build/release/tests/benchmark/bench_sshexec
rounds=${1:-5}
commands=300
user=sshexec-test

directory=$(mktemp -d)
trap 'kill "$server" 2>/dev/null; rm -rf "$directory"' EXIT
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')

id -u "$user" >/dev/null 2>&1 || useradd --create-home --shell /bin/sh "$user"
usermod --password '*' "$user"
chmod 755 "$directory"
ssh-keygen -q -t ed25519 -N '' -f "$directory/host_key"
ssh-keygen -q -t ed25519 -N '' -f "$directory/client_key"
cat >"$directory/sshd_config" <<C
ListenAddress 127.0.0.1
Port $port
HostKey $directory/host_key
AuthorizedKeysFile $directory/client_key.pub
PidFile none
UsePAM no
StrictModes no
PrintMotd no
C
mkdir -p /run/sshd
/usr/sbin/sshd -D -f "$directory/sshd_config" -E "$directory/log" &
server=$!
until grep -q 'Server listening' "$directory/log" 2>/dev/null; do sleep 0.05; done

# rate CLIENT MODE: commands per second of one run.
rate() {
  local arguments=(--port "$port" --user "$user" --key "$directory/client_key" --mode "$2" --n "$commands")
  case $1 in
    # Beyond 5 asyncssh meets MaxSessions: it opens the next channel before the last one is closed.
    asyncssh) [[ $2 == conc ]] && arguments+=(--c 5)
      PYTHONWARNINGS=ignore /usr/bin/python3 "$peers/bench_asyncssh.py" "${arguments[@]}" ;;
    sshexec) [[ $2 == conc ]] && arguments+=(--c 10)
      "$bench" "${arguments[@]}" ;;
  esac | sed -n 's|.* \([0-9]*\)/s.*|\1|p'
}

median() { sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }

for mode in seq conc; do
  for ((i = 0; i < rounds; i++)); do
    for client in sshexec asyncssh; do
      rate "$client" "$mode" >>"$directory/$client.$mode"
    done
  done
done

printf '| commands/s against OpenSSH | sshexec | asyncssh | ratio |\n|---|---|---|---|\n'
for mode in seq conc; do
  ours=$(median <"$directory/sshexec.$mode")
  theirs=$(median <"$directory/asyncssh.$mode")
  what='one after another'
  [[ $mode == seq ]] || what='many at once (sshexec 10, asyncssh 5)'
  awk -v w="$what" -v a="$ours" -v b="$theirs" 'BEGIN {printf "| %s | %d | %d | %.2f |\n", w, a, b, a / b}'
done
