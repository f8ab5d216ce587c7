#include "actor_fixture.hpp"
#include "sshexec/actors/runtime/reply.hpp"

#include <boost/test/unit_test.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <string>

namespace {

using namespace sshexec;

using ask_atom = caf::atom_constant<caf::atom("ask")>;
using answer_atom = caf::atom_constant<caf::atom("answer")>;
using drop_atom = caf::atom_constant<caf::atom("drop")>;

using oracle_actor = caf::typed_actor<caf::replies_to<ask_atom>::with<std::string>,
                                      caf::replies_to<answer_atom, std::string>::with<bool>,
                                      caf::reacts_to<drop_atom>>;

/// Answers the last question when it is told to.
struct oracle_state {
  reply<std::string> answer;
};

oracle_actor::behavior_type oracle(oracle_actor::stateful_pointer<oracle_state> self) {
  return {
    [self](ask_atom) -> caf::result<std::string> {
      auto promise = self->make_response_promise<std::string>();
      self->state.answer = reply<std::string>{promise};
      return promise;
    },
    [self](answer_atom, const std::string& text) {
      reply<std::string> taken{std::move(self->state.answer)};
      taken.deliver(text);
      return taken.pending() || self->state.answer.pending();
    },
    [self](drop_atom) { self->state.answer = {}; },
  };
}

struct fixture : test::actor_fixture {
  oracle_actor subject = start(system.spawn(oracle));
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(reply_test, fixture)

BOOST_AUTO_TEST_CASE(a_delivered_value_is_the_only_answer) {
  auto question = request(subject, ask_atom::value);
  const auto still_pending = ask<bool>(subject, answer_atom::value, "42");
  BOOST_REQUIRE(still_pending);
  BOOST_TEST(!*still_pending);
  const auto answer = receive<std::string>(std::move(question));
  BOOST_REQUIRE(answer);
  BOOST_TEST(*answer == "42");
}

BOOST_AUTO_TEST_CASE(a_dropped_reply_answers_that_the_executor_ended) {
  auto question = request(subject, ask_atom::value);
  self->send(subject, drop_atom::value);
  const auto answer = receive<std::string>(std::move(question));
  BOOST_TEST(is(answer.error(), error_code::shutting_down));
  BOOST_TEST(to_failure(answer.error()).message != "");
}

BOOST_AUTO_TEST_CASE(a_reply_that_is_replaced_is_answered) {
  auto first = request(subject, ask_atom::value);
  auto second = request(subject, ask_atom::value);
  BOOST_TEST(is(receive<std::string>(std::move(first)).error(), error_code::shutting_down));
  BOOST_REQUIRE((ask<bool>(subject, answer_atom::value, "late")));
  const auto answer = receive<std::string>(std::move(second));
  BOOST_REQUIRE(answer);
  BOOST_TEST(*answer == "late");
}

BOOST_AUTO_TEST_CASE(a_reply_kept_by_an_actor_that_ends_is_answered) {
  auto question = request(subject, ask_atom::value);
  end(subject);
  BOOST_TEST(is(receive<std::string>(std::move(question)).error(), error_code::shutting_down));
}

BOOST_AUTO_TEST_CASE(a_reply_kept_by_an_actor_that_is_killed_is_answered) {
  auto question = request(subject, ask_atom::value);
  self->send_exit(subject, caf::exit_reason::kill);
  BOOST_TEST(is(receive<std::string>(std::move(question)).error(), error_code::shutting_down));
}

BOOST_AUTO_TEST_SUITE_END()
