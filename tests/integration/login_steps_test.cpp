#include "direct_client.hpp"
#include "key_shelf.hpp"
#include "sshexec/testing/openssh_server.hpp"

#include <boost/test/unit_test.hpp>

#include <fstream>
#include <string>
#include <utility>
#include <vector>

using namespace sshexec;
using namespace sshexec::test;

/// Servers that want more than one proof (AuthenticationMethods in sshd_config(5)).
namespace {

using testing::openssh_server;

ssh::private_key load(const std::string& file) {
  return ssh::load_private_key(file, {}).value();
}

/// Takes both its own client key and another one.
struct two_key_server {
  two_key_server() {
    // Named absolutely by the server, which has its keys beside it.
    const std::string authorized
      = server.identity_file().substr(0, server.identity_file().rfind('/')) + "/authorized_keys";
    std::ifstream added{second + ".pub"};
    std::ofstream{authorized, std::ios::app} << added.rdbuf();
  }

  [[nodiscard]] ssh::connection_settings settings(ssh::private_keys keys) const {
    return direct_client::settings_for(server.host(), server.port(), server.user(),
                                       std::move(keys));
  }

  openssh_server server{{.configuration = "AuthenticationMethods publickey,publickey\n"}};
  key_shelf shelf;
  std::string second = shelf.make("second");
};

} // namespace

BOOST_AUTO_TEST_SUITE(login_steps)

BOOST_AUTO_TEST_CASE(a_second_key_goes_on_where_the_first_is_not_enough) {
  const two_key_server x;
  direct_client client{x.settings({load(x.server.identity_file()), load(x.second)})};
  BOOST_TEST(client.is_authenticated(), client.lost.value_or(ssh::error{}).text);
}

BOOST_AUTO_TEST_CASE(keys_that_the_server_does_not_know_do_not_stand_in_the_way_of_a_second_step) {
  const two_key_server x;
  direct_client client{x.settings({load(x.shelf.make("third")), load(x.server.identity_file()),
                                   load(x.shelf.make("fourth")), load(x.second)})};
  BOOST_TEST(client.is_authenticated(), client.lost.value_or(ssh::error{}).text);
}

BOOST_AUTO_TEST_CASE(an_agent_goes_on_where_a_key_is_not_enough) {
  two_key_server x;
  auto settings = x.settings({load(x.server.identity_file())});
  settings.agents = {x.shelf.start_agent({x.second})};
  direct_client client{std::move(settings)};
  BOOST_TEST(client.is_authenticated(), client.lost.value_or(ssh::error{}).text);
}

BOOST_AUTO_TEST_CASE(an_agent_gives_both_keys) {
  two_key_server x;
  auto settings = x.settings({});
  settings.agents
    = {x.shelf.start_agent({x.shelf.make("third"), x.server.identity_file(), x.second})};
  direct_client client{std::move(settings)};
  BOOST_TEST(client.is_authenticated(), client.lost.value_or(ssh::error{}).text);
}

BOOST_AUTO_TEST_CASE(a_key_that_is_not_enough_and_has_no_second_is_told_as_such) {
  const two_key_server x;
  direct_client client{x.settings({load(x.server.identity_file())})};
  BOOST_TEST_REQUIRE(client.lost.has_value());
  BOOST_TEST((client.lost->kind == ssh::error_kind::authentication));
  BOOST_TEST(client.lost->text
             == "login refused for " + x.server.user()
                  + ": the key alone is not enough, the server asks for more: publickey; offered: "
                  + x.server.identity_file() + " ("
                  + testing::key_fingerprint(x.server.identity_file()) + ")");
}

BOOST_AUTO_TEST_SUITE_END()
