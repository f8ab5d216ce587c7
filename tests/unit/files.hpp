#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace sshexec::test {

inline void write_file(const std::filesystem::path& file, const std::string& text) {
  std::ofstream{file, std::ios::binary} << text;
}

inline std::string read_file(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// Runs a shell command without showing what it says; true if it succeeds.
inline bool run(const std::string& command_line) {
  return std::system((command_line + " >/dev/null 2>&1").c_str()) == 0;
}

/// Makes a key pair with ssh-keygen(1); few rounds, for a passphrase is slow by intent.
inline bool make_key(const std::filesystem::path& file, const std::string& passphrase = {},
                     const std::string& options = "-t ed25519") {
  std::filesystem::remove(file);
  return run("ssh-keygen -q -a 1 " + options + " -N '" + passphrase + "' -f '" + file.string()
             + "'");
}

/// Root may read everything. Makes the whole process an ordinary user's while it lives, if it is
/// root's.
class without_privileges {
public:
  without_privileges() : user_(::geteuid()) {
    if (user_ == 0 && ::seteuid(nobody) != 0)
      std::abort();
  }

  without_privileges(const without_privileges&) = delete;
  without_privileges& operator=(const without_privileges&) = delete;

  ~without_privileges() {
    if (::seteuid(user_) != 0)
      std::abort();
  }

private:
  static constexpr uid_t nobody = 65534;

  uid_t user_;
};

} // namespace sshexec::test
