#pragma once

#include <tl/expected.hpp>

#include <cstddef>
#include <string>

namespace sshexec::ssh {

/// Where something was said.
struct config_place {
  /// A path; empty for an option of the command line, or a name that was given there.
  std::string file;
  /// From 1; 0 for a file as a whole.
  std::size_t line = 0;
  /// As it was written.
  std::string keyword;

  friend bool operator==(const config_place&, const config_place&) = default;
};

/// Why a configuration cannot be used.
struct config_error {
  config_place place;
  std::string reason;
  /// Whether only something was short for the moment, so that nothing is wrong with what is said.
  bool is_shortage = false;

  friend bool operator==(const config_error&, const config_error&) = default;
};

/// "/home/me/.ssh/config:12: ProxyUseFdpass: …" or "-o ProxyUseFdpass: …", for people.
std::string to_text(const config_error& x);

tl::unexpected<config_error> config_failure(config_place place, std::string reason);

template <class T>
using config_result = tl::expected<T, config_error>;

/// What is wrong with a line, without its place.
template <class T>
using value_result = tl::expected<T, std::string>;

} // namespace sshexec::ssh
