#include "sshexec/ssh/tracked_command.hpp"
#include "sshexec/testing/temporary_directory.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace sshexec::ssh;

namespace {

const std::string token = "t0ken7f3a";

struct shell_result {
  std::string output;
  int status = 0;
};

std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text)
    result += c == '\'' ? std::string{"'\\''"} : std::string{c};
  return result + "'";
}

shell_result run(const std::string& command) {
  shell_result result;
  std::FILE* pipe = ::popen(command.c_str(), "r");
  std::array<char, 4096> buffer{};
  while (const std::size_t read = std::fread(buffer.data(), 1, buffer.size(), pipe))
    result.output.append(buffer.data(), read);
  result.status = ::pclose(pipe);
  return result;
}

/// Runs a wrapped line by a login shell; stderr goes with stdout.
shell_result run_wrapped(const std::string& line, const std::string& shell) {
  return run("SHELL=" + shell + ' ' + shell + " -c " + quoted(wrap_tracked(line, token)) + " 2>&1");
}

/// What is left of the output, and the process group.
std::pair<std::string, std::optional<std::uint32_t>> filtered(const std::string& output,
                                                              std::size_t chunk = 4096) {
  tracking_filter filter{token};
  std::string own;
  for (std::size_t i = 0; i < output.size(); i += chunk)
    own += filter.add(std::string_view{output}.substr(i, chunk));
  own += filter.finish();
  return {own, filter.process_group()};
}

/// What a hunt prints that finds these programs and no others.
std::optional<kill_report> hunt_with(const std::vector<std::string>& programs) {
  const sshexec::testing::temporary_directory place;
  const std::string directory = place.path();
  for (const std::string& name : programs)
    run("ln -s \"$(command -v " + name + ")\" " + directory + "/");
  // Beyond all processes that there can be (proc(5), pid_max).
  constexpr std::uint32_t nobody = 99'999'999;
  const exec_request request = kill_request(nobody, token, std::chrono::milliseconds{0});
  std::ofstream{directory + "/script"} << *request.stdin_data;
  return parse_kill_report(
    run("PATH=" + directory + "; " + request.command + " <" + directory + "/script 2>/dev/null")
      .output);
}

bool exists(const std::string& file) {
  return std::ifstream{file}.good();
}

} // namespace

BOOST_AUTO_TEST_SUITE(tracked_command)

BOOST_AUTO_TEST_CASE(a_wrapped_line_does_what_it_does_unwrapped_in_every_shell_there_is) {
  const std::string lines[] = {
    R"(printf '%s|' "it's" '!x' 'a\\b' "\"" '\!' $((1 + 2)); exit 7)",
    "printf '%s|' one \\\n two\nprintf '%s' '\n\n x\n'\n",
    "printf '%s' '  '",
    "printf '%s' \"a\nb\" 'back\\\nslash' '*' '~' '`date`' '$HOME'",
    "echo text >&2; echo \"$SSHEXEC_COMMAND\"",
    "",
  };
  const std::string expected[] = {
    "it's|!x|a\\\\b|\"|\\!|3|",       "one|two|\n\n x\n",      "  ",
    "a\nbback\\\nslash*~`date`$HOME", "text\n" + token + "\n", "",
  };
  for (const std::string shell : {"/bin/sh", "/bin/dash", "/bin/bash", "/bin/zsh", "/bin/ksh"}) {
    if (!exists(shell))
      continue;
    for (std::size_t i = 0; i < std::size(lines); ++i) {
      const auto result = run_wrapped(lines[i], shell);
      const auto [own, group] = filtered(result.output);
      BOOST_TEST_CONTEXT(shell << ": " << lines[i]) {
        BOOST_TEST(own == expected[i]);
        BOOST_TEST(group.has_value());
        BOOST_TEST(WEXITSTATUS(result.status) == (i == 0 ? 7 : 0));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_wrapped_line_means_the_same_to_login_shells_of_other_tongues) {
  for (const std::string shell : {"/bin/csh", "/bin/tcsh", "/usr/bin/fish"}) {
    if (!exists(shell))
      continue;
    // Of these shells' own languages it takes only what they have in common.
    for (const std::string line : {"echo it\\'s 'a!' 'b c' \"d\"", "echo 'a'\necho 'b'"}) {
      const auto result = run_wrapped(line, shell);
      const auto [own, group] = filtered(result.output);
      BOOST_TEST_CONTEXT(shell << ": " << line) {
        BOOST_TEST((own == "it's a! b c d\n" || own == "a\nb\n"));
        BOOST_TEST(group.has_value());
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(no_shell_stays_around_and_a_death_by_signal_is_seen) {
  const auto result = run_wrapped("echo $$; kill -9 $$", "/bin/sh");
  const auto [own, group] = filtered(result.output);
  BOOST_TEST_REQUIRE(group.has_value());
  BOOST_TEST(own.starts_with(std::to_string(*group)));
  // By the outer shell that popen(3) runs, or by its exec.
  BOOST_TEST((WTERMSIG(result.status) == 9 || WEXITSTATUS(result.status) == 128 + 9));
}

BOOST_AUTO_TEST_CASE(the_process_group_is_found_wherever_it_stands_and_however_it_is_cut) {
  const std::string told = "warning: t0ke\n" + token + " 4711\nown\n" + token + " 12\n";
  for (std::size_t chunk = 1; chunk <= told.size(); ++chunk) {
    const auto [own, group] = filtered(told, chunk);
    BOOST_TEST_REQUIRE(group.has_value());
    BOOST_TEST(*group == 4711U);
    BOOST_TEST(own == "warning: t0ke\nown\n" + token + " 12\n");
  }
  BOOST_TEST(*filtered(token + " 4711\r\nown").second == 4711U);
  BOOST_TEST(filtered(token + " 4711\r\nown").first == "own");
}

BOOST_AUTO_TEST_CASE(output_without_a_process_group_passes_unchanged) {
  for (const std::string& output :
       {std::string{}, std::string{"plain\n"}, token, token + ' ', token + " 47", token + " x\n",
        token + " 1\n", token + " 0\n", token + " 99999999999999999\n", token + token + "\n",
        "+ exec /bin/sh " + token + " 'x'\n", token.substr(0, 5)}) {
    for (std::size_t chunk = 1; chunk <= output.size(); ++chunk) {
      const auto [own, group] = filtered(output, chunk);
      BOOST_TEST(own == output);
      BOOST_TEST(!group);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_token_that_is_only_shown_does_not_hide_the_one_that_is_told) {
  const auto [own, group] = filtered("+ sh " + token + " x\n" + token + token + " 77\nown");
  BOOST_TEST_REQUIRE(group.has_value());
  BOOST_TEST(*group == 77U);
  BOOST_TEST(own == "+ sh " + token + " x\n" + token + "own");
}

BOOST_AUTO_TEST_CASE(nothing_is_held_that_cannot_become_a_token) {
  tracking_filter filter{token};
  BOOST_TEST(filter.add("prompt t0") == "prompt ");
  BOOST_TEST(filter.add("x") == "t0x");
  BOOST_TEST(filter.add("plain") == "plain");
}

BOOST_AUTO_TEST_CASE(a_hunt_says_what_it_could_look_for) {
  const auto complete = hunt_with({"awk", "grep", "sleep"});
  BOOST_TEST_REQUIRE(complete.has_value());
  BOOST_TEST(complete->survivors.empty());
  BOOST_TEST(complete->looked_for_marks);
}

BOOST_AUTO_TEST_CASE(a_hunt_that_sees_no_processes_calls_nobody_dead) {
  BOOST_TEST(!hunt_with({}).has_value());
  BOOST_TEST(!hunt_with({"grep", "sleep"}).has_value());
  BOOST_TEST(!hunt_with({"awk", "sleep"}).has_value());
}

BOOST_AUTO_TEST_CASE(the_report_of_a_kill_is_its_last_line) {
  BOOST_TEST(parse_kill_report("killed\n")->survivors.empty());
  BOOST_TEST(parse_kill_report("killed\n")->looked_for_marks);
  BOOST_TEST(parse_kill_report("welcome\nkilled\n")->survivors.empty());
  BOOST_TEST(parse_kill_report("killed without marks\n")->survivors.empty());
  BOOST_TEST(!parse_kill_report("killed without marks\n")->looked_for_marks);
  const auto report = parse_kill_report("survivors 12 345\n");
  BOOST_TEST_REQUIRE(report.has_value());
  BOOST_TEST((report->survivors == std::vector<std::uint32_t>{12, 345}));
  for (const char* other : {"", "killed", "killed\nwelcome\n", "survivors\n", "survivors x\n",
                            "survivors 12", "survivors 12 \n", "survivorsx\n"})
    BOOST_TEST(!parse_kill_report(other).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
