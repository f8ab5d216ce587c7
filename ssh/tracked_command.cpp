#include "sshexec/ssh/tracked_command.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace sshexec::ssh {

namespace {

/// Run with the token as $0 and the lines of the command as arguments, which are more than one only
/// if it has line breaks: csh takes none inside of quotes. The shell is the process that the server
/// started, and so will be what it becomes; the process group that it leads has its number.
constexpr std::string_view tracked_start
  = R"sh(echo "$0 $$" >&2; SSHEXEC_COMMAND=$0; export SSHEXEC_COMMAND; )sh"
    R"sh(case $# in 1) ;; *) eval "IFS=$(printf "\047\012\047")"; set -- "$*"; unset IFS;; esac; )sh"
    R"sh(exec "${SHELL:-/bin/sh}" -c "$1")sh";

/// Run with the token, the process group and the grace in tenths of a second as arguments. The
/// braces make the shell read all of it before its stdin, from which it comes, is anyone else's.
constexpr std::string_view kill_script = R"sh({
token=$1 group=$2 grace=$3 alive= marks=
[ -r /proc/self/stat ] && command -v grep >/dev/null && marks=yes

# Of each process: PID PARENT GROUP SESSION STATE MARKED. It chooses its own name, which may look
# like all of that, but not the name of its files and what stands behind the last parenthesis of
# their first line.
processes() {
  if [ "$marks" ]; then
    marked=$(echo $(grep -l "SSHEXEC_COMMAND=$token" /proc/[0-9]*/environ 2>/dev/null))
    awk -v marked="$marked" 'BEGIN {
      n = split(marked, files, " ")
      for (i = 1; i <= n; ++i) { split(files[i], path, "/"); mark[path[3]] = 1 }
      for (i = 1; i < ARGC; ++i) {
        if ((getline line < ARGV[i]) > 0) {
          split(ARGV[i], path, "/")
          sub(/.*[)] /, "", line)
          split(line, field, " ")
          print path[3], field[2], field[3], field[4], field[1], (path[3] in mark)
        }
        close(ARGV[i])
      }
    }' /proc/[0-9]*/stat
  else
    ps -A -o pid= -o ppid= -o pgid= -o stat= | awk '{ print $1, $2, $3, 0, $4, 0 }'
  fi
}

# Sets alive: the processes of the group, of its session, with the mark, once known, and all their
# descendants. A zombie is dead. Whoever does not even see this shell sees nobody, and says nothing.
scan() {
  seen=$(processes | awk -v self=$$ -v group="$group" -v known="$alive" '
    $5 !~ /^[ZXx]/ {
      parent[$1] = $2
      if ($1 == group || $3 == group || $4 == group || $6) hit[$1] = 1
    }
    END {
      if (!(self in parent)) exit
      printf "seen "
      n = split(known, pids, " ")
      for (i = 1; i <= n; ++i) if (pids[i] in parent) hit[pids[i]] = 1
      do {
        more = 0
        for (pid in parent) if (!(pid in hit) && (parent[pid] in hit)) more = hit[pid] = 1
      } while (more)
      for (pid in hit) printf "%s ", pid
    }')
  case $seen in "seen "*) alive=${seen#seen };; *) exit 1;; esac
  [ -n "$alive" ]
}

# The group at once, so that none of it forks away between the scan and here.
send() { kill -s "$1" -- "-$group" $alive 2>/dev/null; }

# Not every sleep knows fractions.
pause() { if sleep 0.1 2>/dev/null; then left=$((left - 1)); else sleep 1; left=$((left - 10)); fi; }

scan && send TERM
left=$grace
while scan && [ "$left" -gt 0 ]; do pause; done
left=20
while scan && [ "$left" -gt 0 ]; do send KILL; pause; done
if [ -n "$alive" ]; then echo survivors $alive
elif [ "$marks" ]; then echo killed
else echo killed without marks
fi
exit 0
}
)sh";

/// One word for any shell. Quotes keep everything but these from everyone: fish takes a backslash
/// inside of them for its own, csh an exclamation mark, and none of the shells outside of them if
/// they stand behind a backslash.
std::string quoted(std::string_view text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\' || c == '!')
      result += std::string{"'\\"} + c + "'";
    else
      result += c;
  }
  return result + "'";
}

/// The number of a process group that may be killed: neither init's nor everyone's.
std::optional<std::uint32_t> parse_process_group(std::string_view text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < 2)
    return std::nullopt;
  return number;
}

} // namespace

std::string wrap_tracked(const std::string& line, const std::string& token) {
  std::string result = "exec /bin/sh -c " + quoted(tracked_start) + ' ' + token;
  for (std::size_t begin = 0; begin <= line.size();) {
    const std::size_t end = std::min(line.find('\n', begin), line.size());
    result += ' ' + quoted(std::string_view{line}.substr(begin, end - begin));
    begin = end + 1;
  }
  return result;
}

std::string tracking_filter::add(std::string_view data) {
  if (process_group_)
    return std::string{data};
  held_ += data;
  std::string own;
  for (;;) {
    const std::size_t token = std::min(held_.find(token_), held_.size() - partial_token());
    own += held_.substr(0, token);
    held_.erase(0, token);
    const std::size_t end = held_.find('\n');
    const bool may_go_on = held_.size() <= token_.size() + max_number;
    if (held_.size() < token_.size() || (end == std::string::npos && may_go_on))
      return own;
    std::string_view rest = std::string_view{held_}.substr(0, end).substr(token_.size());
    if (rest.ends_with('\r'))
      rest.remove_suffix(1);
    if (rest.starts_with(' '))
      process_group_ = parse_process_group(rest.substr(1));
    if (process_group_)
      return own + std::exchange(held_, {}).substr(end + 1);
    // A shell that shows what it is told to do (set -x) says the token, too.
    own += token_;
    held_.erase(0, token_.size());
  }
}

std::string tracking_filter::finish() {
  return std::exchange(held_, {});
}

std::size_t tracking_filter::partial_token() const {
  std::size_t length = std::min(held_.size(), token_.size() - 1);
  while (!std::string_view{held_}.ends_with(std::string_view{token_}.substr(0, length)))
    --length;
  return length;
}

exec_request kill_request(std::uint32_t process_group, const std::string& token,
                          std::chrono::milliseconds grace) {
  exec_request result;
  result.command = "exec /bin/sh -s " + token + ' ' + std::to_string(process_group) + ' '
                   + std::to_string(grace.count() / 100);
  result.stdin_data = std::make_shared<const std::string>(kill_script);
  result.max_output = std::uint64_t{64} << 10;
  return result;
}

std::optional<kill_report> parse_kill_report(std::string_view output) {
  if (!output.ends_with('\n'))
    return std::nullopt;
  output.remove_suffix(1);
  const std::size_t line_break = output.rfind('\n');
  std::string_view line
    = line_break == std::string_view::npos ? output : output.substr(line_break + 1);
  kill_report result;
  result.looked_for_marks = line != "killed without marks";
  if (line == "killed" || !result.looked_for_marks)
    return result;
  constexpr std::string_view survivors = "survivors";
  if (!line.starts_with(survivors))
    return std::nullopt;
  line.remove_prefix(survivors.size());
  while (line.starts_with(' ')) {
    line.remove_prefix(1);
    const std::size_t end = std::min(line.find(' '), line.size());
    const auto process = parse_process_group(line.substr(0, end));
    if (!process)
      return std::nullopt;
    result.survivors.push_back(*process);
    line.remove_prefix(end);
  }
  if (!line.empty() || result.survivors.empty())
    return std::nullopt;
  return result;
}

} // namespace sshexec::ssh
