#include "direct_client.hpp"
#include "sshexec/testing/openssh_server.hpp"
#include "sshexec/testing/process.hpp"

#include <boost/test/unit_test.hpp>
#include <fcntl.h>
#include <libssh/libssh.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace sshexec;
using namespace sshexec::test;

/// Logins, driven without actors.
namespace {

using testing::openssh_server;
using testing::scripted_server;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string text_of(const std::string& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// Fresh keys that no server knows, and agents that hold them.
class key_shelf {
public:
  key_shelf() = default;
  key_shelf(const key_shelf&) = delete;
  key_shelf& operator=(const key_shelf&) = delete;

  ~key_shelf() { testing::kill_and_wait(agents_); }

  [[nodiscard]] std::string make(const std::string& name) const {
    const std::string file = directory_.path() / name;
    testing::make_key(file);
    return file;
  }

  [[nodiscard]] ssh::private_keys make_keys(std::size_t count) const {
    ssh::private_keys result;
    for (std::size_t i = 0; i < count; ++i)
      result.push_back(ssh::load_private_key(make("key" + std::to_string(i)), {}).value());
    return result;
  }

  /// The socket of a new agent that holds these keys.
  std::string start_agent(const std::vector<std::string>& files) {
    const std::string socket = path("agent" + std::to_string(agents_.size()));
    agents_.push_back(testing::start_program({"ssh-agent", "-D", "-a", socket}, null_.get()));
    while (!std::filesystem::exists(socket) && testing::is_running(agents_.back()))
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    for (const std::string& file : files)
      testing::require_program({"env", "SSH_AUTH_SOCK=" + socket, "ssh-add", "-q", file});
    return socket;
  }

  [[nodiscard]] std::string path(const std::string& name) const { return directory_.path() / name; }

private:
  testing::temporary_directory directory_;
  ssh::file_descriptor null_{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
  std::vector<pid_t> agents_;
};

ssh::connection_settings settings_for(const testing::real_server& server, ssh::private_keys keys) {
  return direct_client::settings_for(server.host(), server.port(), server.user(), std::move(keys));
}

/// A key that libssh reads and cannot sign with.
ssh::private_key useless_key(const key_shelf& shelf) {
  const std::string file = shelf.path("useless");
  testing::require_program({"openssl", "genpkey", "-algorithm", "ed25519", "-out", file});
  ssh_key key = nullptr;
  ssh_pki_import_privkey_base64(text_of(file).c_str(), nullptr, nullptr, nullptr, &key);
  return {key, ssh_key_free};
}

} // namespace

BOOST_AUTO_TEST_SUITE(logins)

BOOST_AUTO_TEST_CASE(every_user_name_goes_to_the_server_as_it_is) {
  const openssh_server server;
  const auto key = ssh::load_private_key(server.identity_file(), {}).value();
  key_shelf shelf;
  for (const std::string name : {"DOMAIN\\user", "svc$", "user@realm", "two words", "-oops"}) {
    for (const bool by_agent : {false, true}) {
      auto settings = settings_for(server, {});
      settings.username = name;
      if (by_agent)
        settings.agents = {shelf.start_agent({server.identity_file()})};
      else
        settings.keys = {key};
      direct_client client{std::move(settings)};
      BOOST_TEST_REQUIRE(client.lost.has_value(), name);
      BOOST_TEST((client.lost->kind == ssh::error_kind::authentication), client.lost->text);
    }
    // sshd shows a backslash as two.
    const std::string shown = name == "DOMAIN\\user" ? "DOMAIN\\\\user" : name;
    BOOST_TEST(server.wait_for_log("Invalid user " + shown + " from"), server.log());
  }
}

BOOST_AUTO_TEST_CASE(a_user_name_with_a_dollar_logs_in) {
  const scripted_server server;
  const auto key = ssh::load_private_key(server.client_key_file(), {}).value();
  direct_client client{direct_client::settings_for(server.host(), server.port(), "svc$", {key})};
  BOOST_TEST(client.is_authenticated());
}

BOOST_AUTO_TEST_CASE(a_key_that_fails_here_makes_way_for_the_next_one) {
  const openssh_server server;
  const key_shelf shelf;
  direct_client client{settings_for(
    server, {useless_key(shelf), ssh::load_private_key(server.identity_file(), {}).value()})};
  BOOST_TEST(client.is_authenticated());
}

BOOST_AUTO_TEST_CASE(a_key_that_fails_here_makes_way_for_the_agent) {
  const openssh_server server;
  key_shelf shelf;
  auto settings = settings_for(server, {useless_key(shelf)});
  settings.agents = {shelf.start_agent({server.identity_file()})};
  direct_client client{std::move(settings)};
  BOOST_TEST(client.is_authenticated());
}

BOOST_AUTO_TEST_CASE(a_server_that_was_asked_about_no_key_refused_none) {
  const openssh_server server;
  const key_shelf shelf;
  direct_client client{settings_for(server, {useless_key(shelf)})};
  BOOST_TEST_REQUIRE(client.lost.has_value());
  BOOST_TEST((client.lost->kind == ssh::error_kind::file));
  BOOST_TEST(!contains(client.lost->text, "none"), client.lost->text);
}

BOOST_AUTO_TEST_CASE(a_server_that_hangs_up_on_too_many_keys_has_refused_the_login) {
  const openssh_server server{{.configuration = "MaxAuthTries 3\n"}};
  const key_shelf shelf;
  direct_client client{settings_for(server, shelf.make_keys(5))};
  BOOST_TEST_REQUIRE(client.lost.has_value());
  BOOST_TEST((client.lost->kind == ssh::error_kind::authentication), client.lost->text);
  BOOST_TEST(contains(client.lost->text, "3 keys"), client.lost->text);
  BOOST_TEST(contains(client.lost->text, "name one"), client.lost->text);
}

BOOST_AUTO_TEST_CASE(a_server_that_hangs_up_on_too_many_keys_of_an_agent_has_refused_the_login) {
  const openssh_server server{{.configuration = "MaxAuthTries 3\n"}};
  key_shelf shelf;
  std::vector<std::string> files;
  for (const std::string name : {"a", "b", "c", "d", "e"})
    files.push_back(shelf.make(name));
  auto settings = settings_for(server, {});
  settings.agents = {shelf.start_agent(files)};
  direct_client client{std::move(settings)};
  BOOST_TEST_REQUIRE(client.lost.has_value());
  BOOST_TEST((client.lost->kind == ssh::error_kind::authentication), client.lost->text);
  BOOST_TEST(contains(client.lost->text, "3 keys of the agent"), client.lost->text);
  BOOST_TEST(contains(client.lost->text, "name one"), client.lost->text);
}

BOOST_AUTO_TEST_CASE(a_refused_login_tells_what_was_offered_and_what_the_server_accepts) {
  const openssh_server server;
  key_shelf shelf;
  const std::string file = shelf.make("key");
  auto settings = settings_for(server, {ssh::load_private_key(file, {}).value()});
  settings.agents = {shelf.start_agent({shelf.make("first"), shelf.make("second")})};
  direct_client client{std::move(settings)};
  BOOST_TEST_REQUIRE(client.lost.has_value());
  BOOST_TEST((client.lost->kind == ssh::error_kind::authentication));
  BOOST_TEST(client.lost->text
             == "login refused for " + server.user() + ": the server accepts publickey; offered: "
                  + file + " (" + testing::key_fingerprint(file) + "), 2 keys of the agent");
}

BOOST_AUTO_TEST_SUITE_END()
