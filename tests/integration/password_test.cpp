#include "direct_client.hpp"
#include "key_shelf.hpp"
#include "preconditions.hpp"
#include "sshexec/testing/openssh_server.hpp"
#include "sshexec/testing/process.hpp"

#include <boost/test/unit_test.hpp>
#include <pwd.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

using namespace sshexec;
using namespace sshexec::test;

/// Passwords, by both methods that take one.
namespace {

using testing::breakage;
using testing::connection_script;
using testing::openssh_server;
using testing::scripted_server;

using methods = std::vector<std::string>;

constexpr const char* right = "open sesame";

/// A server with one script for all connections.
struct scripted {
  explicit scripted(connection_script script)
    : server{{.connections = [script = std::move(script)](unsigned) { return script; }}} {}

  [[nodiscard]] ssh::connection_settings settings(const std::string& password,
                                                  bool with_key = false) const {
    ssh::private_keys keys;
    if (with_key)
      keys.push_back(ssh::load_private_key(server.client_key_file(), {}).value());
    auto result = direct_client::settings_for(server.host(), server.port(), "bob", keys);
    result.password = ssh::secret{password};
    return result;
  }

  /// How often a password came that was not taken.
  [[nodiscard]] std::size_t wrong_ones() const {
    const auto seen = server.record();
    return count(seen, testing::event::authentication_refused, "password")
           + count(seen, testing::event::authentication_refused, "keyboard-interactive");
  }

  scripted_server server;
};

connection_script with_password(methods offered, methods further = {}) {
  connection_script result;
  result.methods = std::move(offered);
  result.further_methods = std::move(further);
  result.password = right;
  return result;
}

std::string why(const direct_client& client) {
  return client.lost.value_or(ssh::error{}).text;
}

/// A user of this host with that password, for an sshd that looks passwords up.
constexpr const char* password_user = "sshexec-password";

boost::test_tools::assertion_result needs_root(boost::unit_test::test_unit_id) {
  boost::test_tools::assertion_result result{::geteuid() == 0};
  result.message() << "only root can give a user a password";
  return result;
}

void make_password_user() {
  if (::getpwnam(password_user) == nullptr)
    testing::run_program({"useradd", "--create-home", "--shell", "/bin/sh", password_user});
  testing::require_program(
    {"/bin/sh", "-c", std::string{"echo '"} + password_user + ":" + right + "' | chpasswd"});
}

ssh::connection_settings settings_for(const openssh_server& server, const std::string& password) {
  auto result = direct_client::settings_for(server.host(), server.port(), password_user, {});
  result.password = ssh::secret{password};
  return result;
}

} // namespace

BOOST_AUTO_TEST_SUITE(passwords)

BOOST_AUTO_TEST_CASE(a_password_logs_in_by_each_method) {
  for (const methods& offered : {methods{"password"}, methods{"keyboard-interactive"},
                                 methods{"publickey", "password", "keyboard-interactive"}}) {
    const scripted x{with_password(offered)};
    direct_client client{x.settings(right)};
    BOOST_TEST(client.is_authenticated(), offered.back() << ": " << why(client));
    BOOST_TEST(x.wrong_ones() == 0U);
  }
}

BOOST_AUTO_TEST_CASE(a_wrong_password_is_told_as_such_and_is_said_once) {
  for (const methods& offered : {methods{"password"}, methods{"keyboard-interactive"},
                                 methods{"password", "keyboard-interactive"}}) {
    const scripted x{with_password(offered)};
    direct_client client{x.settings("guessed")};
    BOOST_TEST_REQUIRE(client.lost.has_value());
    BOOST_TEST((client.lost->kind == ssh::error_kind::authentication));
    const std::string accepted
      = offered.size() == 1 ? offered.front() : "password, keyboard-interactive";
    BOOST_TEST(why(client)
               == "login refused for bob: wrong password; the server accepts " + accepted
                    + "; offered: a password");
    BOOST_TEST(x.wrong_ones() == 1U);
  }
}

BOOST_AUTO_TEST_CASE(a_server_that_hangs_up_on_a_wrong_password_has_refused_the_login) {
  for (const auto how : {breakage::hang_up, breakage::disconnect, breakage::reset}) {
    auto script = with_password({"password"});
    script.at_wrong_password = how;
    const scripted x{script};
    direct_client client{x.settings("guessed")};
    BOOST_TEST_REQUIRE(client.lost.has_value());
    BOOST_TEST((client.lost->kind == ssh::error_kind::authentication), why(client));
    BOOST_TEST(why(client).find("when a password had been offered") != std::string::npos,
               why(client));
  }
}

BOOST_AUTO_TEST_CASE(a_password_is_not_shown_by_a_server_that_repeats_it) {
  auto script = with_password({"keyboard-interactive"});
  script.prompts = {{"Password: ", false}, {"What is open sesame\x1b[2J? ", false}};
  const scripted x{script};
  direct_client client{x.settings(right)};
  BOOST_TEST(why(client).ends_with("does not answer: \"What is *** [2J?\""), why(client));
}

BOOST_AUTO_TEST_CASE(an_end_behind_an_accepted_password_is_no_refusal) {
  auto script = with_password({"password"}, {"publickey"});
  script.at_key = breakage::reset;
  const scripted x{script};
  direct_client client{x.settings(right, true)};
  BOOST_TEST_REQUIRE(client.lost.has_value());
  BOOST_TEST((client.lost->kind == ssh::error_kind::dropped), why(client));
}

BOOST_AUTO_TEST_CASE(a_prompt_that_comes_again_tells_a_wrong_password) {
  auto script = with_password({"keyboard-interactive"});
  script.prompts = {{"Password: ", false}, {"Password: ", false}};
  const scripted x{script};
  direct_client client{x.settings(right)};
  BOOST_TEST(why(client)
             == "login refused for bob: wrong password; the server accepts keyboard-interactive; "
                "offered: a password");
}

BOOST_AUTO_TEST_CASE(a_server_that_takes_keys_alone_gets_no_password) {
  auto script = with_password({"publickey"});
  script.keys = testing::accepted_keys::none;
  const scripted x{script};
  direct_client client{x.settings(right)};
  BOOST_TEST(why(client)
             == "login refused for bob: the server accepts publickey; offered: nothing");
  BOOST_TEST(x.wrong_ones() == 0U);
}

BOOST_AUTO_TEST_CASE(a_key_that_will_do_leaves_the_password_unsaid) {
  const scripted x{with_password({"publickey", "password"})};
  direct_client client{x.settings("guessed", true)};
  BOOST_TEST(client.is_authenticated(), why(client));
  BOOST_TEST(x.wrong_ones() == 0U);
}

BOOST_AUTO_TEST_CASE(a_key_and_a_password_are_given_in_whatever_order_the_server_wants) {
  for (const methods& order :
       {methods{"publickey", "password"}, methods{"publickey", "keyboard-interactive"},
        methods{"password", "publickey"}, methods{"keyboard-interactive", "publickey"}}) {
    const scripted x{with_password({order[0]}, {order[1]})};
    direct_client client{x.settings(right, true)};
    BOOST_TEST(client.is_authenticated(), order[0] << ", " << order[1] << ": " << why(client));
  }
}

BOOST_AUTO_TEST_CASE(a_wrong_password_behind_a_key_is_told_as_such) {
  const scripted x{with_password({"publickey"}, {"password"})};
  direct_client client{x.settings("guessed", true)};
  BOOST_TEST(why(client).starts_with(
               "login refused for bob: wrong password; the key alone is not enough, the server "
               "asks for more: password; offered: "),
             why(client));
}

BOOST_AUTO_TEST_CASE(a_question_that_is_shown_is_not_answered_with_the_password) {
  auto script = with_password({"keyboard-interactive"});
  script.prompts = {{"Your name: ", true}};
  const scripted x{script};
  direct_client client{x.settings(right)};
  BOOST_TEST(why(client)
             == "login refused for bob: the server accepts keyboard-interactive; offered: nothing; "
                "the server asks what the password does not answer: \"Your name:\"");
}

BOOST_AUTO_TEST_CASE(a_second_question_is_not_answered_with_the_password) {
  auto script = with_password({"keyboard-interactive"});
  script.prompts = {{"Password: ", false}, {"Code\x1b[2J: ", false}};
  const scripted x{script};
  direct_client client{x.settings(right)};
  BOOST_TEST(why(client)
             == "login refused for bob: the server accepts keyboard-interactive; offered: a "
                "password; the server asks what the password does not answer: \"Code [2J:\"");
  BOOST_TEST(x.wrong_ones() == 0U);
}

BOOST_AUTO_TEST_CASE(openssh_takes_the_right_password_and_no_other,
                     *boost::unit_test::precondition(needs_root)) {
  make_password_user();
  const openssh_server server{{.configuration = "PasswordAuthentication yes\n"}};
  direct_client client{settings_for(server, right)};
  BOOST_TEST(client.is_authenticated(), why(client) << server.log());
  direct_client other{settings_for(server, "guessed")};
  BOOST_TEST(why(other)
             == std::string{"login refused for "} + password_user
                  + ": wrong password; the server accepts publickey, password; offered: a "
                    "password");
}

BOOST_AUTO_TEST_CASE(openssh_asks_for_the_password_by_its_prompt,
                     *boost::unit_test::precondition(needs_root)) {
  make_password_user();
  const openssh_server server{{.configuration = "UsePAM yes\nKbdInteractiveAuthentication yes\n"}};
  direct_client client{settings_for(server, right)};
  BOOST_TEST(client.is_authenticated(), why(client) << server.log());
  direct_client other{settings_for(server, "guessed")};
  BOOST_TEST(why(other)
             == std::string{"login refused for "} + password_user
                  + ": wrong password; the server accepts publickey, keyboard-interactive; "
                    "offered: a password");
}

BOOST_AUTO_TEST_CASE(openssh_wants_a_key_and_a_password,
                     *boost::unit_test::precondition(needs_root)) {
  make_password_user();
  const openssh_server server{{.configuration = "PasswordAuthentication yes\n"
                                                "AuthenticationMethods publickey,password\n"}};
  auto settings = settings_for(server, right);
  settings.keys = {ssh::load_private_key(server.identity_file(), {}).value()};
  direct_client client{std::move(settings)};
  BOOST_TEST(client.is_authenticated(), why(client) << server.log());
}

BOOST_AUTO_TEST_SUITE_END()
