#include "in_terminal.hpp"
#include "preconditions.hpp"
#include "sshexec/testing/process.hpp"
#include "sshexec/testing/scripted_server.hpp"
#include "sshexec/testing/temporary_directory.hpp"
#include "tool.hpp"

#include <boost/test/unit_test.hpp>
#include <fcntl.h>
#include <sys/stat.h>

#include <csignal>
#include <cstddef>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

using namespace sshexec;
using namespace sshexec::test;

/// Passwords that the tool is given.
namespace {

using testing::connection_script;
using testing::scripted_server;

struct password_fixture {
  [[nodiscard]] std::string line(const std::string& options, const std::string& command) const {
    return line_with("--retries 0 " + options, command);
  }

  [[nodiscard]] std::string line_with(const std::string& options,
                                      const std::string& command) const {
    const std::string home = directory.path();
    return "env HOME=" + home + " SSH_AUTH_SOCK= " SSHEXEC_TOOL " run --known-hosts " + home
           + "/known_hosts " + options + " bob@" + server.host() + ":"
           + std::to_string(server.port()) + " -- " + command;
  }

  [[nodiscard]] std::string write_password(const std::string& text) const {
    const std::string file = directory.path() / "password";
    std::ofstream{file} << text << '\n';
    return file;
  }

  /// How often it was told a password that it does not take.
  [[nodiscard]] std::size_t wrong_ones() const {
    return count(server.record(), testing::event::authentication_refused, "password");
  }

  [[nodiscard]] std::string journal() const { return directory.path() / "journal"; }

  [[nodiscard]] std::string journal_text() const {
    std::ifstream in{journal()};
    return {std::istreambuf_iterator<char>{in}, {}};
  }

  explicit password_fixture(std::optional<testing::breakage> at_wrong_password = {})
    : server{{.connections = [at_wrong_password](unsigned) {
        connection_script result;
        result.methods = {"password"};
        result.password = "open sesame";
        result.at_wrong_password = at_wrong_password;
        return result;
      }}} {}

  testing::temporary_directory directory;
  scripted_server server;
};

struct silent_fixture : password_fixture {
  silent_fixture() : password_fixture(testing::breakage::silence) {}
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(passwords_of_the_tool, password_fixture)

BOOST_AUTO_TEST_CASE(a_file_holds_the_password) {
  running_tool tool{line("--password-file " + write_password("open sesame"), "echo in")};
  tool.end_input();
  BOOST_TEST(tool.read_line() == "in");
  BOOST_TEST(tool.wait() == 0);
}

BOOST_AUTO_TEST_CASE(a_pipe_holds_the_password) {
  running_tool tool{"sh -c 'echo open sesame | " + line("--password-file /dev/fd/3", "echo in")
                    + " 3<&0 </dev/null'"};
  BOOST_TEST(tool.read_line() == "in");
  BOOST_TEST(tool.wait() == 0);
}

BOOST_AUTO_TEST_CASE(a_wrong_password_is_told_and_is_not_shown) {
  running_tool tool{line_with("--retries 2 --journal " + journal() + " --password-file "
                                + write_password("guessed"),
                              "echo in")};
  tool.end_input();
  const std::string said = tool.read_errors();
  BOOST_TEST(said.find("wrong password") != std::string::npos, said);
  BOOST_TEST(tool.wait() == 255);
  BOOST_TEST(wrong_ones() == 1U);
  const std::string shown = said + journal_text();
  BOOST_TEST(journal_text().find("wrong password") != std::string::npos, shown);
  BOOST_TEST(shown.find("guessed") == std::string::npos, shown);
}

BOOST_AUTO_TEST_CASE(a_right_password_is_not_in_the_journal) {
  running_tool tool{line(
    "--journal " + journal() + " --password-file " + write_password("open sesame"), "echo in")};
  tool.end_input();
  BOOST_TEST(tool.read_line() == "in");
  BOOST_TEST(tool.wait() == 0);
  BOOST_TEST(journal_text().find("echo in") != std::string::npos, journal_text());
  BOOST_TEST(journal_text().find("sesame") == std::string::npos, journal_text());
}

BOOST_FIXTURE_TEST_CASE(a_server_that_says_nothing_to_a_password_gets_it_once, silent_fixture) {
  running_tool tool{line_with(
    "--retries 2 --connect-timeout 3s --password-file " + write_password("guessed"), "echo in")};
  tool.end_input();
  const std::string said = tool.read_errors();
  BOOST_TEST(said.find("it is not given it again") != std::string::npos, said);
  BOOST_TEST(tool.wait() == 255);
  BOOST_TEST(wrong_ones() == 1U);
}

BOOST_AUTO_TEST_CASE(the_terminal_is_asked_and_shows_nothing,
                     *boost::unit_test::precondition(needs_terminals)) {
  in_terminal terminal{line("--ask-password", "echo in")};
  BOOST_TEST_REQUIRE(terminal.shows("Password: "));
  BOOST_TEST(terminal.is_raw());
  terminal.type("open sesamx\x7f"
                "e\r");
  BOOST_TEST(terminal.shows("in\r\n"));
  BOOST_TEST(terminal.wait() == 0);
  BOOST_TEST(terminal.shown().find("sesam") == std::string::npos, terminal.shown());
}

BOOST_AUTO_TEST_CASE(a_question_that_a_signal_ends_leaves_the_terminal_as_it_was,
                     *boost::unit_test::precondition(needs_terminals)) {
  const std::string then = "; echo code $?; stty -a | tr ' ' '\\n' | grep -x echo";
  in_terminal interrupted{"trap : INT; " + line("--ask-password", "echo in") + then};
  BOOST_TEST_REQUIRE(interrupted.shows("Password: "));
  interrupted.type("\x03");
  BOOST_TEST(interrupted.shows("code 130"));
  BOOST_TEST(interrupted.shows("\necho"));

  in_terminal ended{"sh -c 'echo pid $$.; exec " + line("--ask-password", "echo in") + "'" + then};
  BOOST_TEST_REQUIRE(ended.shows("Password: "));
  const std::string shown = ended.shown();
  ::kill(std::stoi(shown.substr(shown.find("pid ") + 4)), SIGTERM);
  BOOST_TEST(ended.shows("code 143"));
  BOOST_TEST(ended.shows("\necho"));
}

BOOST_AUTO_TEST_CASE(a_password_that_is_too_long_is_an_error,
                     *boost::unit_test::precondition(needs_terminals)) {
  in_terminal terminal{line("--ask-password", "echo in")};
  BOOST_TEST_REQUIRE(terminal.shows("Password: "));
  terminal.type(std::string(1025, 'x') + '\r');
  BOOST_TEST(terminal.shows("too long"));
}

BOOST_AUTO_TEST_SUITE_END()
