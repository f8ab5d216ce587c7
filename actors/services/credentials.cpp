#include "sshexec/actors/services/credentials.hpp"

namespace sshexec {

namespace {

std::string describe(const key_in_memory&) {
  return "key in memory";
}

std::string describe(const key_file& x) {
  return "key file " + x.path;
}

std::string describe(const key_agent& x) {
  return "agent " + (x.socket.empty() ? "SSH_AUTH_SOCK" : x.socket);
}

std::string describe(const login_password& x) {
  return x.file.empty() ? "password" : "password file " + x.file;
}

} // namespace

std::string to_string(const credential& x) {
  return std::visit([](const auto& source) { return describe(source); }, x);
}

std::string to_string(const credentials& x) {
  std::string result = "credentials(" + x.username;
  for (const credential& source : x.sources)
    result += ", " + to_string(source);
  return result + ')';
}

} // namespace sshexec
