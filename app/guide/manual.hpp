#pragma once

#include <CLI/App.hpp>

#include <string>

namespace sshexec::app {

/// The page of the manual, sshexec(1), in the language of man(7): what `--help` says of the tool
/// and of each of its commands.
std::string manual_page(const CLI::App& tool);

} // namespace sshexec::app
