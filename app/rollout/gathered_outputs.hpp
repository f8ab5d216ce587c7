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

private:
  /// With stdout and stderr.
  using ending = std::tuple<fate, std::string, std::string>;

  struct group {
    std::size_t place = 0;
    bool is_cut = false;
    std::vector<std::string> names;
  };

  static std::string block(const ending& how, const group& who, const folding& fold);

  std::map<ending, group> groups_;
};

} // namespace sshexec::app
