#pragma once

#include "sshexec/ssh/config/config_files.hpp"
#include "sshexec/ssh/config/resolve.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <vector>

namespace sshexec::ssh {

/// What a configuration says of hosts, remembered until one of its files changes. An answer for
/// which a command was run or a name looked up is asked for anew each time, as ssh does, and an
/// error is not remembered. All calls block, and come from one thread at a time.
class config_cache {
public:
  config_cache(std::vector<config_source> sources, config_environment environment,
               const config_limits& limits = {});
  config_cache(const config_cache&) = delete;
  config_cache& operator=(const config_cache&) = delete;

  /// An error says whether it comes of a shortage.
  config_result<ssh_options> find(const config_query& query);

  /// Whether the last answer depends on more than files.
  [[nodiscard]] bool is_fleeting() const { return is_fleeting_; }

private:
  /// Answers are forgotten beyond so many.
  static constexpr std::size_t most_answers = 20'000;

  std::vector<config_source> sources_;
  config_environment environment_;
  config_limits limits_;
  bool is_fleeting_ = false;
  /// Whether something was short meanwhile. Whatever cannot be read is an error of the whole.
  bool met_shortage_ = false;
  config_files files_;
  std::map<config_query, ssh_options> answers_;
};

} // namespace sshexec::ssh
