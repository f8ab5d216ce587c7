#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

/// Reads one input of a fuzz target; the name and the form are libFuzzer's.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace sshexec::fuzz {

/// Ends the process, which a fuzzer and a test alike take for a finding, unless the promise holds.
inline void require(bool holds, const char* promise) {
  if (holds)
    return;
  std::fprintf(stderr, "broken promise: %s\n", promise);
  std::abort();
}

inline std::string to_text(const std::uint8_t* data, std::size_t size) {
  return {data, data + size};
}

/// Takes an input apart line by line, so that a corpus can be read and written by hand.
class lines {
public:
  explicit lines(std::string text) : rest_(std::move(text)) {}

  /// The first line that was not taken yet, without its end; empty at the end of the input.
  std::string next() {
    const std::size_t end = std::min(rest_.find('\n'), rest_.size());
    std::string line = rest_.substr(0, end);
    rest_.erase(0, end + 1);
    return line;
  }

  [[nodiscard]] const std::string& rest() const { return rest_; }

private:
  std::string rest_;
};

} // namespace sshexec::fuzz
