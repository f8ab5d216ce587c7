#pragma once

#include "sshexec/app/output_writer.hpp"
#include "sshexec/messages/command_result.hpp"
#include "sshexec/messages/failure.hpp"

#include <caf/expected.hpp>
#include <nlohmann/json_fwd.hpp>

#include <string>
#include <system_error>

namespace sshexec::app {

/// How a request ended, as the tool's user sees it.
using outcome = caf::expected<command_result>;

/// Exit codes of the tool that are not the remote command's.
inline constexpr int exit_timeout = 124;
inline constexpr int exit_error = 255;

/// The tool's exit code: the remote one, 128 + N for a command that signal N ended, 124 for one
/// whose time was up, 255 for every other error.
int exit_code_of(const outcome& x);

/// As shells tell what a signal ended: 128 + N.
constexpr int exit_code_of_signal(int number) {
  return 128 + number;
}

/// Writes the output that was kept to stdout and stderr as it is, and says what the cap cut.
std::error_code print_output(const outcome& x);

/// Says what of the output came too late to be written, if anything.
void report_lost_output(const outcome& x, const output_account& written);

/// Writes what there is to say about an end, but for the output, to stderr; also which signal to
/// the tool brought it about, if not 0, and what to do about an error.
void print_end(const outcome& x, int signal, const std::string& advice = {});

/// Writes the whole outcome to stdout as one JSON object.
std::error_code print_json(const outcome& x);

/// The object that `print_json` writes, as text.
std::string to_json(const outcome& x);

/// The same object, for one that holds more.
nlohmann::ordered_json to_json_object(const outcome& x);

/// "sshexec: …" on stderr, as one line.
void complain(const std::string& text);

/// The same without waiting for whoever reads stderr. False if there was no room.
bool complain_at_once(const std::string& text);

/// Says that stdin could not be read. Returns the exit code.
int report_failed_input(const std::error_code& why);

/// Says that the output could not be written, or another place that is named, unless its reader has
/// left, which is no news to whom it concerns. Returns the exit code.
int report_failed_output(const std::error_code& why, const std::string& where = "the output");

} // namespace sshexec::app
