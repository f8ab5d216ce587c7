#pragma once

#include "sshexec/app/rollout/fates.hpp"
#include "sshexec/messages/rollout.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace sshexec::app {

/// Writes names of machines as a set for people: "web-[1-3]".
using folding = std::function<std::string(const std::vector<std::string>& names)>;

/// Puts machines together that ended alike: the same output with the same exit code.
class gathered_outputs {
public:
  /// A machine that failed is there only if it had output before.
  void add(const machine_outcome& x);

  /// A block for each group, largest group first, and of equal ones the one that was there first.
  [[nodiscard]] std::string text(const folding& fold) const;

  /// The same, but of each other group only what differs from the largest one's output.
  [[nodiscard]] std::string differences(const folding& fold) const;

private:
  /// With stdout and stderr.
  using ending = std::tuple<fate, std::string, std::string>;

  struct group {
    std::size_t place = 0;
    bool is_cut = false;
    std::vector<std::string> names;
  };

  using groups = std::map<ending, group>;

  /// As they are printed.
  [[nodiscard]] std::vector<groups::const_iterator> in_order() const;

  groups groups_;
};

} // namespace sshexec::app
