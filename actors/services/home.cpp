#include "sshexec/actors/services/home.hpp"

#include <pwd.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string_view>

namespace sshexec {

std::filesystem::path home_directory() {
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0')
    return home;
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  ::getpwuid_r(::getuid(), &entry, buffer.data(), buffer.size(), &found);
  return found != nullptr ? found->pw_dir : "/";
}

std::filesystem::path expand_home(const std::string& path) {
  constexpr std::string_view prefix = "~/";
  return path.starts_with(prefix) ? home_directory() / path.substr(prefix.size())
                                  : std::filesystem::path{path};
}

} // namespace sshexec
