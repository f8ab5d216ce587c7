#include "sshexec/testing/key_files.hpp"

#include "sshexec/testing/process.hpp"

#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <sstream>
#include <stdexcept>

namespace sshexec::testing {

void make_key(const std::string& path, const std::string& passphrase) {
  std::filesystem::remove(path);
  std::filesystem::remove(path + ".pub");
  require_program({"ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", path});
}

std::string key_fingerprint(const std::string& path) {
  const std::unique_ptr<FILE, int (*)(FILE*)> output{
    ::popen(("ssh-keygen -l -f '" + path + '\'').c_str(), "r"), ::pclose};
  std::array<char, 512> line{};
  if (!output || ::fgets(line.data(), line.size(), output.get()) == nullptr)
    throw std::runtime_error("ssh-keygen tells no fingerprint of " + path);
  std::istringstream words{line.data()};
  std::string bits;
  std::string fingerprint;
  words >> bits >> fingerprint;
  return fingerprint;
}

} // namespace sshexec::testing
