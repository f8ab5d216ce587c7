#pragma once

#include "sshexec/ssh/config/config_error.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sshexec::ssh {

enum class match_subject : std::uint8_t {
  all,
  canonical,
  final,
  host,
  originalhost,
  user,
  localuser,
  exec,
  tagged
};

/// One condition of a Match line.
struct match_criterion {
  match_subject subject = match_subject::all;
  bool is_negated = false;
  /// A list of patterns, or a command line; empty for the first three subjects.
  std::string argument;

  friend bool operator==(const match_criterion&, const match_criterion&) = default;
};

/// The conditions behind "Match", all of which must hold.
value_result<std::vector<match_criterion>> parse_match(std::string_view rest);

} // namespace sshexec::ssh
