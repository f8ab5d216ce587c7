#pragma once

#include "sshexec/messages/failure.hpp"
#include "sshexec/messages/type_ids.hpp"

#include <caf/error.hpp>
#include <caf/typed_response_promise.hpp>
#include <caf/unit.hpp>

#include <optional>
#include <type_traits>
#include <utility>

namespace sshexec {

/// Owns the answer to one request. CAF drops a forgotten promise without a word; this one answers
/// with `shutting_down` when its owner ends before it could answer otherwise.
template <class T>
class reply {
public:
  reply() = default;

  explicit reply(caf::typed_response_promise<T> promise) : promise_(std::move(promise)) {}

  /// The answer to a request about a machine.
  reply(caf::typed_response_promise<T> promise, const machine& target)
    : promise_(std::move(promise)), target_(target) {}

  reply(reply&&) noexcept = default;

  reply& operator=(reply&& other) noexcept {
    reply taken{std::move(other)};
    std::swap(promise_, taken.promise_);
    std::swap(target_, taken.target_);
    return *this;
  }

  ~reply() {
    if (!pending())
      return;
    failure reason;
    reason.message = "the executor ended before the request was served";
    reason.progress = progress::may_have_run;
    if (target_)
      reason = about(*target_, std::move(reason));
    fail(make_failure(error_code::shutting_down, std::move(reason)));
  }

  template <class Value>
  void deliver(Value value) {
    promise_.deliver(std::move(value));
  }

  void deliver() requires std::is_void_v<T> {
    static_cast<caf::response_promise&>(promise_).deliver(caf::unit);
  }

  void fail(caf::error reason) { promise_.deliver(std::move(reason)); }

  /// Whether the request still waits for its answer.
  [[nodiscard]] bool pending() const { return promise_.pending(); }

private:
  caf::typed_response_promise<T> promise_;
  std::optional<machine> target_;
};

} // namespace sshexec
