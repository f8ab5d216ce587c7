#pragma once

#include "sshexec/ssh/config/config_error.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sshexec::ssh {

/// One line of a configuration, taken apart as ssh does.
struct config_line {
  config_place place;
  /// In lower case.
  std::string keyword;
  /// All behind the keyword, as it was written.
  std::string rest;
  /// The same in words, without quotes and up to a comment.
  std::vector<std::string> arguments;
};

/// A line of a file, or an option of the command line ("Port=22", "Port 22"). Nothing for a blank
/// line or a comment; the place gets the keyword of the line.
config_result<std::optional<config_line>> parse_config_line(std::string_view text,
                                                            config_place place);

/// The text of a file, line by line. Whether a line means anything is not looked at.
config_result<std::vector<config_line>> parse_config(std::string_view text,
                                                     const std::string& file);

/// Cuts the next word off: it ends at a blank or at one '=', or holds all between two '"'. Nothing
/// if a quotation does not end.
std::optional<std::string> next_word(std::string_view& rest);

} // namespace sshexec::ssh
