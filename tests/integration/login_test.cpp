#include "direct_client.hpp"
#include "key_shelf.hpp"
#include "listening.hpp"
#include "sshexec/ssh/wire_format.hpp"
#include "sshexec/testing/loopback.hpp"
#include "sshexec/testing/openssh_server.hpp"
#include "sshexec/testing/process.hpp"

#include <boost/test/unit_test.hpp>
#include <fcntl.h>
#include <libssh/libssh.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <semaphore>
#include <string>
#include <thread>
#include <utility>
#include <variant>
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

ssh::connection_settings settings_for(const testing::real_server& server, ssh::private_keys keys) {
  return direct_client::settings_for(server.host(), server.port(), server.user(), std::move(keys));
}

/// A packet that is not encrypted (RFC 4253 §6).
std::string packet(const std::string& payload) {
  constexpr std::size_t block = 8;
  const std::size_t padding = 2 * block - (payload.size() + 5) % block;
  std::string result;
  ssh::append_uint32(result, static_cast<std::uint32_t>(payload.size() + padding + 1));
  result += static_cast<char>(padding);
  return result + payload + std::string(padding, '\0');
}

/// KEXINIT (RFC 4253 §7.1) of a server that is older than its clients.
std::string old_key_exchange() {
  std::string result = "\x14" + std::string(16, 'c');
  for (const std::string list : {"diffie-hellman-group1-sha1", "ssh-dss", "3des-cbc", "3des-cbc",
                                 "hmac-md5", "hmac-md5", "none", "none", "", ""})
    ssh::append_string(result, list);
  return packet(result + std::string(5, '\0'));
}

/// SSH_MSG_DISCONNECT for that there are too many connections.
std::string farewell() {
  std::string result = "\x01";
  ssh::append_uint32(result, 12);
  ssh::append_string(result, "too many");
  ssh::append_string(result, {});
  return packet(result);
}

/// What becomes of a client that has to write when it reads this.
ssh::error lost_to(const std::string& said) {
  const testing::file_descriptor listener = testing::listen_on("127.0.0.1");
  const auto news = std::make_shared<std::counting_semaphore<>>(0);
  const auto connection = ssh::make_connection_factory(std::make_shared<ssh::poller>())(
    direct_client::settings_for("127.0.0.1", testing::port_of(listener), "nobody", {}),
    [news] { news->release(); });
  const testing::file_descriptor server = testing::accept_from(listener);
  BOOST_TEST_REQUIRE(static_cast<bool>(server));
  const std::string text = "SSH-2.0-lshd-2.1 lshd - a GNU ssh\r\n" + said;
  ::send(server.get(), text.data(), text.size(), MSG_NOSIGNAL);
  do {
    for (const ssh::connection_event& x : connection->advance())
      if (const auto* lost = std::get_if<ssh::event::lost>(&x))
        return lost->reason;
    connection->flush();
  } while (news->try_acquire_for(std::chrono::seconds{30}));
  return {ssh::error_kind::timed_out, "nothing came of it"};
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

BOOST_AUTO_TEST_CASE(a_server_without_a_common_algorithm_is_no_dropped_connection) {
  const auto seen = lost_to(old_key_exchange());
  BOOST_TEST((seen.kind == ssh::error_kind::protocol), seen.text);
  BOOST_TEST(!contains(seen.text, "Socket error"), seen.text);
}

BOOST_AUTO_TEST_CASE(a_farewell_before_the_key_exchange_is_told_in_the_words_of_the_server) {
  const auto seen = lost_to(farewell());
  BOOST_TEST((seen.kind == ssh::error_kind::dropped), seen.text);
  BOOST_TEST(contains(seen.text, "too many"), seen.text);
}

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
