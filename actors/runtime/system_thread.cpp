#include "sshexec/actors/runtime/system_thread.hpp"

#include <exception>
#include <thread>
#include <utility>

namespace sshexec {

bool start_thread(caf::actor_system& system, std::function<void()> job) {
  system.inc_detached_threads();
  try {
    std::thread{[&system, job = std::move(job)]() mutable {
      // What it holds goes before the system may.
      std::exchange(job, nullptr)();
      system.dec_detached_threads();
    }}.detach();
    return true;
  } catch (const std::exception&) {
    system.dec_detached_threads();
    return false;
  }
}

} // namespace sshexec
