#pragma once

#include "sshexec/messages/command_result.hpp"
#include "sshexec/messages/failure.hpp"

#include <caf/expected.hpp>

#include <string>

namespace sshexec::app {

/// How a request ended, as the tool's user sees it.
using outcome = caf::expected<command_result>;

/// Exit codes of the tool that are not the remote command's.
inline constexpr int exit_timeout = 124;
inline constexpr int exit_error = 255;

/// The tool's exit code: the remote one, 128 + N for a command that signal N ended, 124 for one
/// whose time was up, 255 for every other error.
int exit_code_of(const outcome& x);

/// Writes the remote output to stdout and stderr as it is, and what else there is to say to stderr.
/// False when stdout or stderr could not be written.
bool print_plain(const outcome& x);

/// Writes the whole outcome to stdout as one JSON object. False when that could not be written.
bool print_json(const outcome& x);

/// The object that `print_json` writes, as text.
std::string to_json(const outcome& x);

/// "sshexec: …" on stderr, as one line.
void complain(const std::string& text);

} // namespace sshexec::app
