#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace sshexec::ssh {

/// Of ASCII letters alone, whatever the locale: names of hosts are compared so.
inline std::string to_lower(std::string_view text) {
  std::string result{text};
  std::transform(result.begin(), result.end(), result.begin(), [](char x) {
    return x >= 'A' && x <= 'Z' ? static_cast<char>(x - 'A' + 'a') : x;
  });
  return result;
}

} // namespace sshexec::ssh
