#include "in_terminal.hpp"
#include "meeting_place.hpp"
#include "preconditions.hpp"
#include "tool.hpp"

#include <boost/test/unit_test.hpp>
#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <thread>
#include <utility>

using namespace sshexec;
using namespace sshexec::test;

BOOST_FIXTURE_TEST_SUITE(the_running_tool, tool)

BOOST_AUTO_TEST_CASE(prints_output_and_passes_input_on_as_they_come) {
  auto running = start("-t 1h", "echo ready; while read x; do echo got $x; done; echo end");
  BOOST_TEST(running.read_line() == "ready");
  running.write_line("one");
  BOOST_TEST(running.read_line() == "got one");
  running.write_line("two");
  BOOST_TEST(running.read_line() == "got two");
  running.end_input();
  BOOST_TEST(running.read_line() == "end");
  BOOST_TEST(running.wait() == 0);
}

BOOST_AUTO_TEST_CASE(slows_the_command_down_when_its_reader_is_slow) {
  const meeting_place place;
  // Told behind each megabyte that was taken from the command.
  const std::string told = place.file("told");
  auto running = start("-t 1h", "i=0; while [ $i -lt 64 ]; do head -c 1000000 /dev/zero; "
                                "i=$((i+1)); echo $i > "
                                  + told + "; done");
  const auto megabytes = [&told] {
    int result = 0;
    std::ifstream{told} >> result;
    return result;
  };
  // What all buffers between the command and this reader may hold.
  constexpr int bound = 24;
  // Time for a command that nothing slows down to go too far.
  std::this_thread::sleep_for(std::chrono::seconds{2});
  for (int taken = 0; taken < 64; ++taken) {
    BOOST_TEST(megabytes() <= taken + bound);
    BOOST_TEST(running.read(1'000'000).size() == 1'000'000U);
  }
  BOOST_TEST(running.wait() == 0);
}

BOOST_AUTO_TEST_CASE(kills_the_command_at_a_signal_and_says_so) {
  for (const auto& [signal, name] :
       {std::pair{SIGINT, "SIGINT"}, {SIGTERM, "SIGTERM"}, {SIGHUP, "SIGHUP"}}) {
    auto running = start("-t 1h", "echo $$; exec sleep 1000");
    const auto command = static_cast<pid_t>(std::stol(running.read_line()));
    running.signal(signal);
    BOOST_TEST(running.wait() == 128 + signal);
    BOOST_TEST(!testing::is_running(command));
    const std::string errors = running.read_errors();
    BOOST_TEST(is_one_line(errors));
    BOOST_TEST(errors.find(name) != std::string::npos, errors);
    BOOST_TEST(errors.find("its shell ended") != std::string::npos, errors);
  }
}

BOOST_AUTO_TEST_CASE(says_when_the_end_of_an_interrupted_command_is_not_confirmed) {
  std::ofstream{file("config")} << "[sshexec]\nkill-grace = 100ms\n";
  auto running = start("-t 1h --config " + file("config"), "echo ready; exec sleep 1000");
  BOOST_TEST(running.read_line() == "ready");
  server.suspend();
  running.signal(SIGINT);
  BOOST_TEST(running.wait() == 130);
  BOOST_TEST(running.read_errors().find("unknown") != std::string::npos);
  server.resume();
}

BOOST_AUTO_TEST_CASE(kills_a_command_that_ignores_the_first_attempt) {
  std::ofstream{file("config")} << "[sshexec]\nkill-grace = 1s\n";
  auto running = start("-t 1h --config " + file("config"),
                       "trap \"\" TERM; echo $$; while :; do sleep 0.1; done");
  const auto command = static_cast<pid_t>(std::stol(running.read_line()));
  running.signal(SIGTERM);
  BOOST_TEST(running.wait() == 143);
  BOOST_TEST(!testing::is_running(command));
  const std::string errors = running.read_errors();
  BOOST_TEST(errors.find("its shell ended") != std::string::npos, errors);
}

BOOST_AUTO_TEST_CASE(is_not_moved_by_a_signal_that_means_nothing_to_it) {
  auto running = start("-t 1h", "echo $$; exec sleep 1000");
  const auto command = static_cast<pid_t>(std::stol(running.read_line()));
  running.signal(SIGUSR1);
  running.signal(SIGUSR2);
  running.signal(SIGTERM);
  BOOST_TEST(running.wait() == 143);
  BOOST_TEST(!testing::is_running(command));
}

BOOST_AUTO_TEST_CASE(ends_at_once_at_a_second_signal) {
  std::ofstream{file("config")} << "[sshexec]\nkill-grace = 1h\n";
  auto running = start("-t 1h --config " + file("config"), "echo ready; exec sleep 1000");
  BOOST_TEST(running.read_line() == "ready");
  server.suspend();
  // Two that follow closely may be one.
  while (!running.has_ended())
    running.signal(SIGINT);
  BOOST_TEST(running.wait() == 130);
  BOOST_TEST(running.read_errors().empty());
  server.resume();
}

BOOST_AUTO_TEST_CASE(ends_the_processes_of_a_tracked_command_that_left_its_group) {
  auto running = start("-t 1h --tracked", "setsid sleep 1000 & echo $!; wait");
  const auto stray = static_cast<pid_t>(std::stol(running.read_line()));
  running.signal(SIGTERM);
  BOOST_TEST(running.wait() == 143);
  BOOST_TEST(!testing::is_running(stray));
}

BOOST_AUTO_TEST_CASE(does_not_begin_output_anew_that_was_printed_when_the_connection_is_lost) {
  auto running = start("-t 1h", "echo part; exec sleep 1000");
  BOOST_TEST(running.read_line() == "part");
  server.kill_sessions();
  BOOST_TEST(running.wait() == 255);
  BOOST_TEST(running.read_line().empty());
  BOOST_TEST(is_one_line(running.read_errors()));
}

BOOST_AUTO_TEST_CASE(begins_output_anew_when_told_to_repeat_the_command_always) {
  auto running = start("-t 1h --retry always", "echo part; read x; echo $x");
  BOOST_TEST(running.read_line() == "part");
  server.kill_sessions();
  BOOST_TEST(running.read_line() == "part");
  running.write_line("done");
  BOOST_TEST(running.read_line() == "done");
  BOOST_TEST(running.wait() == 0);
  BOOST_TEST(is_one_line(running.read_errors()));
}

BOOST_AUTO_TEST_CASE(joins_its_terminal_to_that_of_the_command,
                     *boost::unit_test::precondition(needs_terminals)) {
  const std::string line = command_line("-t 1h --pty", "trap \"echo caught; exit 3\" INT; "
                                                       "stty size; read x; echo \"<$x>\"; "
                                                       "while :; do sleep 1; done");
  in_terminal terminal{"stty -a > " + file("before") + "; " + line + "; echo code $?; stty -a > "
                       + file("after")};
  BOOST_TEST(terminal.shows("30 90"));
  terminal.type("typed\r");
  BOOST_TEST(terminal.shows("<typed>"));
  terminal.type("\x03");
  BOOST_TEST(terminal.shows("caught"));
  BOOST_TEST(terminal.shows("code 3"));
  BOOST_TEST(terminal.wait() == 0);
  BOOST_TEST(content(file("after")) == content(file("before")));
}

BOOST_AUTO_TEST_CASE(can_be_interrupted_in_a_terminal_before_the_command_runs,
                     *boost::unit_test::precondition(needs_terminals)) {
  server.suspend();
  // The shell gets the signal as well.
  in_terminal terminal{"trap : INT; " + command_line("-t 1h --connect-timeout 1h --pty", "echo ran")
                       + "; echo code $?"};
  while (!terminal.is_raw())
    std::this_thread::yield();
  terminal.type("\x03");
  BOOST_TEST(terminal.shows("code 130"));
  server.resume();
}

BOOST_AUTO_TEST_CASE(is_not_stopped_by_its_terminal_when_in_the_background,
                     *boost::unit_test::precondition(needs_terminals)) {
  in_terminal terminal{"set -m; " + command_line("-t 1h", "cat; echo end") + " & wait; echo done"};
  terminal.type("typed\n");
  BOOST_TEST(terminal.shows("end"));
  BOOST_TEST(terminal.shows("done"));
}

BOOST_AUTO_TEST_SUITE_END()
