#include "sshexec/ssh/config/config_cache.hpp"

#include <functional>
#include <utility>

namespace sshexec::ssh {

namespace {

/// The same function, which notes a shortage that it meets.
template <class T, class... Arguments>
auto watched(std::function<result<T>(Arguments...)> ask, bool& met_shortage) {
  return [ask = std::move(ask), &met_shortage](Arguments... arguments) {
    auto answer = ask(arguments...);
    if (!answer && answer.error().kind == error_kind::shortage)
      met_shortage = true;
    return answer;
  };
}

} // namespace

config_cache::config_cache(std::vector<config_source> sources, config_environment environment,
                           const config_limits& limits)
  : sources_(std::move(sources)),
    environment_(std::move(environment)),
    limits_(limits),
    files_(environment_) {
  environment_.read = watched(std::move(environment_.read), met_shortage_);
  environment_.find = watched(std::move(environment_.find), met_shortage_);
  environment_.run = watched(std::move(environment_.run), met_shortage_);
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
  is_fleeting_ = false;
  if (files_.have_changed()) {
    files_ = config_files{environment_};
    answers_.clear();
  }
  if (const auto known = answers_.find(query); known != answers_.end())
    return known->second;
  met_shortage_ = false;
  auto answer = resolve_config(sources_, query, environment_, files_, limits_);
  if (answer && !is_fleeting_) {
    if (answers_.size() >= most_answers)
      answers_.clear();
    answers_.emplace(query, *answer);
  }
  if (!answer)
    answer.error().is_shortage = met_shortage_;
  return answer;
}

} // namespace sshexec::ssh
