#include "meeting_place.hpp"
#include "tool_fleet.hpp"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <vector>

using namespace sshexec;
using namespace sshexec::test;
using json = nlohmann::json;

namespace {

/// Machines end in any order.
std::vector<std::string> sorted_lines_of(const std::string& text) {
  auto result = lines_of(text);
  std::sort(result.begin(), result.end());
  return result;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(the_tool_and_many_machines, tool_fleet)

BOOST_AUTO_TEST_CASE(each_line_stands_behind_its_machines_name) {
  const auto result = run_many("web-1 web-[2-3]", "echo out; echo err >&2; printf end");
  BOOST_TEST(result.exit_code == 0);
  const std::vector<std::string> expected{"web-1: end", "web-1: out", "web-2: end",
                                          "web-2: out", "web-3: end", "web-3: out"};
  BOOST_TEST(sorted_lines_of(result.out) == expected, boost::test_tools::per_element());
  for (const char* line : {"web-1: err\n", "web-2: err\n", "web-3: err\n"})
    BOOST_TEST(holds(result.err, line), result.err);
  BOOST_TEST(holds(lines_of(result.err).back(), "3 of 3 machines succeeded"), result.err);
}

BOOST_AUTO_TEST_CASE(one_machine_with_an_option_for_many_is_a_rollout_and_without_one_is_not) {
  BOOST_TEST(run_many("--quiet web-1", "echo out").out == "web-1: out\n");
  BOOST_TEST(run_many("--quiet --no-prefix web-1", "echo out").out == "out\n");
  const auto plain = run("", "echo out; echo err >&2");
  BOOST_TEST(plain.out == "out\n");
  BOOST_TEST(plain.err == "err\n");
}

BOOST_AUTO_TEST_CASE(the_exit_code_tells_the_worst_that_happened) {
  struct row {
    const char* options;
    const char* line;
    int code;
  };

  for (const auto& [options, line, code] : std::vector<row>{
         {"@web", "true", 0},
         {"@web --expand", "exit %n", 1},
         {"@web --expand -S", "exit %n", 3},
         {"@web --expand --largest", "exit 2%n", 23},
         {"@web @down", "exit 1", 3},
         {"@web --at-once 1 --max-failures 0", "exit 1", 3},
         {"@web -t 1s", "exec sleep 1000", 124},
         {"@web --at-once 1 --deadline 1s -t 1h", "exec sleep 1000", 124},
         // What the options say prevails over the inventory, but contradicts no target.
         {"-p 1 @web", "true", 3},
         {"-p 1 web-1:2,web-2", "true", 255},
         {"@nobody", "true", 255},
         {"web-1!web-1", "true", 255},
         {"@web --expand", "echo %x", 255},
         {"@web --pty", "true", 255},
         {"@web --steps 0", "true", 255},
       }) {
    const auto result = run_many(options, line);
    BOOST_TEST(result.exit_code == code, options << ": " << result.err);
  }
}

BOOST_AUTO_TEST_CASE(who_did_not_succeed_is_told_with_the_reason) {
  const auto result = run_many("@web,@down --expand --steps 2", "test %n = 1");
  const auto lines = lines_of(result.err);
  BOOST_REQUIRE_MESSAGE(lines.size() == 4U, result.err);
  BOOST_TEST(lines[0].starts_with("down-1: sshexec: "));
  BOOST_TEST(lines[1].starts_with("sshexec: 1 of 4 machines succeeded in "));
  BOOST_TEST(lines[2] == "sshexec: exit code 1: web-[2-3] (2)");
  BOOST_TEST(lines[3] == "sshexec: connection_error (refused): down-1 (1)");
}

BOOST_AUTO_TEST_CASE(a_line_of_json_for_each_machine_says_who_is_to_be_run_again) {
  const auto first = run_many("--json @web,@down --expand", "echo %n; test %n != 2");
  BOOST_TEST(first.exit_code == 3);
  const auto lines = lines_of(first.out);
  BOOST_REQUIRE_MESSAGE(lines.size() == 5U, first.out);
  for (std::size_t i = 0; i < 4; ++i) {
    const auto line = json::parse(lines[i]);
    const auto place = line["index"].get<int>();
    const bool is_down = line["machine"] == "down-1";
    BOOST_TEST(line["outcome"] == (is_down ? "failed" : "ended"));
    if (!is_down)
      BOOST_TEST(line["stdout"] == std::to_string(place + 1) + '\n');
  }
  BOOST_TEST(json::parse(lines.back())["summary"]["succeeded"] == 2);

  std::ofstream{file("results")} << first.out;
  const auto again = run_many("--rerun " + file("results") + " --json", "true");
  std::ofstream{file("results"), std::ios::app} << again.out;
  std::vector<std::string> names;
  for (const auto& text : lines_of(again.out))
    names.push_back(json::parse(text).value("machine", ""));
  std::sort(names.begin(), names.end());
  const std::vector<std::string> expected{"", "down-1", "web-2"};
  BOOST_TEST(names == expected, boost::test_tools::per_element());
  const auto left = run_many("--dry-run --rerun " + file("results"), "true");
  BOOST_TEST(left.out == "# step 1 of 1: 1 machine\ndown-1\n");
}

BOOST_AUTO_TEST_CASE(nobody_is_run_again_when_all_succeeded) {
  std::ofstream{file("results")} << run_many("--json @web", "true").out;
  const auto again = run_many("--rerun " + file("results"), "echo ran");
  BOOST_TEST(again.exit_code == 0);
  BOOST_TEST(again.out == "");
  BOOST_TEST(is_one_line(again.err), again.err);
}

BOOST_AUTO_TEST_CASE(what_is_no_number_of_machines_is_told_in_plain_words) {
  for (const std::string option : {"--at-once", "--pick"})
    for (const std::string number : {"0", "-3", "x", "1.5", "99999999999"}) {
      const auto result = run_many("@web " + option + '=' + number, "true");
      BOOST_TEST(result.exit_code == 255);
      BOOST_TEST(result.err
                 == "sshexec: " + option + ": '" + number
                      + "' is no number of machines from 1 to 4294967295 (see sshexec --help)\n");
    }
}

BOOST_AUTO_TEST_CASE(equal_outputs_are_gathered) {
  const auto result = run_many("-b @web --expand", "test %n = 2 && echo odd || echo same");
  BOOST_TEST(result.out
             == "---------------\nweb-[1,3] (2)\n---------------\nsame\n"
                "---------------\nweb-2\n---------------\nodd\n");
}

BOOST_AUTO_TEST_CASE(other_outputs_are_compared_with_the_most_frequent_one) {
  const auto result = run_many("-b --diff @web --expand", "echo a; test %n = 2 || echo b");
  BOOST_TEST(result.out
             == "---------------\nweb-[1,3] (2)\n---------------\na\nb\n"
                "---------------\nweb-2\n---------------\n"
                "--- web-[1,3]\n+++ web-2\n@@ -1,2 +1 @@\n a\n-b\n");
  BOOST_TEST(run_many("--diff @web", "true").exit_code == 255);
}

BOOST_AUTO_TEST_CASE(gathered_outputs_are_cut_where_one_wants_less_of_them) {
  const auto result = run_many("-b @web --max-output 4", "echo abcdefgh");
  BOOST_TEST(result.out == "---------------\nweb-[1-3] (3), output cut\n---------------\nabh\n");
}

BOOST_AUTO_TEST_CASE(output_goes_to_files_when_told) {
  const auto result
    = run_many("@web --quiet --expand --output-dir " + file("d"), "echo out %n; echo err %n >&2");
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(result.out + result.err == "");
  for (const std::string n : {"1", "2", "3"}) {
    BOOST_TEST(content(file("d/web-" + n + ".stdout")) == "out " + n + '\n');
    BOOST_TEST(content(file("d/web-" + n + ".stderr")) == "err " + n + '\n');
  }
}

BOOST_AUTO_TEST_CASE(all_of_stdin_goes_to_each_when_told_and_to_nobody_by_default) {
  const auto arguments = [this](const std::string& options) {
    return "echo input | $tool" + arguments_of_many(options + " --quiet web-1 web-2", "cat");
  };
  BOOST_TEST(shell(arguments("")).out == "");
  const std::vector<std::string> expected{"web-1: input", "web-2: input"};
  BOOST_TEST(sorted_lines_of(shell(arguments("--stdin")).out) == expected,
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(more_input_than_can_be_kept_is_refused) {
  const auto result
    = shell("head -c 16777217 /dev/zero | $tool" + arguments_of_many("--stdin web-1 web-2", "cat"));
  BOOST_TEST(result.exit_code == 255);
  BOOST_TEST(is_one_line(result.err), result.err);
}

BOOST_AUTO_TEST_CASE(machines_are_listed_in_their_steps_without_a_connection) {
  std::ofstream{file("config")} << "[sshexec.groups]\nshop = \"@web,db-[1-2]\"\n";
  const auto result = run_many(
    "--config " + file("config") + " --dry-run --steps 1,50% @shop -x web-3 -X down", "true");
  BOOST_TEST(result.out
             == "# step 1 of 3: 1 machine\nweb-1\n# step 2 of 3: 2 machines\nweb-2\n"
                "db-1\n# step 3 of 3: 1 machine\ndb-2\n");
  BOOST_TEST(server.connections() == 0U);
}

BOOST_AUTO_TEST_CASE(the_same_seed_gives_the_same_order_and_the_same_choice) {
  const auto list = [this](const std::string& options) {
    return run_many("--dry-run web-[1-100] " + options, "true").out;
  };
  BOOST_TEST(list("--shuffle=7") == list("--shuffle=7"));
  BOOST_TEST(list("--shuffle=7") != list("--shuffle=8"));
  const auto some = lines_of(list("--pick 10 --shuffle=7"));
  BOOST_TEST(some.size() == 11U);
  BOOST_TEST(list("--pick 10 --shuffle=7") == list("--pick 10 --shuffle=7"));
}

BOOST_AUTO_TEST_CASE(ctrl_c_starts_no_other_machine_and_a_second_signal_ends_what_runs) {
  auto running = start_many("--at-once 2 -t 1h @web", "echo $$; exec sleep 1000");
  std::vector<pid_t> commands;
  for (int i = 0; i < 2; ++i) {
    const std::string line = running.read_line();
    commands.push_back(static_cast<pid_t>(std::stol(line.substr(line.find(' ')))));
  }
  running.signal(SIGINT);
  BOOST_TEST(running.read_error_line()
             == "sshexec: 2 still run, 1 will never start; Ctrl-C again ends those that run");
  BOOST_TEST(!running.has_ended());
  // Another Ctrl-C that follows closely would be taken for an echo.
  running.signal(SIGTERM);
  BOOST_TEST(running.wait() == 130);
  for (const pid_t command : commands)
    BOOST_TEST(!testing::is_running(command));
  const std::string errors = running.read_errors();
  BOOST_TEST(holds(errors, "0 of 3 machines succeeded"), errors);
  BOOST_TEST(holds(errors, "cancelled: web-[1-2] (2)"), errors);
  BOOST_TEST(holds(errors, "never started (cancelled): web-3 (1)"), errors);
}

BOOST_AUTO_TEST_CASE(what_runs_goes_on_to_its_end_after_one_ctrl_c) {
  const meeting_place place;
  auto running
    = start_many("--at-once 1 -t 1h @web",
                 "echo ready; while test ! -e " + place.file("go") + "; do sleep 0.1; done");
  BOOST_TEST(running.read_line() == "web-1: ready");
  running.signal(SIGINT);
  BOOST_TEST(holds(running.read_error_line(), "1 still run, 2 will never start"));
  std::ofstream{place.file("go")} << '\n';
  BOOST_TEST(running.wait() == 130);
  BOOST_TEST(holds(running.read_errors(), "1 of 3 machines succeeded"));
}

BOOST_AUTO_TEST_CASE(other_signals_end_at_once_what_runs) {
  for (const int signal : {SIGTERM, SIGHUP}) {
    auto running = start_many("--at-once 1 -t 1h @web", "echo $$; exec sleep 1000");
    const std::string line = running.read_line();
    running.signal(signal);
    BOOST_TEST(running.wait() == 128 + signal);
    BOOST_TEST(!testing::is_running(static_cast<pid_t>(std::stol(line.substr(line.find(' '))))));
    BOOST_TEST(holds(running.read_errors(), "never started (cancelled): web-[2-3] (2)"));
  }
}

BOOST_AUTO_TEST_CASE(those_who_still_run_are_named_when_somebody_asks) {
  auto running = start_many("--at-once 2 -t 1h @web", "echo ready; exec sleep 1000");
  for (int i = 0; i < 2; ++i)
    running.read_line();
  running.signal(SIGUSR1);
  BOOST_TEST(running.read_error_line() == "sshexec: 2 still run: web-[1-2]");
  running.signal(SIGTERM);
  BOOST_TEST(running.wait() == 143);
}

BOOST_AUTO_TEST_CASE(slow_machines_are_named_when_told) {
  const meeting_place place;
  auto running
    = start_many("-v -t 1h --expand @web", "test %n = 3 || exit 0; while test ! -e "
                                             + place.file("go") + "; do sleep 0.1; done");
  BOOST_TEST(running.read_error_line().starts_with("sshexec: slow: web-3 (1), for 5.0 s "));
  std::ofstream{place.file("go")} << '\n';
  BOOST_TEST(running.wait() == 0);
  BOOST_TEST(running.read_errors().starts_with("sshexec: 3 of 3 machines succeeded"));
}

BOOST_AUTO_TEST_CASE(everything_ends_when_nobody_reads_the_output) {
  const auto result = shell("{ $tool" + arguments_of_many("-t 1h @web", "yes") + "; echo $? > "
                            + file("code") + "; } | head -1");
  BOOST_TEST(content(file("code")) == "141\n");
  BOOST_TEST(holds(result.out, ": y\n"));
}

BOOST_AUTO_TEST_SUITE_END()
