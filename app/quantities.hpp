#pragma once

#include <caf/timespan.hpp>
#include <tl/expected.hpp>

#include <cstdint>
#include <string>

namespace sshexec::app {

/// Reads "500ms", "0.5s", "30s", "5m", "5min", "2h", "1d" or "0"; at most a year. The error is a
/// sentence for the user.
tl::expected<caf::timespan, std::string> parse_duration(const std::string& text);

/// The same for a limit: "none" and "0" stand for the longest one, a year.
tl::expected<caf::timespan, std::string> parse_limit(const std::string& text);

/// Reads a number of bytes, with K, M or G for powers of 1024: "65536", "64K", "16M".
tl::expected<std::uint64_t, std::string> parse_size(const std::string& text);

} // namespace sshexec::app
