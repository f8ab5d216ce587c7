#include "pool.hpp"

#include <caf/send.hpp>

#include <stdexcept>
#include <string>

namespace sshexec::bench {

pool::config::config(const options& x) {
  set("scheduler.policy", caf::atom("sharing"));
  if (x.scheduler_threads > 0)
    set("scheduler.max-threads", x.scheduler_threads);
  register_messages(*this);
}

pool::pool(const options& x) : system_config(x) {
  settings wanted;
  wanted.host_key_policy = host_key_policy::off;
  wanted.journal = "none";
  if (x.keepalive > 0)
    wanted.keepalive_interval = std::chrono::seconds{x.keepalive};
  auto spawned = spawn_executor(system, std::move(wanted));
  if (!spawned)
    throw std::runtime_error{to_failure(spawned.error()).message};
  executor = std::move(*spawned);
}

pool::~pool() {
  caf::anon_send_exit(executor, caf::exit_reason::user_shutdown);
}

std::vector<machine> targets(const options& x, std::size_t count) {
  std::vector<machine> result(count);
  for (std::size_t i = 0; i < count; ++i) {
    result[i].hostname = count == 1
                           ? "127.0.0.1"
                           : "127.1." + std::to_string(i / 250) + '.' + std::to_string(1 + i % 250);
    result[i].port = x.port;
    result[i].username = x.user;
    result[i].identity_file = x.key;
  }
  return result;
}

} // namespace sshexec::bench
