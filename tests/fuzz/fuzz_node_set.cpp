#include "fuzz.hpp"
#include "sshexec/actors/fleet/node_set.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

using namespace sshexec;
using fuzz::require;

namespace {

constexpr node_set_limits limits{1000};

std::vector<std::string> sorted(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  return names;
}

} // namespace

/// The first line is a node set, each other one "GROUP NODESET". Names are few, each there once,
/// and the same when they were folded.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::lines input{fuzz::to_text(data, size)};
  const std::string text = input.next();
  std::map<std::string, std::string> groups;
  while (!input.rest().empty()) {
    const std::string line = input.next();
    const auto end = std::min(line.find(' '), line.size());
    groups[line.substr(0, end)] = line.substr(end);
  }
  const auto group = [&](const std::string& name) {
    const auto found = groups.find(name);
    return found == groups.end() ? std::nullopt : std::optional{found->second};
  };
  const auto names = expand_node_set(text, {group, {}}, limits);
  if (!names) {
    require(!names.error().empty(), "a refused node set has a reason");
    return 0;
  }
  const auto once = sorted(*names);
  require(once.size() <= limits.max_names, "names are no more than allowed");
  require(std::adjacent_find(once.begin(), once.end()) == once.end(), "each name is there once");
  const auto again = expand_node_set(fold_names(*names), {}, limits);
  require(again && sorted(*again) == once, "a folded node set has the same names");
  return 0;
}
