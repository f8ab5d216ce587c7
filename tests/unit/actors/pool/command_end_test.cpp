#include "sshexec/actors/pool/command_end.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <ostream>
#include <string>
#include <vector>

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
  result.signalled = ssh::signal_reach::process_group;
  return result;
}

enum class ending : std::uint8_t { none, told, told_with_all_output };
enum class hunt : std::uint8_t { none, failed, killed, killed_without_marks, survivors };

/// What was seen of a command's end, and what is known by it.
struct knowledge {
  hunt how_hunted;
  ending how_ended;
  ssh::signal_reach reach;
  termination told;
  bool had_exited;
  /// Some of the words.
  const char* text;

  friend std::ostream& operator<<(std::ostream& out, const knowledge& x) {
    return out << static_cast<int>(x.how_hunted) << ' ' << static_cast<int>(x.how_ended) << ' '
               << static_cast<int>(x.reach) << ' ' << x.text;
  }
};

using reach = ssh::signal_reach;

const std::vector<knowledge> table{
  {hunt::none, ending::none, reach::nobody, termination::unknown, false,
   "whether the remote process ended is unknown"},
  {hunt::none, ending::none, reach::process_group, termination::unknown, false,
   "whether the remote process ended is unknown"},
  {hunt::none, ending::told, reach::nobody, termination::unknown, true,
   "it had exited, but its output had not ended"},
  {hunt::none, ending::told, reach::shell, termination::unknown, false, "signals nothing else"},
  {hunt::none, ending::told, reach::process_group, termination::unknown, false,
   "its shell ended, but its output did not"},
  {hunt::none, ending::told_with_all_output, reach::nobody, termination::none, true,
   "it had exited by then"},
  {hunt::none, ending::told_with_all_output, reach::shell, termination::unknown, false,
   "signals nothing else"},
  {hunt::none, ending::told_with_all_output, reach::process_group, termination::signalled, false,
   "what left its process group may live on"},
  {hunt::failed, ending::told_with_all_output, reach::process_group, termination::signalled, false,
   "what left its process group may live on"},
  {hunt::failed, ending::told_with_all_output, reach::shell, termination::unknown, false,
   "signals nothing else"},
  {hunt::killed, ending::none, reach::process_group, termination::killed, false,
   "all of its processes are gone"},
  {hunt::killed, ending::told_with_all_output, reach::shell, termination::killed, false,
   "all of its processes are gone"},
  {hunt::killed, ending::told, reach::nobody, termination::killed, true,
   "all of its processes are gone"},
  {hunt::killed_without_marks, ending::none, reach::process_group, termination::unknown, false,
   "whether the remote process ended is unknown"},
  {hunt::killed_without_marks, ending::told_with_all_output, reach::process_group,
   termination::signalled, false, "what left its process group may live on"},
  {hunt::survivors, ending::told_with_all_output, reach::process_group, termination::survivors,
   false, "processes of it live on: [12, 13]"},
  {hunt::survivors, ending::none, reach::nobody, termination::survivors, false,
   "processes of it live on: [12, 13]"},
};

std::optional<ssh::kill_report> report_of(hunt x) {
  switch (x) {
    case hunt::killed:
      return ssh::kill_report{};
    case hunt::killed_without_marks:
      return ssh::kill_report{{}, false};
    case hunt::survivors:
      return ssh::kill_report{{12, 13}};
    default:
      return std::nullopt;
  }
}

command_end::conclusion conclude(command_end& end, const knowledge& x) {
  if (x.how_hunted != hunt::none) {
    end.hunt_begins();
    end.hunt_ended(report_of(x.how_hunted));
  }
  ssh::exec_outcome brought;
  brought.signalled = x.reach;
  if (x.how_ended != ending::none)
    brought.exit_status = 0;
  if (x.how_ended == ending::told_with_all_output)
    end.channel_ended(brought);
  return end.conclude(brought);
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

BOOST_DATA_TEST_CASE_F(ended_command, no_more_is_said_of_an_end_than_was_seen,
                       boost::unit_test::data::make(table), seen) {
  const auto conclusion = conclude(end, seen);
  BOOST_TEST((conclusion.reason.code == error_code::command_timeout));
  BOOST_TEST((conclusion.termination == seen.told));
  BOOST_TEST(conclusion.had_exited == seen.had_exited);
  const std::string& text = conclusion.reason.text;
  BOOST_TEST(text.starts_with("too long; "), text);
  BOOST_TEST(text.find(seen.text) != std::string::npos, text);
}

BOOST_AUTO_TEST_CASE(to_have_it_tracked_is_advised_where_that_would_tell_more) {
  const auto advises = [](command_end end, const knowledge& seen) {
    return conclude(end, seen).reason.text.ends_with("; --tracked finds and kills what is left");
  };
  command_end tracked{too_long, {.grace = 2s, .patience = 10s, .is_tracked = true}, start};
  for (const knowledge& seen : table) {
    const bool is_settled
      = seen.told != termination::signalled && seen.told != termination::unknown;
    BOOST_TEST(advises(end, seen) == !is_settled, seen);
    BOOST_TEST(!advises(tracked, seen), seen);
  }
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
  BOOST_TEST((end.conclude(*end.outcome()).termination == termination::signalled));
}

BOOST_AUTO_TEST_CASE(a_hunt_that_found_all_gone_waits_for_the_channel) {
  end.hunt_begins();
  BOOST_TEST((end.hunt_ended(ssh::kill_report{}) == step::wait));
}

BOOST_AUTO_TEST_SUITE_END()
