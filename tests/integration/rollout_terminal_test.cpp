#include "in_terminal.hpp"
#include "meeting_place.hpp"
#include "preconditions.hpp"
#include "tool_fleet.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

using namespace sshexec;
using namespace sshexec::test;

namespace {

/// The lines that stand on a terminal in the end, without their colours: of its language, those
/// words are understood that the tool uses.
std::vector<std::string> screen_of(const std::string& shown) {
  std::vector<std::string> lines(1);
  std::size_t column = 0;
  for (std::size_t i = 0; i < shown.size(); ++i) {
    std::string& line = lines.back();
    if (shown.compare(i, 3, "\x1b[K") == 0) {
      line.resize(column);
      i += 2;
    } else if (shown[i] == '\x1b') {
      i = shown.find('m', i);
    } else if (shown[i] == '\r') {
      column = 0;
    } else if (shown[i] == '\n') {
      lines.emplace_back();
    } else {
      line.resize(std::max(line.size(), column + 1));
      line[column++] = shown[i];
    }
  }
  return lines;
}

bool is_progress(const std::string& line) {
  return holds(line, " running, ");
}

/// The progress is drawn ten times a second at the most, so two signals are more than an echo's
/// time apart.
void wait_longer_than_for_an_echo(in_terminal& terminal) {
  for (int drawings = 0; drawings < 5; ++drawings)
    BOOST_REQUIRE(terminal.shows_behind(terminal.shown().size(), "\r\x1b[K0 done"));
}

struct terminal_fleet : tool_fleet {
  [[nodiscard]] std::string line(const std::string& options, const std::string& command,
                                 const std::string& environment = "NO_COLOR=") const {
    return "TERM=xterm " + environment + " exec " SSHEXEC_TOOL
           + arguments_of_many(options, command);
  }
};

constexpr const char* interrupt = "\x03";

} // namespace

BOOST_FIXTURE_TEST_SUITE(a_rollout_on_a_terminal, terminal_fleet,
                         *boost::unit_test::precondition(needs_terminals))

BOOST_AUTO_TEST_CASE(tells_its_progress_in_a_line_that_makes_way_for_output_and_goes) {
  const meeting_place place;
  in_terminal terminal{
    line("--at-once 2 -t 1h @web",
         "echo begun; while test ! -e " + place.file("go") + "; do sleep 0.1; done; echo done")};
  BOOST_TEST(terminal.shows("0 done, 0 failed, 2 running, 1 waiting"));
  std::ofstream{place.file("go")} << '\n';
  terminal.read_all();
  BOOST_TEST(terminal.wait() == 0);
  auto lines = screen_of(terminal.shown());
  std::sort(lines.begin(), lines.end());
  BOOST_REQUIRE(lines.size() == 8U);
  BOOST_TEST(lines[0].empty());
  BOOST_TEST(lines[1].starts_with("sshexec: 3 of 3 machines succeeded in "));
  const std::vector<std::string> expected{"web-1: begun", "web-1: done",  "web-2: begun",
                                          "web-2: done",  "web-3: begun", "web-3: done"};
  BOOST_TEST(std::vector<std::string>(lines.begin() + 2, lines.end()) == expected,
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(shows_no_progress_where_nobody_wants_it) {
  struct row {
    const char* options;
    const char* environment;
  };

  for (const auto& [options, environment] :
       {row{"--quiet --color never", "NO_COLOR="}, row{"", "TERM=dumb"}}) {
    in_terminal terminal{line(std::string{options} + " @web", "echo out", environment)};
    terminal.read_all();
    BOOST_TEST(terminal.wait() == 0);
    BOOST_TEST(!holds(terminal.shown(), "\x1b"), terminal.shown());
  }
}

BOOST_AUTO_TEST_CASE(has_names_in_colour_unless_somebody_refuses) {
  struct row {
    const char* options;
    const char* environment;
    bool is_coloured;
  };

  for (const auto& [options, environment, is_coloured] : std::vector<row>{
         {"", "NO_COLOR=", true},
         {"", "NO_COLOR=1", false},
         {"--color always", "NO_COLOR=1", true},
         {"--color never", "NO_COLOR=", false},
       }) {
    in_terminal terminal{line(std::string{options} + " web-1 web-2", "echo out", environment)};
    terminal.read_all();
    BOOST_TEST(terminal.wait() == 0);
    BOOST_TEST(holds(terminal.shown(), "\x1b[32mweb-1\x1b[0m: out") == is_coloured);
    BOOST_TEST(holds(terminal.shown(), "web-1: out") == !is_coloured);
  }
}

BOOST_AUTO_TEST_CASE(starts_no_more_at_a_ctrl_c_and_ends_what_runs_at_the_second) {
  in_terminal terminal{line("--at-once 2 -t 1h @web", "echo begun; exec sleep 1000")};
  BOOST_TEST(terminal.shows("2 running, 1 waiting"));
  terminal.type(interrupt);
  BOOST_TEST(
    terminal.shows("sshexec: 2 still run, 1 will never start; Ctrl-C again ends those that run"));
  wait_longer_than_for_an_echo(terminal);
  terminal.type(interrupt);
  terminal.read_all();
  BOOST_TEST(terminal.wait() == 130);
  const auto lines = screen_of(terminal.shown());
  BOOST_TEST(std::count_if(lines.begin(), lines.end(), is_progress) == 0);
  BOOST_TEST(holds(terminal.shown(), "cancelled: web-[1-2] (2)"));
  BOOST_TEST(holds(terminal.shown(), "never started (cancelled): web-3 (1)"));
}

BOOST_AUTO_TEST_CASE(ends_at_the_third_ctrl_c_and_leaves_no_progress_behind) {
  in_terminal terminal{line("--at-once 2 -t 1h @web", "echo begun; exec sleep 1000")};
  BOOST_TEST(terminal.shows("begun"));
  BOOST_TEST(terminal.shows("2 running, 1 waiting"));
  // Nobody ends what runs.
  server.suspend();
  for (int i = 0; i < 2; ++i) {
    terminal.type(interrupt);
    wait_longer_than_for_an_echo(terminal);
  }
  terminal.type(interrupt);
  terminal.read_all();
  BOOST_TEST(terminal.wait() == 130);
  server.resume();
  const auto lines = screen_of(terminal.shown());
  BOOST_TEST(std::count_if(lines.begin(), lines.end(), is_progress) == 0);
  BOOST_TEST(lines.back() == "");
}

BOOST_AUTO_TEST_SUITE_END()
