#include "sshexec/app/command_line.hpp"

#include <string>

namespace sshexec::app {

namespace {

constexpr char separator = '|';

} // namespace

void refuse_empty_values(CLI::App& command) {
  const auto check = [](const std::string& value) {
    return value.empty() ? std::string{"has an empty value"} : std::string{};
  };
  for (CLI::Option* option : command.get_options())
    if (!option->get_positional() && takes_value(*option))
      option->check(check, "");
}

CLI::Validator unnamed(CLI::Validator check) {
  return check.description("");
}

CLI::Validator one_of(const std::vector<std::string>& words) {
  // The name is ours to use: CLI11 shows it nowhere.
  return unnamed(CLI::IsMember(words)).name(CLI::detail::join(words, std::string{separator}));
}

bool takes_value(const CLI::Option& option) {
  return option.get_items_expected_max() > 0;
}

std::vector<std::string> choices_of(CLI::Option& option) {
  try {
    const std::string name = option.get_validator(0)->get_name();
    return name.empty() ? std::vector<std::string>{} : CLI::detail::split(name, separator);
  } catch (const CLI::OptionNotFound&) {
    return {};
  }
}

} // namespace sshexec::app
