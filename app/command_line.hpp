#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace sshexec::app {

/// Makes an option with an empty value an error, which CLI11 would take for one that was not given:
/// `-l "$UNSET"` is not meant to be somebody else.
void refuse_empty_values(CLI::App& command);

/// A check that the help does not show, because its option's description tells.
CLI::Validator unnamed(CLI::Validator check);

/// Such a check for one of a few words.
CLI::Validator one_of(const std::vector<std::string>& words);

/// Whether something may stand behind it; a flag has nothing.
bool takes_value(const CLI::Option& option);

/// The words that an option takes by such a check; none if it takes others.
std::vector<std::string> choices_of(CLI::Option& option);

} // namespace sshexec::app
