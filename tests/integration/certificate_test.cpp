#include "direct_client.hpp"
#include "key_shelf.hpp"
#include "sshexec/testing/openssh_server.hpp"
#include "sshexec/testing/process.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

using namespace sshexec;
using namespace sshexec::test;

/// Users' certificates, against a server that trusts their authority alone.
namespace {

using testing::openssh_server;

struct certificate_fixture {
  [[nodiscard]] static std::string fingerprint_of(const std::string& file) {
    return testing::key_fingerprint(file);
  }

  /// A new key of this type with a certificate beside it.
  [[nodiscard]] std::string make_certified(const std::string& type, const std::string& user,
                                           const std::string& authority,
                                           const std::string& validity = "always:forever") const {
    const std::string file = shelf.path("certified-" + type);
    testing::require_program({"ssh-keygen", "-q", "-t", type, "-N", "", "-f", file});
    testing::require_program({"ssh-keygen", "-q", "-s", authority, "-I", "deploy", "-n", user, "-V",
                              validity, file + ".pub"});
    return file;
  }

  [[nodiscard]] ssh::connection_settings settings(const std::string& key_file) const {
    ssh::private_keys keys;
    if (!key_file.empty())
      keys.push_back(ssh::load_private_key(key_file, {}).value());
    return direct_client::settings_for(server.host(), server.port(), server.user(), keys);
  }

  /// What is said when this key is refused.
  [[nodiscard]] std::string refusal(const std::string& key_file) const {
    direct_client client{settings(key_file)};
    return client.lost.value_or(ssh::error{}).text;
  }

  key_shelf shelf;
  std::string authority = shelf.make("authority");
  openssh_server server{{.configuration = "TrustedUserCAKeys " + authority + ".pub\n"}};
};

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(certificates, certificate_fixture)

BOOST_AUTO_TEST_CASE(a_certificate_beside_a_key_logs_in) {
  for (const std::string type : {"ed25519", "ecdsa", "rsa"}) {
    direct_client client{settings(make_certified(type, server.user(), authority))};
    BOOST_TEST(client.is_authenticated(), type << ": " << client.lost.value_or(ssh::error{}).text);
  }
}

BOOST_AUTO_TEST_CASE(a_certificate_of_an_agent_logs_in) {
  auto wanted = settings({});
  wanted.agents = {shelf.start_agent({make_certified("ed25519", server.user(), authority)})};
  direct_client client{std::move(wanted)};
  BOOST_TEST(client.is_authenticated(), client.lost.value_or(ssh::error{}).text);
}

BOOST_AUTO_TEST_CASE(a_key_that_is_accepted_alone_is_so_behind_a_certificate_that_is_not) {
  const std::string file = server.identity_file();
  testing::require_program({"ssh-keygen", "-q", "-s", shelf.make("foreign"), "-I", "deploy", "-n",
                            server.user(), file + ".pub"});
  direct_client client{settings(file)};
  BOOST_TEST(client.is_authenticated(), client.lost.value_or(ssh::error{}).text);
}

BOOST_AUTO_TEST_CASE(a_foreign_certificate_is_told_with_its_authority) {
  const std::string foreign = shelf.make("foreign");
  const std::string file = make_certified("ed25519", server.user(), foreign);
  BOOST_TEST(refusal(file)
             == "login refused for " + server.user() + ": the server accepts publickey; offered: "
                  + file + " (" + fingerprint_of(file) + ") with certificate \"deploy\" for "
                  + server.user() + ", signed by " + fingerprint_of(foreign) + ", valid for ever");
}

BOOST_AUTO_TEST_CASE(a_certificate_that_is_not_valid_now_is_told_as_such) {
  const std::string expired
    = make_certified("ed25519", server.user(), authority, "20200101:20200131");
  BOOST_TEST(holds(refusal(expired), ", expired 2020-01-3"), refusal(expired));
  const std::string early = make_certified("ecdsa", server.user(), authority, "29990101:forever");
  BOOST_TEST(holds(refusal(early), ", not valid before 29"), refusal(early));
}

BOOST_AUTO_TEST_CASE(a_certificate_for_another_user_is_told_with_its_users) {
  const std::string file = make_certified("ed25519", "alice,bob", authority);
  BOOST_TEST(holds(refusal(file), "certificate \"deploy\" for alice, bob, "), refusal(file));
}

BOOST_AUTO_TEST_CASE(a_certificate_of_another_key_is_told_and_not_used) {
  const std::string file = shelf.make("key");
  std::filesystem::copy(make_certified("ed25519", server.user(), authority) + "-cert.pub",
                        file + "-cert.pub");
  BOOST_TEST(holds(refusal(file), file
                                    + "-cert.pub is not used: it is no certificate for its "
                                      "private key"),
             refusal(file));
}

BOOST_AUTO_TEST_SUITE_END()
