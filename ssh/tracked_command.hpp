#pragma once

#include "sshexec/ssh/connection.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Commands whose processes can be found again, for servers that pass no signals on and for
/// processes that left their process group. The client chooses a random token for each command; the
/// command tells its process group behind it, and all its processes carry it in their environment.
/// Tokens consist of letters and digits, and are no part of anything else that a command may say.
namespace sshexec::ssh {

/// The variable that marks the processes of a tracked command.
inline constexpr std::string_view tracking_variable = "SSHEXEC_COMMAND";

/// A command line for any login shell (sh, bash, dash, zsh, csh, fish), which first tells the token
/// and its process group in one line on stderr, and then becomes what sshd(8) would have run:
/// "$SHELL" -c LINE.
std::string wrap_tracked(const std::string& line, const std::string& token);

/// Takes what a tracked command says in front of its own output out of it, wherever it is: the
/// files that a login shell reads first may have said something, too.
class tracking_filter {
public:
  explicit tracking_filter(std::string token) : token_(std::move(token)) {}

  /// Returns those of the bytes held so far that are the command's own. A few are held as long as
  /// they may be the beginning of the token.
  std::string add(std::string_view data);

  /// The output's end: returns what is still held.
  std::string finish();

  /// The command's process, and so the group that it leads if it does, once known.
  [[nodiscard]] std::optional<std::uint32_t> process_group() const { return process_group_; }

private:
  /// How much of the token's beginning stands at the end of what is held.
  [[nodiscard]] std::size_t partial_token() const;

  /// A space, a number of a process group, and a line break.
  static constexpr std::size_t max_number = 13;

  std::string token_;
  std::string held_;
  std::optional<std::uint32_t> process_group_;
};

/// A command for a second channel: sends TERM to all processes of a tracked command, also to those
/// that left its process group, sends KILL to what is left of them after the grace, and prints how
/// that went. It needs a POSIX shell and awk, and grep where there is /proc, else ps.
exec_request kill_request(std::uint32_t process_group, const std::string& token,
                          std::chrono::milliseconds grace);

/// How a kill went.
struct kill_report {
  /// Empty when all processes that could be found are gone.
  std::vector<std::uint32_t> survivors;
  /// Whether processes were looked for by their marks, which takes /proc. By their parents alone,
  /// an orphan that left the process group is not found.
  bool looked_for_marks = true;
};

/// Reads what a kill request printed; nothing if it did not come to its end.
std::optional<kill_report> parse_kill_report(std::string_view output);

} // namespace sshexec::ssh
