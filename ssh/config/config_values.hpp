#pragma once

#include "sshexec/ssh/config/config_error.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sshexec::ssh {

/// A word that a keyword takes, and what it means.
template <class T>
struct named_value {
  std::string_view name;
  T value;
};

/// What this word means, in whatever case.
template <class T, std::size_t N>
value_result<T> to_named(std::string_view word, const std::array<named_value<T>, N>& values);

/// Whether two texts differ in their case at most.
bool is_same_word(std::string_view a, std::string_view b);

/// yes, no, true or false.
value_result<bool> to_flag(const std::string& word);

/// From 0 to the largest `int`.
value_result<int> to_count(const std::string& word);

/// From 1; not the name of a service.
value_result<std::uint16_t> to_port(const std::string& word);

/// "90", "1h30m" (sshd_config(5), TIME FORMATS).
value_result<std::chrono::seconds> to_seconds(const std::string& word);

/// "1G", "1.5m": of 1024 bytes each.
value_result<std::uint64_t> to_bytes(const std::string& word);

/// Whether a text may be the name of a domain, with a dot at its end or not.
bool is_domain(std::string_view text);

/// "a,b" in parts.
std::vector<std::string> split_list(std::string_view list);

// ---- implementation ----

template <class T, std::size_t N>
value_result<T> to_named(std::string_view word, const std::array<named_value<T>, N>& values) {
  std::string names;
  for (const named_value<T>& x : values) {
    if (is_same_word(word, x.name))
      return x.value;
    names.append(names.empty() ? "" : ", ").append(x.name);
  }
  return tl::unexpected{"'" + std::string{word} + "' is none of " + names};
}

} // namespace sshexec::ssh
