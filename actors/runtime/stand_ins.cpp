#include "sshexec/actors/runtime/stand_ins.hpp"

#include <caf/typed_response_promise.hpp>

#include <utility>

namespace sshexec {

namespace {

template <class Actor>
void end_with(typename Actor::pointer self, const Actor& whom, const executor_actor& owner) {
  self->monitor(whom);
  self->monitor(owner);
  self->set_down_handler([self](const caf::down_msg&) { self->quit(); });
}

} // namespace

output_consumer::behavior_type output_stand_in(output_consumer::pointer self,
                                               const output_consumer& consumer,
                                               const executor_actor& owner) {
  end_with(self, consumer, owner);
  return {[self, consumer](output_chunk& chunk) {
    auto promise = self->make_response_promise<void>();
    self->request(consumer, caf::infinite, std::move(chunk))
      .then(
        [promise]() mutable { static_cast<caf::response_promise&>(promise).deliver(caf::unit); },
        [promise](caf::error& reason) mutable { promise.deliver(std::move(reason)); });
    return promise;
  }};
}

observer_actor::behavior_type observer_stand_in(observer_actor::pointer self,
                                                const observer_actor& observer,
                                                const executor_actor& owner) {
  end_with(self, observer, owner);
  return {[self, observer](pool_event& event) { self->send(observer, std::move(event)); }};
}

} // namespace sshexec
