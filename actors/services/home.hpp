#pragma once

#include <filesystem>
#include <string>

namespace sshexec {

/// The home directory of the user this process runs as: $HOME, else what the user database says.
std::filesystem::path home_directory();

/// `path` with a "~/" in front replaced by the home directory.
std::filesystem::path expand_home(const std::string& path);

} // namespace sshexec
