#include "meeting_place.hpp"
#include "preconditions.hpp"
#include "tool.hpp"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <fstream>

using namespace sshexec;
using namespace sshexec::test;
using json = nlohmann::json;

BOOST_FIXTURE_TEST_SUITE(the_tool, tool)

BOOST_AUTO_TEST_CASE(passes_on_output_and_exit_code) {
  const auto result = run("", "echo out; echo err >&2; exit 7");
  BOOST_TEST(result.exit_code == 7);
  BOOST_TEST(result.out == "out\n");
  BOOST_TEST(result.err == "err\n");
}

BOOST_AUTO_TEST_CASE(joins_the_words_of_the_command_like_ssh) {
  const auto result = shell("$tool run --host-key-policy off -i " + server.identity_file() + ' '
                            + target() + " -- echo a 'b  c'");
  BOOST_TEST(result.out == "a b c\n");
}

BOOST_AUTO_TEST_CASE(does_not_change_words_that_look_like_lists_or_options) {
  BOOST_TEST(run("", "[ -d / ] && [ -d / ]").exit_code == 0);
  const auto result = shell("$tool run --host-key-policy off -i " + server.identity_file() + ' '
                            + target() + " -- echo '[a,b]' -- --json");
  BOOST_TEST(result.out == "[a,b] -- --json\n");
}

BOOST_AUTO_TEST_CASE(says_which_variable_the_server_does_not_accept) {
  const auto result = run("--env SSHEXEC_TEST=1", "echo ran");
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(result.out == "ran\n");
  BOOST_TEST(is_one_line(result.err));
  BOOST_TEST(result.err.find("SSHEXEC_TEST") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(sets_variables_that_the_server_accepts) {
  const tool other{{.configuration = "AcceptEnv GREETING NAME\n"}};
  const auto result = other.run("--env GREETING=hello --env NAME=a=b", "echo \"$GREETING $NAME\"");
  BOOST_TEST(result.out == "hello a=b\n");
  BOOST_TEST(result.err.empty());
}

BOOST_AUTO_TEST_CASE(runs_a_command_in_a_terminal_when_told,
                     *boost::unit_test::precondition(needs_terminals)) {
  BOOST_TEST(run("", "test -t 1").exit_code == 1);
  const auto result = run("--pty", "test -t 0 && test -t 1 && test -t 2 && stty size");
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(result.out == "24 80\r\n");
}

BOOST_AUTO_TEST_CASE(ends_with_124_when_the_deadline_has_passed) {
  const auto result = run("-t 1h --deadline 1s", "sleep 1000");
  BOOST_TEST(result.exit_code == 124);
  BOOST_TEST(is_one_line(result.err));
  BOOST_TEST(result.err.find("deadline of 1s") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(exits_with_124_and_the_partial_output_when_time_is_up) {
  const auto result = run_too_long("");
  BOOST_TEST(result.exit_code == 124);
  BOOST_TEST(result.out == "part\n");
  BOOST_TEST(is_one_line(result.err));
  BOOST_TEST(result.err.find("ran longer than") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(exits_with_128_and_the_signal_that_ended_the_command) {
  const auto result = run("", "kill -9 $$");
  BOOST_TEST(result.exit_code == 137);
  BOOST_TEST(result.err.find("KILL") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(exits_with_255_and_one_line_for_errors_of_its_own) {
  const std::string other_key = file("other_key");
  testing::make_key(other_key);
  const std::string prefix = "$tool run --host-key-policy off ";
  for (const std::string& line :
       {prefix + "-i " + other_key + ' ' + target() + " -- true",
        prefix + "-i /no/such/key " + target() + " -- true",
        prefix + "-i " + other_key + " no-such-host.invalid -- true",
        prefix + "-i " + other_key + ' ' + target() + " -- ' '",
        prefix + target(),
        prefix + "host:99999 -- true",
        prefix + "-t soon " + target() + " -- true",
        prefix + "--config /no/such/file " + target() + " -- true",
        prefix + "--deadline soon " + target() + " -- true",
        prefix + "-t 30 " + target() + " -- true",
        prefix + "-p 1 " + target() + " -- true",
        prefix + "-l other me@" + target() + " -- true",
        prefix + "-n --stdin " + target() + " -- true",
        prefix + "-l '' " + target() + " -- true",
        prefix + "-p '' " + target() + " -- true",
        prefix + "--journal= " + target() + " -- true",
        "$tool run --hub '' " + target() + " -- true",
        "$tool run --hub localhost:1 --hub-plain --hub-ca x " + target() + " -- true",
        std::string{"$tool demo -- true"},
        "$tool authority " + file("tls") + " -- x",
        std::string{"$tool serve --plain --listen 127.0.0.1:0 -- --drain-timeout 1s"},
        std::string{"$tool run --nonsense host -- true"},
        std::string{"$tool"}}) {
    const auto result = shell(line);
    BOOST_TEST(result.exit_code == 255, line);
    BOOST_TEST(result.out.empty(), line);
    BOOST_TEST(is_one_line(result.err), line << " said: " << result.err);
    BOOST_TEST(result.err.starts_with("sshexec: "), line << " said: " << result.err);
  }
}

BOOST_AUTO_TEST_CASE(says_where_the_command_begins) {
  const auto without_dashes = shell("$tool run " + target() + " uname -a");
  BOOST_TEST(without_dashes.exit_code == 255);
  BOOST_TEST(without_dashes.err.find("-a: put -- before the command") != std::string::npos,
             without_dashes.err);
  BOOST_TEST(shell("$tool run " + target() + " uname").err.find("put -- before it")
             != std::string::npos);
}

BOOST_AUTO_TEST_CASE(prints_a_result_as_one_json_object) {
  const auto result = run("--json", "printf \"a\\0b\\377\"; echo err >&2; exit 3");
  BOOST_TEST(result.exit_code == 3);
  BOOST_TEST(is_one_line(result.out));
  const auto object = json::parse(result.out);
  BOOST_TEST(object["exit_code"] == 3);
  BOOST_TEST(object["stdout_base64"] == "YQBi/w==");
  BOOST_TEST(object["stderr"] == "err\n");
  BOOST_TEST(object["attempts"] == 1);
  BOOST_TEST(object["reused_connection"] == false);
  BOOST_TEST(object["duration_ms"].get<double>() > 0);
  for (const char* phase : {"queue_ms", "connect_ms", "run_ms"})
    BOOST_TEST(object["timings"][phase].get<double>() >= 0);
}

BOOST_AUTO_TEST_CASE(prints_an_error_as_one_json_object) {
  const auto result = run_too_long("--json");
  BOOST_TEST(result.exit_code == 124);
  const auto object = json::parse(result.out);
  BOOST_TEST(object["error"]["code"] == "command_timeout");
  BOOST_TEST(object["error"]["termination"] == "signalled");
  BOOST_TEST(object["stdout"] == "part\n");
}

BOOST_AUTO_TEST_CASE(takes_options_from_a_configuration_file_and_prefers_the_command_line) {
  std::ofstream{file("config")} << "[sshexec]\nidentity-file = \"" << server.identity_file()
                                << "\"\nuser = \"" << server.user()
                                << "\"\nhost-key-policy = \"off\"\ncommand-timeout = 300ms\n";
  const std::string start
    = "$tool run --config " + file("config") + " -p " + std::to_string(server.port()) + ' ';
  const auto timed_out = shell(start + server.host() + " -- sleep 100");
  BOOST_TEST(timed_out.exit_code == 124);
  const auto result = shell(start + "-t 20s " + server.host() + " -- 'sleep 0.5; echo done'");
  BOOST_TEST(result.out == "done\n");
}

BOOST_AUTO_TEST_CASE(goes_through_the_jumps_that_it_is_told) {
  const testing::openssh_server bastion;
  std::ofstream{file("config")} << "[sshexec]\nidentity-file = \"" << bastion.identity_file()
                                << "\"\n";
  const auto result = run("--config " + file("config") + " -J " + bastion.user() + '@'
                            + bastion.host() + ':' + std::to_string(bastion.port()),
                          "echo far");
  BOOST_TEST(result.out == "far\n", result.out + result.err);
  BOOST_TEST(bastion.authentications() == 1U);
  BOOST_TEST(run("-J 'host:x'", "true").exit_code == 255);
}

BOOST_AUTO_TEST_CASE(says_which_option_of_a_configuration_file_is_wrong) {
  std::ofstream{file("config")} << "[sshexec]\nhost-key-policy = \"lax\"\n";
  const auto result = shell("$tool run --config " + file("config") + " host -- true");
  BOOST_TEST(result.exit_code == 255);
  BOOST_TEST(result.err.find("sshexec.host-key-policy") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(passes_stdin_on_like_ssh_unless_told_otherwise) {
  const auto start = "echo typed | $tool run --host-key-policy off -i " + server.identity_file();
  BOOST_TEST(shell(start + ' ' + target() + " -- cat").out == "typed\n");
  BOOST_TEST(shell(start + " --stdin " + target() + " -- cat").out == "typed\n");
  BOOST_TEST(shell(start + " -n " + target() + " -- cat").out.empty());
  BOOST_TEST(shell(start + " --no-stdin " + target() + " -- cat").out.empty());
}

BOOST_AUTO_TEST_CASE(passes_every_byte_of_a_large_input_and_output_on) {
  const std::string size = "50000000";
  const std::string big = file("big");
  BOOST_TEST(shell("head -c " + size + " /dev/urandom > " + big).exit_code == 0);
  const std::string start
    = "$tool run -t 1h --host-key-policy off -i " + server.identity_file() + ' ' + target();
  const std::string sum = shell("sha256sum < " + big).out;
  BOOST_TEST(shell(start + " -- sha256sum < " + big).out == sum);
  BOOST_TEST(shell("cat " + big + " | " + start + " -- cat | sha256sum").out == sum);
}

BOOST_AUTO_TEST_CASE(takes_a_closed_stdin_for_an_empty_one) {
  const std::string start
    = "$tool run --host-key-policy off -i " + server.identity_file() + ' ' + target();
  const auto result = shell(start + " -- 'cat; echo end' <&-");
  BOOST_TEST(result.out == "end\n");
}

BOOST_AUTO_TEST_CASE(takes_a_stdin_that_is_open_for_writing_only_for_none) {
  const std::string start
    = "$tool run --host-key-policy off -i " + server.identity_file() + ' ' + target();
  // As nohup(1) leaves it.
  const auto result = shell(start + " -- 'cat; echo end' 0>/dev/null");
  BOOST_TEST(result.exit_code == 0, result.err);
  BOOST_TEST(result.out == "end\n");
}

BOOST_AUTO_TEST_CASE(passes_the_exit_code_on_when_its_stderr_is_closed) {
  const std::string start
    = "$tool run --host-key-policy off -i " + server.identity_file() + ' ' + target();
  const auto result = shell(start + " -- 'echo out; echo err >&2; exit 3' 2>&-");
  BOOST_TEST(result.exit_code == 3);
  BOOST_TEST(result.out == "out\n");
}

BOOST_AUTO_TEST_CASE(asks_the_agent_of_its_user_as_ssh_does) {
  const std::string home = file("home");
  const auto result = shell("mkdir " + home + "; export HOME=" + home
                            + "; eval $(ssh-agent) > /dev/null; ssh-add -q "
                            + server.identity_file() + "; $tool run --host-key-policy off "
                            + target() + " -- echo ran; code=$?; kill $SSH_AGENT_PID; exit $code");
  BOOST_TEST(result.exit_code == 0, result.err);
  BOOST_TEST(result.out == "ran\n");
}

BOOST_AUTO_TEST_CASE(runs_nothing_with_a_stdin_that_cannot_be_read) {
  const std::string start
    = "$tool run --host-key-policy off -i " + server.identity_file() + ' ' + target();
  const auto result = shell(start + " -- echo ran < /");
  BOOST_TEST(result.exit_code == 255);
  BOOST_TEST(result.out.empty());
  BOOST_TEST(is_one_line(result.err));
}

BOOST_AUTO_TEST_CASE(writes_the_journal_where_told) {
  const auto result = run("--journal " + file("journal"), "true");
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(is_one_line(content(file("journal"))));
}

BOOST_AUTO_TEST_CASE(says_when_its_output_cannot_be_written) {
  const auto result = shell("$tool run --host-key-policy off -i " + server.identity_file() + ' '
                            + target() + " -- echo text > /dev/full");
  BOOST_TEST(result.exit_code == 255);
  BOOST_TEST(is_one_line(result.err));
}

BOOST_AUTO_TEST_CASE(ends_the_command_quietly_when_nobody_reads_its_output_any_more) {
  const meeting_place place;
  const std::string tool_line = "$tool run -t 1h --host-key-policy off -i " + server.identity_file()
                                + ' ' + target() + " -- 'echo $$ > " + place.pipe() + "; exec yes'";
  const auto result = shell("{ " + tool_line + "; echo $? > " + file("code") + "; } | head -n 1");
  const auto command = static_cast<pid_t>(std::stol(place.read_line()));
  BOOST_TEST(result.out == "y\n");
  BOOST_TEST(result.err.empty());
  BOOST_TEST(content(file("code")) == "141\n");
  BOOST_TEST(!testing::is_running(command));
}

BOOST_AUTO_TEST_CASE(says_what_the_cap_cut) {
  const auto result = run("--max-output 1K", "head -c 2000 /dev/zero");
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(result.out.size() == 1024U);
  BOOST_TEST(result.err.find("2000") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(can_be_interrupted_while_nobody_reads_its_output) {
  // timeout(1) says 124 for a tool that its SIGINT ended, 137 for one that it had to kill.
  const std::string tool_line = "$tool run --host-key-policy off -i " + server.identity_file() + ' '
                                + target() + " -- 'head -c 3000000 /dev/zero'";
  const auto result = shell("{ timeout -s INT -k 60 3 " + tool_line + "; echo $? > " + file("code")
                            + "; } | while ! [ -s " + file("code") + " ]; do sleep 0.1; done");
  BOOST_TEST(content(file("code")) == "124\n");
}

BOOST_AUTO_TEST_CASE(takes_as_many_descriptors_as_it_may_have) {
  const auto result = shell("ulimit -Sn 6; $tool run --host-key-policy off -i "
                            + server.identity_file() + ' ' + target() + " -- echo ran");
  BOOST_TEST(result.exit_code == 0, result.err);
  BOOST_TEST(result.out == "ran\n");
}

BOOST_AUTO_TEST_CASE(helps_with_every_option) {
  const auto help = shell("$tool run --help");
  BOOST_TEST(help.exit_code == 0);
  for (const char* option : {"--user",
                             "--port",
                             "--identity",
                             "--passphrase-file",
                             "--host-key-policy",
                             "--known-hosts",
                             "--timeout",
                             "--deadline",
                             "--connect-timeout",
                             "--retries",
                             "--retry",
                             "--tracked",
                             "--max-output",
                             "--env",
                             "--stdin",
                             "--no-stdin",
                             "--pty",
                             "--json",
                             "--journal",
                             "--journal-format",
                             "--config",
                             "Examples",
                             "124"})
    BOOST_TEST(help.out.find(option) != std::string::npos, option);
}

BOOST_AUTO_TEST_CASE(shows_itself_in_a_demo) {
  const auto result = shell("$tool demo");
  BOOST_TEST(result.exit_code == 0, result.out << result.err);
  BOOST_TEST(result.out.find("All commands ended as they should") != std::string::npos);
  BOOST_TEST(result.out.find("web-[1-4] (4)") != std::string::npos, result.out);
  BOOST_TEST(result.out.find("db-1, exit code 3") != std::string::npos, result.out);
  BOOST_TEST(result.err.find("4 of 5 machines succeeded") != std::string::npos, result.err);
}

BOOST_AUTO_TEST_SUITE_END()
