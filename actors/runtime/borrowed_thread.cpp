#include "sshexec/actors/runtime/borrowed_thread.hpp"

#include <caf/scheduler/abstract_coordinator.hpp>

#include <algorithm>

namespace sshexec {

namespace {

/// From an answer that arrived to the next command on its way: supervisor, caller, registry,
/// supervisor; a few times over, for that command may find an answer to another one. Longer chains
/// would keep the thread from what it is there for.
constexpr int max_jobs = 12;

/// Messages that one of them handles at the most: an actor that is sent more all the time, such as
/// the answers of a consumer, would keep the thread as well.
constexpr std::size_t max_messages = 64;

} // namespace

void borrowed_thread::exec_later(caf::resumable* job) {
  if (next_ == nullptr)
    next_ = job;
  else
    system().scheduler().enqueue(job);
}

void borrowed_thread::run() {
  for (int jobs = 0; next_ != nullptr; ++jobs) {
    caf::resumable* job = std::exchange(next_, nullptr);
    if (jobs == max_jobs)
      return system().scheduler().enqueue(job);
    // A job comes with a reference, which goes on with it or is given up.
    switch (job->resume(this, std::min(max_messages, system().scheduler().max_throughput()))) {
      case caf::resumable::resume_later:
        system().scheduler().enqueue(job);
        break;
      case caf::resumable::awaiting_message:
        intrusive_ptr_release(job);
        break;
      case caf::resumable::done:
        // Those who hear of an actor's end may end in turn, and the system with them: not here.
        if (next_ != nullptr)
          system().scheduler().enqueue(std::exchange(next_, nullptr));
        intrusive_ptr_release(job);
        break;
      case caf::resumable::shutdown_execution_unit:
        break;
    }
  }
}

} // namespace sshexec
