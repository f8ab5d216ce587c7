#pragma once

#include <CLI/CLI.hpp>

namespace sshexec::app {

/// Makes an option with an empty value an error, which CLI11 would take for one that was not given:
/// `-l "$UNSET"` is not meant to be somebody else.
void refuse_empty_values(CLI::App& command);

/// A check that the help does not show, because its option's description tells.
CLI::Validator unnamed(CLI::Validator check);

} // namespace sshexec::app
