#include "actor_fixture.hpp"
#include "sshexec/actors/pool/command_ledger.hpp"

#include <boost/test/unit_test.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <string>
#include <utility>
#include <vector>

using namespace sshexec;

namespace {

using stage = execution::stage;
using ids = command_ledger::ids;

struct ledger_of_two_callers : test::actor_fixture {
  static execution make(const caf::actor& caller, std::string name, bool tracked = false) {
    command what;
    what.id = std::move(name);
    what.tracked = tracked;
    return {std::move(what), caller.address(), reply<command_result>{}, time_point{}};
  }

  caf::actor some_actor() {
    return system.spawn([] { return caf::behavior{[](int) {}}; });
  }

  caf::actor first = some_actor();
  caf::actor second = some_actor();
  command_ledger ledger;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(ledger_of_commands, ledger_of_two_callers)

BOOST_AUTO_TEST_CASE(a_new_command_waits_and_the_oldest_is_first) {
  ledger.add(2, make(first, "b"));
  ledger.add(1, make(first, "a"));
  BOOST_TEST(ledger.in(stage::waiting).size() == 2U);
  BOOST_TEST(*ledger.in(stage::waiting).begin() == 1U);
  BOOST_TEST(ledger.find(3) == nullptr);
}

BOOST_AUTO_TEST_CASE(a_command_is_at_one_stage_at_a_time) {
  ledger.add(1, make(first, "a"));
  for (const stage next : {stage::opening, stage::running, stage::ending, stage::delivering,
                           stage::delayed, stage::waiting}) {
    ledger.move(1, next);
    std::size_t found = 0;
    for (const stage x : {stage::waiting, stage::delayed, stage::opening, stage::running,
                          stage::ending, stage::delivering})
      found += ledger.in(x).size();
    BOOST_TEST(found == 1U);
    BOOST_TEST(ledger.in(next).size() == 1U);
    BOOST_TEST((ledger.at(1).where() == next));
  }
}

BOOST_AUTO_TEST_CASE(commands_have_a_channel_from_its_opening_to_their_end) {
  ledger.add(1, make(first, "a", /*tracked=*/true));
  const std::vector<std::pair<stage, std::size_t>> table{
    {stage::waiting, 0}, {stage::delayed, 0}, {stage::opening, 1},
    {stage::running, 1}, {stage::ending, 1},  {stage::delivering, 0}};
  for (const auto& [at, expected] : table) {
    ledger.move(1, at);
    BOOST_TEST(ledger.on_channels() == expected);
    BOOST_TEST(ledger.tracks() == (expected == 1));
  }
  ledger.move(1, stage::running);
  ledger.remove(1);
  BOOST_TEST(!ledger.tracks());
  BOOST_TEST(ledger.empty());
}

BOOST_AUTO_TEST_CASE(a_caller_is_meant_with_all_its_commands_or_those_of_a_name) {
  ledger.add(1, make(first, "a"));
  ledger.add(2, make(second, "a"));
  ledger.add(3, make(first, "b"));
  ledger.add(4, make(first, "a"));
  // Made ids, of commands that their caller left unnamed.
  ledger.add(5, make(first, "#9-2"));
  ledger.add(6, make(first, "#9-10"));
  BOOST_TEST((ledger.of_caller(first.address(), "a") == ids{1, 4}));
  BOOST_TEST((ledger.of_caller(second.address(), "a") == ids{2}));
  BOOST_TEST((ledger.of_caller(second.address(), "b").empty()));
  BOOST_TEST((ledger.of_caller(first.address(), "") == ids{5, 6}));
  BOOST_TEST((ledger.of_caller(first.address(), "#9-10") == ids{6}));
  BOOST_TEST((ledger.of_caller(first.address()) == ids{1, 3, 4, 5, 6}));
  BOOST_TEST((ledger.with_id("a") == ids{1, 2, 4}));
  ledger.remove(4);
  BOOST_TEST((ledger.of_caller(first.address(), "a") == ids{1}));
}

BOOST_AUTO_TEST_CASE(a_consumer_that_ended_is_forgotten_by_its_commands_alone) {
  const auto consumer = [this] {
    return system.spawn([](output_consumer::pointer) -> output_consumer::behavior_type {
      return {[](const output_chunk&) {}};
    });
  };
  const output_consumer gone = consumer();
  const output_consumer stays = consumer();
  for (const auto& [id, who] : {std::pair{1, gone}, {2, stays}, {3, gone}}) {
    execution x = make(first, "a");
    x.command.output_to = who;
    ledger.add(static_cast<ssh::exec_id>(id), std::move(x));
  }
  ledger.consumer_ended(gone.address());
  BOOST_TEST(!ledger.at(1).command.output_to);
  BOOST_TEST(!ledger.at(3).command.output_to);
  BOOST_TEST((ledger.at(2).command.output_to == stays));
  ledger.remove(1);
  ledger.remove(2);
}

BOOST_AUTO_TEST_SUITE_END()
