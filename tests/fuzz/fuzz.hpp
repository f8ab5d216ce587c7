#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

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

} // namespace sshexec::fuzz
