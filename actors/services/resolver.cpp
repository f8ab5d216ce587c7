#include "sshexec/actors/services/resolver.hpp"

#include "sshexec/actors/runtime/service_error.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace sshexec {

namespace {

/// A name whose look-ups do not end leaves places for the others.
constexpr std::size_t most_for_one_name = 8;

ssh::error unreachable(const std::string& host, const std::string& why) {
  return {ssh::error_kind::unreachable, "cannot resolve the name " + host + ": " + why};
}

ssh::result<address_list> look_up_safely(const look_up_function& look_up, const std::string& host) {
  try {
    return look_up(host, 0);
  } catch (const std::exception& reason) {
    return tl::unexpected{unreachable(host, reason.what())};
  }
}

address_list with_port(const address_list& found, std::uint16_t port) {
  address_list result;
  std::transform(found.begin(), found.end(), std::back_inserter(result),
                 [port](const ssh::address& x) { return ssh::with_port(x, port); });
  return result;
}

} // namespace

caf::result<address_list> resolver_state::resolve(std::string& host, std::uint16_t port) {
  if (ssh::is_numeric(host))
    return to_answer(ssh::resolve(host, port));
  auto promise = self->make_response_promise<address_list>();
  const auto now = self->clock().now();
  wanted_name& name = open[host];
  // Who asks late shall not depend on a look-up that others are about to give up.
  const bool is_stuck = name.begun_at && now - *name.begun_at >= settings.patience / 2
                        && running_for[host] < most_for_one_name;
  if (name.questions.empty() || is_stuck) {
    name.begun_at.reset();
    waiting.push_back(host);
  }
  name.questions.push_back({port, now, reply<address_list>{promise}});
  start_next(now);
  return promise;
}

void resolver_state::start_next(time_point now) {
  while (!waiting.empty() && running < settings.max_look_ups) {
    const std::string host = waiting.front();
    if (is_wanted(host, now) && !start_look_up(host)) {
      // Each look-up that ends tries again.
      if (running > 0)
        return;
      answer(host, to_caf_error(unreachable(host, "there is no thread for it at the moment")));
    }
    waiting.pop_front();
  }
}

bool resolver_state::is_wanted(const std::string& host, time_point now) {
  const auto found = open.find(host);
  // An earlier look-up of it has ended meanwhile.
  if (found == open.end() || found->second.begun_at)
    return false;
  auto& questions = found->second.questions;
  const auto first_patient = std::find_if(questions.begin(), questions.end(), [&](const auto& x) {
    return now - x.asked_at < settings.patience;
  });
  for (auto x = questions.begin(); x != first_patient; ++x)
    x->answer.fail(to_caf_error(
      {ssh::error_kind::timed_out, "the name " + host + " could not be looked up in time"}));
  questions.erase(questions.begin(), first_patient);
  if (!questions.empty())
    return true;
  open.erase(found);
  return false;
}

bool resolver_state::start_look_up(const std::string& host) {
  const bool started = settings.start(
    self->system(), [resolver = look_up_resolver_actor{self}, look_up = settings.look_up, host] {
      auto outcome = look_up_safely(look_up, host);
      if (outcome)
        caf::anon_send(resolver, done_atom::value, host, std::move(*outcome));
      else
        caf::anon_send(resolver, done_atom::value, host, to_caf_error(outcome.error()));
    });
  if (started) {
    ++running;
    ++running_for[host];
    open.at(host).begun_at = self->clock().now();
  }
  return started;
}

void resolver_state::finish(const std::string& host, caf::expected<address_list> outcome) {
  --running;
  if (const auto found = running_for.find(host); --found->second == 0)
    running_for.erase(found);
  answer(host, outcome);
  start_next(self->clock().now());
}

void resolver_state::answer(const std::string& host, const caf::expected<address_list>& outcome) {
  auto answered = open.extract(host);
  if (answered.empty())
    return;
  for (question& x : answered.mapped().questions) {
    if (outcome)
      x.answer.deliver(with_port(*outcome, x.port));
    else
      x.answer.fail(outcome.error());
  }
}

look_up_resolver_actor::behavior_type
resolver(look_up_resolver_actor::stateful_pointer<resolver_state> self,
         resolver_settings settings) {
  auto& state = self->state;
  state.settings = std::move(settings);
  return {
    [&state](resolve_atom, std::string& host, std::uint16_t port) {
      return state.resolve(host, port);
    },
    [&state](done_atom, const std::string& host, address_list& found) {
      state.finish(host, std::move(found));
    },
    [&state](done_atom, const std::string& host, caf::error& reason) {
      state.finish(host, std::move(reason));
    },
  };
}

} // namespace sshexec
