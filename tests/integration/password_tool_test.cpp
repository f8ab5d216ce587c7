#include "in_terminal.hpp"
#include "preconditions.hpp"
#include "sshexec/testing/process.hpp"
#include "sshexec/testing/scripted_server.hpp"
#include "sshexec/testing/temporary_directory.hpp"
#include "tool.hpp"

#include <boost/test/unit_test.hpp>
#include <fcntl.h>
#include <sys/stat.h>

#include <fstream>
#include <string>

using namespace sshexec;
using namespace sshexec::test;

/// Passwords that the tool is given.
namespace {

using testing::connection_script;
using testing::scripted_server;

struct password_fixture {
  [[nodiscard]] std::string line(const std::string& options, const std::string& command) const {
    const std::string home = directory.path();
    return "env HOME=" + home + " SSH_AUTH_SOCK= " SSHEXEC_TOOL " run --known-hosts " + home
           + "/known_hosts --retries 0 " + options + " bob@" + server.host() + ":"
           + std::to_string(server.port()) + " -- " + command;
  }

  [[nodiscard]] std::string write_password(const std::string& text) const {
    const std::string file = directory.path() / "password";
    std::ofstream{file} << text << '\n';
    return file;
  }

  testing::temporary_directory directory;
  scripted_server server{{.connections = [](unsigned) {
    connection_script result;
    result.methods = {"password"};
    result.password = "open sesame";
    return result;
  }}};
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(passwords_of_the_tool, password_fixture)

BOOST_AUTO_TEST_CASE(a_file_holds_the_password) {
  running_tool tool{line("--password-file " + write_password("open sesame"), "echo in")};
  tool.end_input();
  BOOST_TEST(tool.read_line() == "in");
  BOOST_TEST(tool.wait() == 0);
}

BOOST_AUTO_TEST_CASE(a_wrong_password_is_told_and_is_not_shown) {
  running_tool tool{line("--password-file " + write_password("guessed"), "echo in")};
  tool.end_input();
  const std::string said = tool.read_errors();
  BOOST_TEST(said.find("wrong password") != std::string::npos, said);
  BOOST_TEST(said.find("guessed") == std::string::npos, said);
  BOOST_TEST(tool.wait() == 255);
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

BOOST_AUTO_TEST_CASE(an_interrupted_question_leaves_the_terminal_as_it_was,
                     *boost::unit_test::precondition(needs_terminals)) {
  in_terminal terminal{line("--ask-password", "echo in")
                       + "; stty -a | tr ' ' '\\n' | grep -x echo"};
  BOOST_TEST_REQUIRE(terminal.shows("Password: "));
  terminal.type("\x03");
  BOOST_TEST(terminal.shows("nothing was run"));
  BOOST_TEST(terminal.shows("\necho"));
}

BOOST_AUTO_TEST_SUITE_END()
