#pragma once

#include <tl/expected.hpp>

#include <cstddef>
#include <string>

namespace sshexec {

/// What a file, pipe or device holds, without the byte order mark that some editors put before it;
/// blocks until it was read. The error is a sentence with the
/// path, also when it holds more.
tl::expected<std::string, std::string> read_text_file(const std::string& path,
                                                      std::size_t max_size);

} // namespace sshexec
