#include "sshexec/app/command_line.hpp"

#include <string>

namespace sshexec::app {

void refuse_empty_values(CLI::App& command) {
  const auto check = [](const std::string& value) {
    return value.empty() ? std::string{"has an empty value"} : std::string{};
  };
  for (CLI::Option* option : command.get_options())
    if (!option->get_positional() && option->get_type_size() > 0)
      option->check(check, "");
}

CLI::Validator unnamed(CLI::Validator check) {
  return check.description("");
}

} // namespace sshexec::app
