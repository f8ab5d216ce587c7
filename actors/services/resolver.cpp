#include "sshexec/actors/services/resolver.hpp"

#include "sshexec/actors/runtime/service_error.hpp"

#include <memory>
#include <utility>

namespace sshexec {

namespace {

struct look_up_state {
  static inline const char* name = "sshexec.look_up";
};

/// Answers one request and ends. A thread for each look-up costs less than a tenth of the look-up,
/// so none is kept for later ones.
resolver_actor::behavior_type look_up_once(resolver_actor::stateful_pointer<look_up_state> self,
                                           look_up_function look_up) {
  return {
    [self, look_up = std::move(look_up)](resolve_atom, const std::string& host,
                                         std::uint16_t port) -> caf::result<address_list> {
      self->quit();
      return to_answer(look_up(host, port));
    },
  };
}

} // namespace

caf::result<address_list> resolver_state::resolve(std::string& host, std::uint16_t port) {
  if (ssh::is_numeric(host))
    return to_answer(ssh::resolve(host, port));
  auto promise = self->make_response_promise<address_list>();
  waiting.push_back({std::move(host), port, reply<address_list>{promise}});
  start_next();
  return promise;
}

void resolver_state::start_next() {
  if (waiting.empty() || running == max_look_ups)
    return;
  job next = std::move(waiting.front());
  waiting.pop_front();
  ++running;
  // Both handlers need it, and CAF keeps handlers as copyable objects.
  auto answer = std::make_shared<reply<address_list>>(std::move(next.answer));
  auto worker = self->spawn<caf::detached>(look_up_once, look_up);
  self->request(worker, caf::infinite, resolve_atom::value, std::move(next.host), next.port)
    .then([this, answer](address_list& found) { finish(*answer, std::move(found)); },
          [this, answer](caf::error& reason) { finish(*answer, std::move(reason)); });
}

void resolver_state::finish(reply<address_list>& answer, caf::expected<address_list> outcome) {
  --running;
  start_next();
  if (outcome)
    answer.deliver(std::move(*outcome));
  else
    answer.fail(std::move(outcome.error()));
}

resolver_actor::behavior_type resolver(resolver_actor::stateful_pointer<resolver_state> self,
                                       look_up_function look_up, std::size_t max_look_ups) {
  self->state.look_up = std::move(look_up);
  self->state.max_look_ups = max_look_ups;
  return {
    [self](resolve_atom, std::string& host, std::uint16_t port) {
      return self->state.resolve(host, port);
    },
  };
}

} // namespace sshexec
