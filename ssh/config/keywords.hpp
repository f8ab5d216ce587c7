#pragma once

#include "sshexec/ssh/config/config_draft.hpp"
#include "sshexec/ssh/config/config_error.hpp"
#include "sshexec/ssh/config/config_line.hpp"

#include <cstdint>
#include <span>
#include <string_view>

namespace sshexec::ssh {

enum class treatment : std::uint8_t {
  honoured,
  /// Passed over: it changes neither where we connect, nor whom we trust, nor who we are.
  no_meaning,
  /// Passed over in files, where it speaks for all programs of a site; behind -o, where somebody
  /// wants just this, it is an objection to connecting.
  error_as_option,
  /// It would change one of these, and we cannot do it: an objection to connecting.
  error
};

/// A keyword of ssh_config(5).
// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): they stand in the order of the table.
struct config_keyword {
  /// As the manual spells it.
  std::string_view name;
  treatment treated = treatment::no_meaning;
  /// For people. The reason of an error.
  std::string_view note = {};
  /// Checks a line, and takes its value in if that is in force and the first one; nothing for those
  /// that decide which lines are in force, and where no value is of use.
  value_result<void> (*take)(config_draft&, const config_line&, bool is_in_force) = nullptr;
  /// Of an error: the words in lower case, behind blanks, that ask for nothing.
  std::string_view harmless = {};
  /// Whether a list asks for nothing if one of its members does.
  bool is_harmless_in_list = false;
};

/// All keywords that the manual names, in its order.
std::span<const config_keyword> config_keywords();

/// The keyword of this name, in lower case, or of an older name of it; null for none.
const config_keyword* find_keyword(std::string_view name);

/// Takes in what a line says, unless its keyword decides which lines are in force.
value_result<void> take_line(config_draft& draft, const config_keyword& keyword,
                             const config_line& line, bool is_in_force);

} // namespace sshexec::ssh
