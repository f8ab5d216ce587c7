#pragma once

#include "nodes.hpp"

#include <memory>
#include <string>
#include <utility>

namespace sshexec::test {

/// An actor with one command under way, which ends with this object.
class caller {
public:
  caller(client_node& client, const machine& target, command what)
    : client_(client), target_(target), id_(what.id) {
    request_ = std::make_unique<request_handle>(
      self_->request(client.executor, caf::infinite, execute_atom_v, target, std::move(what)));
  }

  void cancel() { self_->send(client_.executor, cancel_atom_v, target_, id_); }

  answer wait() {
    answer result;
    request_->receive([&](command_result& x) { result.outcome = std::move(x); },
                      [&](caf::error& x) { result.outcome = std::move(x); });
    return result;
  }

private:
  using request_handle = decltype(std::declval<caf::scoped_actor&>()->request(
    std::declval<executor_actor&>(), caf::infinite, execute_atom_v, std::declval<machine>(),
    std::declval<command>()));

  client_node& client_;
  machine target_;
  std::string id_;
  caf::scoped_actor self_{client_.system};
  std::unique_ptr<request_handle> request_;
};

} // namespace sshexec::test
