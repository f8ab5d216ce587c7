#include "fuzz.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

/// All files at or below a path, always in the same order.
std::vector<fs::path> files_of(const fs::path& place) {
  if (!fs::is_directory(place))
    return {place};
  std::vector<fs::path> result;
  for (const auto& entry : fs::recursive_directory_iterator{place})
    if (entry.is_regular_file())
      result.push_back(entry.path());
  std::sort(result.begin(), result.end());
  return result;
}

bool replay(const fs::path& file) {
  std::ifstream stream{file, std::ios::binary};
  const std::vector<char> bytes{std::istreambuf_iterator<char>{stream}, {}};
  if (!stream)
    return false;
  std::printf("%s\n", file.c_str());
  // An input that ends this process is then the last one that was printed.
  std::fflush(stdout);
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  return true;
}

} // namespace

/// Feeds the files and folders it is given to a fuzz target, without a fuzzer.
int main(int argc, char** argv) {
  std::size_t count = 0;
  for (int i = 1; i < argc; ++i)
    for (const fs::path& file : files_of(argv[i]))
      count += replay(file) ? 1 : 0;
  std::printf("%zu inputs\n", count);
  return count > 0 ? 0 : 1;
}
