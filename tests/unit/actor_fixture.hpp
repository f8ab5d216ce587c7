#pragma once

#include "sshexec/messages/executor.hpp"

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/exit_reason.hpp>
#include <caf/expected.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/sec.hpp>

#include <chrono>
#include <utility>
#include <vector>

namespace sshexec::test {

/// An actor system with real threads, and a blocking way to ask its actors. For services that may
/// block; what depends on time belongs on virtual time.
class actor_fixture {
public:
  actor_fixture() = default;
  actor_fixture(const actor_fixture&) = delete;
  actor_fixture& operator=(const actor_fixture&) = delete;

  ~actor_fixture() {
    for (const auto& x : started_)
      self->send_exit(x, caf::exit_reason::user_shutdown);
  }

  /// Ends an actor together with the test.
  template <class Handle>
  Handle start(Handle x) {
    started_.push_back(caf::actor_cast<caf::actor>(x));
    return x;
  }

  template <class Handle>
  void end(const Handle& x) {
    self->send_exit(x, caf::exit_reason::user_shutdown);
    self->wait_for(x);
  }

  /// Sends a request, whose answer `receive` waits for.
  template <class Handle, class... Ts>
  auto request(const Handle& x, Ts&&... arguments) {
    return self->request(x, patience, std::forward<Ts>(arguments)...);
  }

  template <class T, class Response>
  static caf::expected<T> receive(Response response) {
    caf::expected<T> answer = caf::sec::runtime_error;
    response.receive([&](T& x) { answer = std::move(x); },
                     [&](caf::error& reason) { answer = std::move(reason); });
    return answer;
  }

  template <class T, class Handle, class... Ts>
  caf::expected<T> ask(const Handle& x, Ts&&... arguments) {
    return receive<T>(request(x, std::forward<Ts>(arguments)...));
  }

private:
  struct configuration : caf::actor_system_config {
    configuration() {
      set("scheduler.policy", caf::atom("sharing"));
      set("scheduler.max-threads", 2);
      register_messages(*this);
    }
  };

  /// Only a failing test waits this long.
  static constexpr std::chrono::seconds patience{20};

  configuration config_;

public:
  caf::actor_system system{config_};
  caf::scoped_actor self{system};

private:
  std::vector<caf::actor> started_;
};

} // namespace sshexec::test
