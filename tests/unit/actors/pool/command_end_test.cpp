#include "sshexec/actors/pool/command_end.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace sshexec;
using namespace std::chrono_literals;

namespace {

using step = command_end::step;

const time_point start{};
const setback too_long{error_code::command_timeout, connection_fault::none, "too long"};

struct ended_command {
  command_end end{too_long, {.grace = 2s, .patience = 10s}, start};
};

ssh::exec_outcome signalled() {
  ssh::exec_outcome result;
  result.exit_signal = "TERM";
  return result;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(the_end_of_a_command, ended_command)

BOOST_AUTO_TEST_CASE(kill_follows_after_the_grace_and_giving_up_after_another) {
  BOOST_TEST((end.deadline() == start + 2s));
  BOOST_TEST((end.look(start + 2s - 1ns) == step::wait));
  BOOST_TEST((end.look(start + 2s) == step::kill));
  BOOST_TEST((end.deadline() == start + 4s));
  BOOST_TEST((end.look(start + 4s) == step::give_up));
}

BOOST_AUTO_TEST_CASE(a_hunt_gets_the_time_that_it_needs) {
  end.hunt_begins();
  BOOST_TEST((end.look(start + 2s) == step::kill));
  BOOST_TEST((end.deadline() == start + 14s));
}

BOOST_AUTO_TEST_CASE(an_end_that_the_server_confirms_concludes_it) {
  BOOST_TEST((end.channel_ended(signalled()) == step::conclude));
  const auto conclusion = end.conclude(*end.outcome());
  BOOST_TEST((conclusion.termination == termination::killed));
  BOOST_TEST((conclusion.reason.code == error_code::command_timeout));
  BOOST_TEST(conclusion.reason.text == "too long; the remote process was killed");
}

BOOST_AUTO_TEST_CASE(a_channel_that_ends_without_a_status_confirms_nothing) {
  BOOST_TEST((end.channel_ended({}) == step::conclude));
  BOOST_TEST((end.conclude(*end.outcome()).termination == termination::unknown));
}

BOOST_AUTO_TEST_CASE(a_hunt_is_waited_for_though_the_channel_ended) {
  end.hunt_begins();
  BOOST_TEST((end.channel_ended(signalled()) == step::wait));
  BOOST_TEST((end.hunt_ended(ssh::kill_report{}) == step::conclude));
  BOOST_TEST((end.conclude(*end.outcome()).termination == termination::killed));
}

BOOST_AUTO_TEST_CASE(survivors_are_told_at_once) {
  end.hunt_begins();
  BOOST_TEST((end.hunt_ended(ssh::kill_report{{12, 13}}) == step::give_up));
  const auto conclusion = end.conclude({});
  BOOST_TEST((conclusion.termination == termination::survivors));
  BOOST_TEST(conclusion.reason.text.find("12") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_hunt_without_a_report_leaves_the_end_to_the_channel) {
  end.hunt_begins();
  BOOST_TEST((end.hunt_ended(std::nullopt) == step::wait));
  BOOST_TEST((end.channel_ended(signalled()) == step::conclude));
  BOOST_TEST((end.conclude(*end.outcome()).termination == termination::killed));
}

BOOST_AUTO_TEST_CASE(a_hunt_that_found_all_gone_waits_for_the_channel) {
  end.hunt_begins();
  BOOST_TEST((end.hunt_ended(ssh::kill_report{}) == step::wait));
}

BOOST_AUTO_TEST_CASE(a_command_that_had_exited_before_its_output_ended_says_so) {
  ssh::exec_outcome exited;
  exited.exit_status = 0;
  const auto conclusion = end.conclude(exited);
  BOOST_TEST((conclusion.termination == termination::unknown));
  BOOST_TEST(conclusion.had_exited);
}

BOOST_AUTO_TEST_SUITE_END()
