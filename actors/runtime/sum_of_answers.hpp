#pragma once

#include "sshexec/actors/runtime/reply.hpp"

#include <caf/duration.hpp>
#include <caf/typed_response_promise.hpp>

#include <cstdint>
#include <memory>
#include <utility>

namespace sshexec {

/// Asks several actors of this process for a number, and answers the present request with the sum.
/// One that has ended counts as 0.
template <class Self, class Actors, class... Arguments>
caf::typed_response_promise<std::uint64_t> sum_of_answers(Self* self, const Actors& actors,
                                                          const Arguments&... question) {
  struct sum {
    reply<std::uint64_t> answer;
    std::uint64_t total = 0;

    ~sum() {
      if (answer.pending())
        answer.deliver(total);
    }
  };

  auto promise = self->template make_response_promise<std::uint64_t>();
  // Its last owner is the one that answers last.
  const auto all = std::make_shared<sum>();
  all->answer = reply<std::uint64_t>{promise};
  for (const auto& x : actors)
    self->request(x, caf::infinite, question...)
      .then([all](std::uint64_t number) { all->total += number; }, [all](const caf::error&) {});
  return promise;
}

} // namespace sshexec
