#include "sshexec/ssh/config/config_cache.hpp"

#include <utility>

namespace sshexec::ssh {

config_cache::config_cache(std::vector<config_source> sources, config_environment environment,
                           const config_limits& limits)
  : sources_(std::move(sources)),
    environment_(std::move(environment)),
    limits_(limits),
    files_(environment_) {
  environment_.run = [this, run = std::move(environment_.run)](const std::string& line) {
    is_fleeting_ = true;
    return run(line);
  };
  environment_.look_up = [this, look_up = std::move(environment_.look_up)](const std::string& host,
                                                                           address_family family) {
    is_fleeting_ = true;
    return look_up(host, family);
  };
}

config_result<ssh_options> config_cache::find(const config_query& query) {
  if (files_.have_changed()) {
    files_ = config_files{environment_};
    answers_.clear();
  }
  if (const auto known = answers_.find(query); known != answers_.end())
    return known->second;
  is_fleeting_ = false;
  auto answer = resolve_config(sources_, query, environment_, files_, limits_);
  if (answer && !is_fleeting_) {
    if (answers_.size() >= most_answers)
      answers_.clear();
    answers_.emplace(query, *answer);
  }
  return answer;
}

} // namespace sshexec::ssh
