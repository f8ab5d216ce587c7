#include "sshexec/actors/services/environment_variable.hpp"

namespace sshexec {

std::optional<std::string> objection_to_variable(const std::string& name,
                                                 const std::string& value) {
  const auto holds_nul = [](const std::string& x) { return x.find('\0') != std::string::npos; };
  if (name.empty() || name.find('=') != std::string::npos || holds_nul(name) || holds_nul(value))
    return "an environment variable needs a name without '=', and neither name nor value may "
           "hold a NUL byte";
  if (name.size() + value.size() > largest_request)
    return "the environment variable " + name + " is longer than 255 KiB, which no server takes";
  return std::nullopt;
}

} // namespace sshexec
