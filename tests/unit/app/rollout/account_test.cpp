#include "outcomes.hpp"
#include "sshexec/app/report.hpp"
#include "sshexec/app/rollout/progress_line.hpp"
#include "sshexec/app/rollout/result_lines.hpp"
#include "sshexec/app/rollout/rollout_account.hpp"
#include "sshexec/app/rollout/stop_steps.hpp"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <csignal>
#include <fstream>
#include <sstream>

using namespace sshexec;
using namespace sshexec::app;
using namespace sshexec::test;
using namespace std::chrono_literals;

namespace {

rollout_account account_of(const std::vector<machine_outcome>& outcomes) {
  rollout_account result;
  for (const auto& x : outcomes)
    result.add(x);
  return result;
}

const auto good = ended("a", 0);
const auto bad = ended("b", 7);
const auto worse = ended("c", 9);
const auto killed = ended_by_signal("d", "KILL");
const auto refused = failed("e", error_code::connection_error, connection_fault::refused);
const auto late = failed("f", error_code::command_timeout);
const auto cancelled = failed("g", error_code::cancelled);
const auto skipped = never_started("h", skip_reason::too_many_failures);
const auto called_off = never_started("i", skip_reason::cancelled);
const auto too_late = never_started("j", skip_reason::deadline);

earlier_results results_in(const std::string& text) {
  std::istringstream lines{text};
  auto result = read_results(lines);
  BOOST_REQUIRE_MESSAGE(result, text);
  return *result;
}

} // namespace

BOOST_AUTO_TEST_SUITE(the_account_of_a_rollout)

BOOST_AUTO_TEST_CASE(the_exit_code_tells_the_worst_that_happened) {
  struct row {
    std::vector<machine_outcome> outcomes;
    int code;
    int largest;
  };

  for (const auto& [outcomes, code, largest] : std::vector<row>{
         {{good, good}, 0, 0},
         {{good, bad}, 1, 7},
         {{worse, bad, good}, 1, 9},
         {{bad, killed}, 1, 137},
         {{ended("x", 300)}, 1, 255},
         {{good, refused}, 3, 3},
         {{bad, refused}, 3, 3},
         {{refused, late}, 3, 3},
         {{good, bad, skipped}, 3, 3},
         {{called_off}, 3, 3},
         {{good, late}, 124, 124},
         {{late, too_late}, 124, 124},
         {{late, bad}, 3, 3},
       }) {
    const auto account = account_of(outcomes);
    BOOST_TEST(account.exit_code({}) == code);
    BOOST_TEST(account.exit_code({0, true}) == largest);
  }
}

BOOST_AUTO_TEST_CASE(a_signal_is_told_when_it_kept_a_machine_from_its_end) {
  BOOST_TEST(account_of({good, called_off}).exit_code({SIGINT}) == 130);
  BOOST_TEST(account_of({bad, cancelled}).exit_code({SIGTERM, true}) == 143);
  BOOST_TEST(account_of({refused, cancelled}).exit_code({SIGHUP}) == 129);
  BOOST_TEST(account_of({good}).exit_code({SIGTERM, false, true}) == 143);
  // It came too late to change anything.
  BOOST_TEST(account_of({good}).exit_code({SIGINT}) == 0);
  BOOST_TEST(account_of({good, bad}).exit_code({SIGINT}) == 1);
}

BOOST_AUTO_TEST_CASE(the_last_words_name_who_did_not_succeed_and_why) {
  const auto account = account_of({good, worse, bad, killed, ended("b2", 7), refused, late,
                                   never_started("x", skip_reason::too_many_failures),
                                   never_started("y", skip_reason::too_many_failures)});
  const std::vector<std::string> expected{
    "1 of 9 machines succeeded in 3.4 s",
    "exit code 7: <b b2> (2)",
    "exit code 9: <c> (1)",
    "signal KILL: <d> (1)",
    "connection_error (refused): <e> (1)",
    "command_timeout: <f> (1)",
    "never started (too many failures): <x y> (2)",
  };
  const auto lines = account.lines(3'400ms, in_angles);
  BOOST_TEST(lines == expected, boost::test_tools::per_element());
  BOOST_TEST(account_of({good}).lines(100ms, in_angles).front()
             == "1 of 1 machine succeeded in 0.1 s");
  BOOST_TEST(account_of({good, good}).all_succeeded());
  BOOST_TEST(!account.all_succeeded());
}

BOOST_AUTO_TEST_CASE(a_line_of_json_is_the_single_runs_object_and_says_of_which_machine) {
  auto x = ended("web-1", 2, "out");
  x.index = 4;
  const auto line = nlohmann::json::parse(to_json_line(x));
  BOOST_TEST(line["machine"] == "web-1");
  BOOST_TEST(line["index"] == 4);
  BOOST_TEST(line["outcome"] == "ended");
  auto single = nlohmann::json::parse(to_json(outcome{x.result}));
  for (const auto& [name, value] : single.items())
    BOOST_TEST(line[name] == value, name);
  const auto error = nlohmann::json::parse(to_json_line(refused));
  BOOST_TEST(error["outcome"] == "failed");
  BOOST_TEST(error["error"]["code"] == "connection_error");
  BOOST_TEST(error["error"]["message"] == "it failed");
  const auto none = nlohmann::json::parse(to_json_line(skipped));
  BOOST_TEST(none["outcome"] == "never_started");
  BOOST_TEST(none["reason"] == "too_many_failures");
  BOOST_TEST(none.size() == 4U);
}

BOOST_AUTO_TEST_CASE(the_last_line_of_json_is_the_summary) {
  rollout_summary summary;
  summary.all = 9;
  summary.succeeded = 3;
  summary.exit_codes = {{-1, 1}, {0, 3}, {7, 2}};
  summary.errors = {{error_code::connection_error, 1}};
  summary.never_started = {{skip_reason::too_many_failures, 2}};
  summary.duration = 1500ms;
  BOOST_TEST(to_json_line(summary)
             == R"({"summary":{"schema":1,"all":9,"succeeded":3,)"
                R"("exit_codes":{"-1":1,"0":3,"7":2},"errors":{"connection_error":1},)"
                R"("never_started":{"too_many_failures":2},"duration_ms":1500.0}})");
}

BOOST_AUTO_TEST_CASE(those_who_did_not_succeed_are_run_again) {
  std::string lines;
  for (const auto& x : {good, bad, killed, refused, skipped})
    lines += to_json_line(x) + '\n';
  const auto cut = results_in(lines);
  const std::vector<std::string> expected{"b", "d", "e", "h"};
  BOOST_TEST(cut.unsuccessful == expected, boost::test_tools::per_element());
  BOOST_TEST(!cut.is_complete);
  BOOST_TEST(results_in(lines + to_json_line(rollout_summary{}) + '\n').is_complete);
}

BOOST_AUTO_TEST_CASE(the_last_line_of_a_machine_counts_when_results_are_put_together) {
  const auto results = results_in(to_json_line(refused) + '\n' + to_json_line(bad) + '\n'
                                  + to_json_line(ended("e", 0)) + '\n');
  const std::vector<std::string> expected{"b"};
  BOOST_TEST(results.unsuccessful == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_line_that_was_cut_is_left_out_and_any_other_text_is_an_error) {
  const std::string line = to_json_line(refused);
  BOOST_TEST(results_in(line + '\n' + line.substr(0, 20)).unsuccessful.size() == 1U);
  for (const char* text : {"web-1\n", "web-1", "{}\n", "[]\n", "{\"machine\":1}\n", "3"}) {
    std::istringstream lines{line + '\n' + text};
    const auto result = read_results(lines);
    BOOST_REQUIRE_MESSAGE(!result, text);
    BOOST_TEST(result.error().find("line 2 ") != std::string::npos, result.error());
  }
}

BOOST_AUTO_TEST_CASE(a_file_that_tells_of_no_run_is_not_one_of_success) {
  for (const std::string& text :
       {std::string{}, std::string{"\n"}, to_json_line(good).substr(0, 9)}) {
    std::istringstream lines{text};
    BOOST_TEST(!read_results(lines), text);
  }
  std::ifstream directory{"/", std::ios::binary};
  BOOST_TEST(!read_results(directory));
}

BOOST_AUTO_TEST_CASE(a_field_of_another_kind_is_no_success) {
  const auto results
    = results_in("{\"machine\":\"a\",\"outcome\":5,\"exit_code\":0}\n"
                 "{\"machine\":\"b\",\"outcome\":\"ended\",\"exit_code\":\"0\"}\n");
  const std::vector<std::string> expected{"a", "b"};
  BOOST_TEST(results.unsuccessful == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_progress_is_one_line) {
  rollout_progress now;
  now.all = 100;
  BOOST_TEST(progress_line(now, 0ms, 80) == "0 done, 0 failed, 0 running, 100 waiting");
  now.succeeded = 12;
  now.failed = 2;
  now.ended_otherwise = 6;
  now.never_started = 10;
  now.running = {20, 21, 22};
  BOOST_TEST(progress_line(now, 10s, 80)
             == "12 done, 8 failed, 3 running, 67 waiting; 2.0/s, 35 s left");
  BOOST_TEST(progress_line(now, 10min, 80)
             == "12 done, 8 failed, 3 running, 67 waiting; 0.0/s, 35 min left");
  now.paused = true;
  BOOST_TEST(progress_line(now, 10s, 80)
             == "12 done, 8 failed, 3 running, 67 waiting, paused; 2.0/s, 35 s left");
  BOOST_TEST(progress_line(now, 10s, 7) == "12 done");
}

BOOST_AUTO_TEST_CASE(ctrl_c_goes_one_step_at_a_time_and_other_signals_two_at_once) {
  using meaning = stop_steps::meaning;

  struct row {
    std::vector<std::pair<int, std::chrono::milliseconds>> signals;
    std::vector<meaning> meanings;
  };

  for (const auto& [signals, meanings] : std::vector<row>{
         {{{SIGINT, 0ms}, {SIGINT, 1s}, {SIGINT, 2s}},
          {meaning::start_no_more, meaning::cancel, meaning::end_at_once}},
         {{{SIGTERM, 0ms}, {SIGTERM, 1s}}, {meaning::cancel, meaning::end_at_once}},
         {{{SIGHUP, 0ms}, {SIGTERM, 1ms}}, {meaning::cancel, meaning::end_at_once}},
         {{{SIGINT, 0ms}, {SIGTERM, 1s}, {SIGINT, 2s}},
          {meaning::start_no_more, meaning::cancel, meaning::end_at_once}},
         {{{SIGINT, 0ms}, {SIGINT, 100ms}, {SIGINT, 1s}},
          {meaning::start_no_more, meaning::echo, meaning::cancel}},
         {{{SIGTERM, 0ms}, {SIGTERM, 249ms}}, {meaning::cancel, meaning::echo}},
       }) {
    stop_steps steps;
    const stop_steps::clock::time_point start{};
    for (std::size_t i = 0; i < signals.size(); ++i)
      BOOST_TEST((steps.of(signals[i].first, start + signals[i].second) == meanings[i]));
  }
}

BOOST_AUTO_TEST_SUITE_END()
