#include "sshexec/ssh/output_backlog.hpp"

#include <algorithm>
#include <utility>

namespace sshexec::ssh {

namespace {

/// Larger messages cost more in copies than they save in their number.
constexpr std::size_t max_chunk = std::size_t{256} << 10;

} // namespace

void output_backlog::add(std::string_view data, bool is_stderr) {
  memory_ += data.size();
  while (!data.empty()) {
    if (chunks_.empty() || chunks_.back().is_stderr != is_stderr
        || chunks_.back().data.size() >= max_chunk) {
      chunks_.push_back({0, is_stderr, {}});
      memory_ += sizeof(event::output);
    }
    std::string& chunk = chunks_.back().data;
    const std::size_t length = std::min(data.size(), max_chunk - chunk.size());
    chunk += data.substr(0, length);
    data.remove_prefix(length);
  }
}

void output_backlog::tell(exec_id id, std::vector<connection_event>& events) {
  while (!chunks_.empty() && granted_ > 0) {
    event::output& first = chunks_.front();
    event::output told{id, first.is_stderr, {}};
    if (first.data.size() <= granted_) {
      told.data = std::move(first.data);
      chunks_.pop_front();
      memory_ -= sizeof(event::output);
    } else {
      told.data = first.data.substr(0, static_cast<std::size_t>(granted_));
      first.data.erase(0, told.data.size());
    }
    memory_ -= told.data.size();
    granted_ -= told.data.size();
    events.emplace_back(std::move(told));
  }
}

} // namespace sshexec::ssh
