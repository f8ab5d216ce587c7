#include "sshexec/testing/played_executor.hpp"
#include "sshexec/testing/virtual_time.hpp"

#include <boost/test/unit_test.hpp>
#include <caf/event_based_actor.hpp>

#include <memory>
#include <string>

using namespace sshexec;
using namespace sshexec::testing;

namespace {

struct hub_config : caf::actor_system_config {
  hub_config() { register_messages(*this); }
};

struct fixture : virtual_time<hub_config> {
  /// Asks the executor, and keeps its answer.
  std::shared_ptr<played_answer> request(const std::string& line, const std::string& id = {}) {
    auto result = std::make_shared<played_answer>();
    command what;
    what.line = line;
    what.id = id;
    caller = system.spawn([=, this](caf::event_based_actor* self) {
      self->request(executor.actor(), caf::infinite, execute_atom_v, machine{}, what)
        .then([result](command_result& x) { *result = std::move(x); },
              [result](caf::error& x) { *result = caf::expected<command_result>{std::move(x)}; });
    });
    settle();
    return result;
  }

  played_executor executor{system, [](const played_request& asked) -> played_answer {
                             if (asked.command.line == "later")
                               return std::nullopt;
                             if (asked.command.line == "fail")
                               return fails_with(error_code::host_key_error, "another key");
                             return ends_with(3, "output");
                           }};
  caf::actor caller;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(harness_played_executor, fixture)

BOOST_AUTO_TEST_CASE(it_answers_by_its_script_and_records_what_it_was_asked) {
  const auto ended = request("true");
  const auto failed = request("fail");
  BOOST_REQUIRE((*ended && **ended));
  BOOST_TEST((**ended)->exit_code == 3);
  BOOST_TEST((**ended)->output.stdout_data == "output");
  BOOST_REQUIRE((*failed && !**failed));
  BOOST_TEST((to_failure((*failed)->error()).code == error_code::host_key_error));
  BOOST_TEST(to_failure((*failed)->error()).message == "another key");
  BOOST_REQUIRE(executor.requests().size() == 2U);
  BOOST_TEST(executor.requests()[1].command.line == "fail");
}

BOOST_AUTO_TEST_CASE(it_answers_later_when_the_test_says_so) {
  const auto first = request("later");
  const auto second = request("later");
  executor.answer(1, ends_with(0));
  settle();
  BOOST_TEST(!*first);
  BOOST_REQUIRE((*second && **second));
  executor.answer(0, fails_with(error_code::connection_error));
  settle();
  BOOST_REQUIRE((*first && !**first));
}

BOOST_AUTO_TEST_CASE(a_cancelled_command_and_the_end_are_answered) {
  const auto cancelled = request("later", "one");
  const auto other = request("later", "two");
  caf::anon_send(executor.actor(), cancel_atom_v, machine{}, std::string{"one"});
  settle();
  BOOST_REQUIRE((*cancelled && !**cancelled));
  BOOST_TEST((to_failure((*cancelled)->error()).code == error_code::cancelled));
  BOOST_TEST(!*other);
  executor.end();
  settle();
  BOOST_REQUIRE((*other && !**other));
  BOOST_TEST((to_failure((*other)->error()).code == error_code::shutting_down));
}

BOOST_AUTO_TEST_SUITE_END()
