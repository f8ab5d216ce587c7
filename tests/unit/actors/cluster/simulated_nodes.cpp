#include "simulated_nodes.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/sec.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <utility>

namespace sshexec::test {

namespace {

caf::error failure_of(const node_command& what, error_code code, progress how_far) {
  failure reason;
  reason.message = "a node's failure";
  reason.machine = to_address(what.target);
  reason.progress = how_far;
  reason.attempts = how_far == progress::not_started ? 0 : 1;
  return make_failure(code, std::move(reason));
}

/// Does what an executor does about commands that are taken back or lose their caller.
simulated_node_actor::behavior_type node_actor(simulated_node_actor::pointer self,
                                               simulated_node* node) {
  self->set_down_handler([node](const caf::down_msg& message) {
    std::erase_if(node->open, [&](const node_command& x) {
      return x.caller == message.source && !x.command.outlives_caller;
    });
  });
  return {
    [self, node](execute_atom, machine& target, command& what) -> caf::result<command_result> {
      const caf::strong_actor_ptr caller = self->current_sender();
      auto promise = self->make_response_promise<command_result>();
      node_command arrived{std::move(target), std::move(what),
                           caf::actor_cast<caf::actor_addr>(caller), promise};
      ++node->received;
      if (node->closing) {
        promise.deliver(failure_of(arrived, error_code::shutting_down, progress::not_started));
        return promise;
      }
      if (node->untaken > 0) {
        --node->untaken;
        promise.deliver(make_error(caf::sec::request_receiver_down));
        return promise;
      }
      self->monitor(caf::actor_cast<caf::actor>(caller));
      node->open.push_back(std::move(arrived));
      if (node->on_command)
        node->on_command(node->open.back());
      return promise;
    },
    [self, node](cancel_atom, const machine& target, const std::string& id) {
      const auto sender = caf::actor_cast<caf::actor_addr>(self->current_sender());
      const auto is_meant = [&](const node_command& x) {
        return x.caller == sender && x.target == target && x.command.id == id;
      };
      for (auto i = node->open.begin(); i != node->open.end();) {
        if (!is_meant(*i)) {
          ++i;
          continue;
        }
        node->cancelled.push_back(id);
        if (!node->ends_cancelled)
          return;
        i->promise.deliver(failure_of(*i, error_code::cancelled, progress::may_have_run));
        i = node->open.erase(i);
      }
    },
    [](cancel_atom, const std::string&) { return std::uint64_t{0}; },
    [node](input_atom, const machine&, const std::string&, const std::string& data, bool) {
      node->inputs.push_back(data);
    },
    [node](subscribe_atom, const observer_actor& who) { node->observers.push_back(who); },
    [node](unsubscribe_atom, const observer_actor& who) { std::erase(node->observers, who); },
    [node](changed_atom, const machine&) { ++node->changes; },
    [node](changed_atom) { ++node->changes; },
    [node](status_atom) {
      executor_status result;
      result.requests = node->received;
      result.latency = node->latency;
      return result;
    },
    [](keep_atom, node_command& what, command_result& result) {
      what.promise.deliver(std::move(result));
    },
    [](keep_atom, node_command& what, caf::error& reason) {
      what.promise.deliver(std::move(reason));
    },
  };
}

} // namespace

node_command simulated_node::take(std::size_t index) {
  node_command result = std::move(open.at(index));
  open.erase(open.begin() + static_cast<std::ptrdiff_t>(index));
  return result;
}

void simulated_node::finish(std::size_t index, std::uint32_t attempts) {
  command_result result;
  result.output.stdout_data = name;
  result.attempts = attempts;
  caf::anon_send(executor, keep_atom::value, take(index), std::move(result));
}

void simulated_node::fail(error_code code, progress how_far, std::size_t index) {
  node_command what = take(index);
  caf::error reason = failure_of(what, code, how_far);
  caf::anon_send(executor, keep_atom::value, std::move(what), std::move(reason));
}

simulated_nodes::simulated_nodes(settings wanted)
  : scheduler(dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler())) {
  auto recorder = system.spawn([this](journal_actor::pointer) -> journal_actor::behavior_type {
    return {[this](const execution_record& record) { journal.push_back(record); }};
  });
  subject = system.spawn(router, std::move(wanted), std::move(recorder));
  settle();
}

simulated_nodes::~simulated_nodes() {
  shut_down();
  for (auto& node : all)
    kill(*node);
  for (const caf::actor& caller : callers)
    caf::anon_send_exit(caller, caf::exit_reason::kill);
  settle();
  scheduler.clock().cancel_all();
  settle();
}

settings simulated_nodes::default_settings() {
  settings result;
  result.user = "admin";
  return result;
}

simulated_node& simulated_nodes::join(const std::string& name) {
  auto& node = *all.emplace_back(std::make_unique<simulated_node>());
  node.name = name;
  node.executor = system.spawn(node_actor, &node);
  caf::anon_send(subject, join_atom_v, name, executor_actor{node.executor});
  settle();
  return node;
}

std::shared_ptr<bool> simulated_nodes::leave(const std::string& name) {
  auto left = std::make_shared<bool>(false);
  system.spawn([this, name, left](caf::event_based_actor* self) {
    self->request(subject, caf::infinite, leave_atom_v, name)
      .then([left] { *left = true; }, [](const caf::error&) {});
  });
  settle();
  return left;
}

void simulated_nodes::kill(simulated_node& node) {
  if (!std::exchange(node.alive, false))
    return;
  caf::anon_send_exit(node.executor, caf::exit_reason::kill);
  settle();
  node.executor = nullptr;
  node.open.clear();
}

std::shared_ptr<pending_answer> simulated_nodes::request(command what, machine target) {
  auto answer = std::make_shared<pending_answer>();
  answer->caller = system.spawn([this, answer, what,
                                 target](caf::event_based_actor* self) -> caf::behavior {
    self->request(subject, caf::infinite, execute_atom_v, target, what)
      .then(
        [answer](command_result& result) {
          answer->result = std::move(result);
          ++answer->count;
        },
        [answer](caf::error& error) {
          answer->error = std::move(error);
          ++answer->count;
        });
    return {
      [this, self](cancel_atom, const machine& of, const std::string& id) {
        self->send(subject, cancel_atom_v, of, id);
      },
      [this, self](input_atom, const machine& of, const std::string& id, const std::string& data) {
        self->request(subject, caf::infinite, input_atom_v, of, id, data, false)
          .then([this] { input_answers.emplace_back(caf::unit); },
                [this](caf::error& reason) { input_answers.emplace_back(std::move(reason)); });
      },
    };
  });
  callers.push_back(answer->caller);
  settle();
  return answer;
}

void simulated_nodes::cancel(const pending_answer& answer, const std::string& id, machine target) {
  caf::anon_send(answer.caller, cancel_atom_v, std::move(target), id);
  settle();
}

std::optional<std::uint64_t> simulated_nodes::cancel_everywhere(const std::string& id) {
  const auto result = std::make_shared<std::optional<std::uint64_t>>();
  system.spawn([this, result, id](caf::event_based_actor* self) {
    self->request(subject, caf::infinite, cancel_atom_v, id).then([result](std::uint64_t count) {
      *result = count;
    });
  });
  settle();
  return *result;
}

void simulated_nodes::input(const pending_answer& answer, const std::string& id, machine target,
                            const std::string& data) {
  caf::anon_send(answer.caller, input_atom_v, std::move(target), id, data);
  settle();
}

void simulated_nodes::end_caller(const pending_answer& answer) {
  caf::anon_send_exit(answer.caller, caf::exit_reason::kill);
  settle();
}

void simulated_nodes::pass(caf::timespan time) {
  scheduler.advance_time(time);
  settle();
}

void simulated_nodes::shut_down() {
  if (!subject)
    return;
  caf::anon_send_exit(subject, caf::exit_reason::user_shutdown);
  settle();
  subject = nullptr;
}

simulated_node* simulated_nodes::holder(const std::string& command_id) {
  for (const auto& node : all) {
    for (const node_command& x : node->open) {
      if (node->alive && x.command.id == command_id)
        return node.get();
    }
  }
  return nullptr;
}

} // namespace sshexec::test
