#include "actor_fixture.hpp"
#include "files.hpp"
#include "sshexec/actors/services/file_credential_store.hpp"
#include "sshexec/actors/services/key_ring.hpp"
#include "sshexec/testing/process.hpp"
#include "temporary_home.hpp"

#include <boost/test/unit_test.hpp>
#include <libssh/libssh.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

namespace {

using namespace sshexec;
using namespace sshexec::test;
namespace fs = std::filesystem;

struct credential_fixture : actor_fixture {
  /// A key ring that asks the files.
  key_ring_actor spawn(const std::string& identity_file = {},
                       const std::string& passphrase_file = {},
                       const std::string& identity_agent = {}) {
    return spawn_ring(start(system.spawn(file_credential_store, identity_file, passphrase_file,
                                         identity_agent, login_password{})));
  }

  key_ring_actor spawn_ring(const credential_store& store) {
    return start(system.spawn<caf::detached>(key_ring, store, key_ring_settings{}));
  }

  /// A key ring that asks a hub's own store, which answers with `found`.
  key_ring_actor spawn_with(const credentials& found) {
    return spawn_ring(start(system.spawn([found]() -> credential_store::behavior_type {
      return {[found](load_atom, const machine&) { return found; }};
    })));
  }

  caf::expected<ssh::login> load(const key_ring_actor& subject,
                                 const std::string& identity_file = {}) {
    machine target;
    target.identity_file = identity_file;
    return ask<ssh::login>(subject, load_atom_v, target);
  }

  ssh::private_keys load_some(const key_ring_actor& subject,
                              const std::string& identity_file = {}) {
    auto found = load(subject, identity_file);
    BOOST_REQUIRE(found);
    return found->keys;
  }

  /// The message of the `configuration_error` that a request fails with.
  std::string objection(const key_ring_actor& subject, const std::string& identity_file = {}) {
    const auto reason = load(subject, identity_file).error();
    BOOST_TEST(is(reason, error_code::configuration_error));
    return to_failure(reason).message;
  }

  static bool is_same(const ssh::private_key& key, const fs::path& file) {
    const auto other = ssh::load_private_key(file, {});
    return other && ssh_key_cmp(key.get(), other->get(), SSH_KEY_CMP_PRIVATE) == 0;
  }

  temporary_home home;
  fs::path first = home.path() / "first";
  fs::path second = home.path() / "second";
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(credential_store_test, credential_fixture)

BOOST_AUTO_TEST_CASE(keys_of_every_cipher_are_derived_at_once) {
  const std::vector<std::string> ciphers{"aes128-cbc", "aes192-cbc", "aes256-cbc",
                                         "aes128-ctr", "aes192-ctr", "aes256-ctr"};
  write_file(second, "open sesame\n");
  auto subject = spawn({}, second.string());
  const auto request_key_of = [&](const std::string& cipher) {
    machine target;
    target.identity_file = (home.path() / cipher).string();
    return request(subject, load_atom_v, target);
  };
  for (const auto& cipher : ciphers)
    BOOST_REQUIRE(make_key(home.path() / cipher, "open sesame", "-t ed25519 -a 4 -Z " + cipher));
  std::vector<decltype(request_key_of(""))> requests;
  for (int i = 0; i < 3; ++i) {
    for (const auto& cipher : ciphers)
      requests.push_back(request_key_of(cipher));
  }
  for (auto& x : requests)
    BOOST_CHECK(receive<ssh::login>(std::move(x)));
}

BOOST_AUTO_TEST_CASE(a_machines_own_key_counts_before_the_default) {
  BOOST_REQUIRE(make_key(first));
  BOOST_REQUIRE(make_key(second));
  auto subject = spawn(first.string());
  const auto chosen = load_some(subject, second.string());
  BOOST_REQUIRE(chosen.size() == 1u);
  BOOST_TEST(is_same(chosen[0], second));
  BOOST_TEST(is_same(load_some(subject)[0], first));
}

BOOST_AUTO_TEST_CASE(wished_key_files_stand_in_place_of_the_store_s) {
  BOOST_REQUIRE(make_key(first));
  BOOST_REQUIRE(make_key(second, "open sesame"));
  write_file(home.path() / "word", "open sesame\n");
  auto subject = spawn("/nowhere", (home.path() / "word").string());
  const login_wishes wishes{.identity_files = {{"~/first", "/neither", second.string()}}};
  const auto found = ask<ssh::login>(subject, load_atom_v, machine{}, wishes);
  BOOST_REQUIRE(found);
  BOOST_REQUIRE(found->keys.size() == 2U);
  BOOST_TEST(is_same(found->keys[0], first));
  BOOST_TEST(contains(found->passed_over, "/neither"));
}

BOOST_AUTO_TEST_CASE(agents_are_left_out_as_wished) {
  BOOST_REQUIRE(make_key(first));
  auto subject = spawn(first.string(), {}, "/run/agent");
  const auto login_for = [&](const login_wishes& wishes) {
    return ask<ssh::login>(subject, load_atom_v, machine{}, wishes).value();
  };
  using sockets = std::vector<std::string>;
  BOOST_TEST((login_for({}).agents == sockets{"/run/agent"}));
  BOOST_TEST((login_for({.agent = "/run/mine"}).agents == sockets{"/run/mine"}));
  BOOST_TEST(login_for({.agent = ""}).agents.empty());
  const auto alone = login_for({.agent = "/run/mine", .leaves_agents_out = true});
  BOOST_TEST(alone.agents.empty());
  BOOST_TEST(alone.keys.size() == 1U);
  BOOST_TEST(contains(alone.passed_over, "IdentitiesOnly"));
}

BOOST_AUTO_TEST_CASE(an_agent_that_is_wished_is_there_although_the_store_has_none) {
  BOOST_REQUIRE(make_key(first));
  const auto found = ask<ssh::login>(spawn(first.string()), load_atom_v, machine{},
                                     login_wishes{.agent = "/run/mine"});
  BOOST_REQUIRE(found);
  BOOST_TEST((found->agents == std::vector<std::string>{"/run/mine"}));
}

BOOST_AUTO_TEST_CASE(a_tilde_stands_for_the_home_directory) {
  BOOST_REQUIRE(make_key(first));
  BOOST_TEST(is_same(load_some(spawn("~/first"))[0], first));
  BOOST_TEST(contains(objection(spawn("~/none")), (home.path() / "none").string()));
}

BOOST_AUTO_TEST_CASE(a_key_file_is_read_once_for_all_machines) {
  BOOST_REQUIRE(make_key(first));
  auto subject = spawn(first.string());
  BOOST_TEST(load_some(subject)[0] == load_some(subject)[0]);
}

BOOST_AUTO_TEST_CASE(a_replaced_key_file_is_noticed) {
  BOOST_REQUIRE(make_key(first));
  auto subject = spawn(first.string());
  load_some(subject);
  BOOST_REQUIRE(make_key(second));
  fs::rename(second, first);
  BOOST_TEST(is_same(load_some(subject)[0], first));
  fs::remove(first);
  BOOST_TEST(contains(objection(subject), "No such file"));
}

BOOST_AUTO_TEST_CASE(a_key_whose_permissions_were_mended_is_read) {
  BOOST_REQUIRE(make_key(first));
  fs::permissions(first, fs::perms::owner_read | fs::perms::others_read);
  auto subject = spawn(first.string());
  BOOST_TEST(contains(objection(subject), "chmod 600"));
  fs::permissions(first, fs::perms::owner_read);
  BOOST_CHECK(load(subject));
}

BOOST_AUTO_TEST_CASE(the_passphrase_is_the_first_line_of_its_file) {
  BOOST_REQUIRE(make_key(first, "open sesame"));
  write_file(second, "open sesame\r\nnot this\n");
  BOOST_CHECK(load(spawn(first.string(), second.string())));
}

BOOST_AUTO_TEST_CASE(a_wrong_passphrase_names_the_key_until_it_is_mended) {
  BOOST_REQUIRE(make_key(first, "open sesame"));
  write_file(second, "open says me\n");
  auto subject = spawn(first.string(), second.string());
  BOOST_TEST(contains(objection(subject), first.string()));
  BOOST_TEST(contains(objection(subject), "passphrase is wrong"));
  write_file(second, "open sesame\n");
  BOOST_CHECK(load(subject));
}

BOOST_AUTO_TEST_CASE(a_missing_passphrase_file_is_told) {
  BOOST_REQUIRE(make_key(first));
  BOOST_TEST(contains(objection(spawn(first.string(), second.string())), second.string()));
}

BOOST_AUTO_TEST_CASE(the_usual_keys_are_offered_in_the_order_of_preference) {
  const auto folder = home.path() / ".ssh";
  BOOST_REQUIRE(make_key(folder / "id_rsa", "", "-t rsa -b 2048"));
  BOOST_REQUIRE(make_key(folder / "id_ed25519"));
  BOOST_REQUIRE(make_key(folder / "id_ecdsa", "encrypted", "-t ecdsa"));
  const auto keys = load_some(spawn());
  BOOST_REQUIRE(keys.size() == 2u);
  BOOST_TEST(is_same(keys[0], folder / "id_ed25519"));
  BOOST_TEST(is_same(keys[1], folder / "id_rsa"));
}

BOOST_AUTO_TEST_CASE(a_key_comes_from_memory) {
  BOOST_REQUIRE(make_key(first));
  BOOST_REQUIRE(make_key(second, "open sesame"));
  credentials found;
  found.username = "deploy";
  found.sources.emplace_back(key_in_memory{ssh::secret{read_file(first)}, {}});
  found.sources.emplace_back(
    key_in_memory{ssh::secret{read_file(second)}, ssh::secret{"open sesame"}});
  const auto login = load(spawn_with(found));
  BOOST_REQUIRE(login);
  BOOST_TEST(login->username == "deploy");
  BOOST_REQUIRE(login->keys.size() == 2u);
  BOOST_TEST(is_same(login->keys[0], first));
}

BOOST_AUTO_TEST_CASE(a_renewed_certificate_is_read_again) {
  BOOST_REQUIRE(make_key(first));
  BOOST_REQUIRE(make_key(second));
  const auto certify = [&](const std::string& id) {
    testing::require_program({"ssh-keygen", "-q", "-s", second.string(), "-I", id, "-n", "deploy",
                              first.string() + ".pub"});
  };
  auto subject = spawn(first.string());
  const auto without = load_some(subject);
  BOOST_REQUIRE(without.size() == 1u);
  BOOST_TEST(!without[0].certificate);
  for (const std::string id : {"the first", "the second one"}) {
    certify(id);
    const auto with = load_some(subject);
    BOOST_REQUIRE(with.size() == 1u);
    BOOST_REQUIRE(with[0].certificate);
    BOOST_TEST(with[0].certificate->key_id == id);
    // What is shared is whole, too.
    const auto shared = load_some(subject);
    BOOST_TEST(shared[0].certified == with[0].certified);
    BOOST_TEST(shared[0].certificate->key_id == id);
  }
}

BOOST_AUTO_TEST_CASE(a_certificate_comes_from_memory) {
  BOOST_REQUIRE(make_key(first));
  BOOST_REQUIRE(make_key(second));
  testing::require_program(
    {"ssh-keygen", "-q", "-s", second.string(), "-I", "deploy", first.string() + ".pub"});
  credentials found;
  found.sources.emplace_back(
    key_in_memory{ssh::secret{read_file(first)}, {}, read_file(first.string() + "-cert.pub")});
  found.sources.emplace_back(
    key_in_memory{ssh::secret{read_file(second)}, {}, read_file(first.string() + "-cert.pub")});
  const auto keys = load_some(spawn_with(found));
  BOOST_REQUIRE(keys.size() == 2u);
  BOOST_REQUIRE(keys[0].certificate);
  BOOST_TEST(static_cast<bool>(keys[0].certified));
  BOOST_TEST(!keys[1].certified);
  BOOST_TEST(contains(keys[1].objection, "certificate in memory"));
}

BOOST_AUTO_TEST_CASE(a_password_comes_from_memory_or_the_first_line_of_a_file) {
  write_file(first, "open sesame\nmore\n");
  const auto password_of = [&](const login_password& source) {
    credentials found;
    found.sources.emplace_back(source);
    const auto login = load(spawn_with(found));
    return login ? login->password.text() : "no login";
  };
  BOOST_TEST(password_of({ssh::secret{"of the store"}, {}}) == "of the store");
  BOOST_TEST(password_of({{}, first.string()}) == "open sesame");
}

BOOST_AUTO_TEST_CASE(a_password_that_cannot_be_had_is_told) {
  write_file(first, "\n");
  const auto objection_to = [&](const std::string& file) {
    credentials found;
    found.sources.emplace_back(login_password{{}, file});
    return objection(spawn_with(found));
  };
  BOOST_TEST(contains(objection_to(first.string()), "is empty"));
  BOOST_TEST(contains(objection_to(second.string()), "Password file " + second.string()));
  write_file(first, std::string{"open\0sesame\n", 12});
  BOOST_TEST(contains(objection_to(first.string()), "holds a NUL byte"));
  BOOST_REQUIRE(::mkfifo(second.c_str(), 0600) == 0);
  BOOST_TEST(contains(objection_to(second.string()), "is not a regular file"));
}

BOOST_AUTO_TEST_CASE(what_is_said_of_credentials_holds_no_password) {
  credentials found{"deploy", {login_password{ssh::secret{"open sesame"}, {}}}};
  BOOST_TEST(to_string(found) == "credentials(deploy, password)");
}

BOOST_AUTO_TEST_CASE(a_key_in_memory_that_cannot_be_read_is_a_configuration_error) {
  BOOST_REQUIRE(make_key(first, "open sesame"));
  const auto objection_to = [&](const key_in_memory& key) {
    credentials found;
    found.sources.emplace_back(key);
    return objection(spawn_with(found));
  };
  BOOST_TEST(contains(objection_to({ssh::secret{"hello"}, {}}),
                      "private key in memory is not in a private key format"));
  BOOST_TEST(contains(objection_to({ssh::secret{read_file(first)}, {}}), "is encrypted"));
  const std::string wrong = objection_to({ssh::secret{read_file(first)}, ssh::secret{"open says"}});
  BOOST_TEST(contains(wrong, "passphrase is wrong"));
  BOOST_TEST(!contains(wrong, "open says"));
}

BOOST_AUTO_TEST_CASE(a_key_file_of_a_hub_has_a_passphrase_of_its_own) {
  BOOST_REQUIRE(make_key(first, "open sesame"));
  credentials found;
  found.sources.emplace_back(key_file{"~/first", ssh::secret{"open sesame"}, {}});
  BOOST_CHECK(load(spawn_with(found)));
}

BOOST_AUTO_TEST_CASE(a_source_that_cannot_be_used_is_passed_over) {
  BOOST_REQUIRE(make_key(first));
  credentials found;
  found.sources.emplace_back(key_file{"~/none", {}, {}});
  found.sources.emplace_back(key_file{"~/first", {}, {}});
  BOOST_TEST(load_some(spawn_with(found)).size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_store_without_any_source_is_a_configuration_error) {
  BOOST_TEST(objection(spawn_with({})) == "No private key to use");
}

BOOST_AUTO_TEST_CASE(a_store_that_ended_is_an_error_and_no_endless_wait) {
  const credential_store store = system.spawn([]() -> credential_store::behavior_type {
    return {[](load_atom, const machine&) { return credentials{}; }};
  });
  const auto subject = spawn_ring(store);
  end(store);
  BOOST_CHECK(!load(subject));
}

BOOST_AUTO_TEST_CASE(an_agent_is_named_by_its_socket) {
  credentials found;
  found.sources.emplace_back(key_agent{"~/agent"});
  const auto login = load(spawn_with(found));
  BOOST_REQUIRE(login);
  BOOST_TEST(login->keys.empty());
  BOOST_REQUIRE(login->agents.size() == 1u);
  BOOST_TEST(login->agents[0] == (home.path() / "agent").string());
}

BOOST_AUTO_TEST_CASE(the_default_agent_is_the_one_of_the_environment) {
  ::setenv("SSH_AUTH_SOCK", "/run/some/agent", 1);
  const auto login = load(spawn({}, {}, "SSH_AUTH_SOCK"));
  ::unsetenv("SSH_AUTH_SOCK");
  BOOST_REQUIRE(login);
  BOOST_TEST(login->agents == std::vector<std::string>{"/run/some/agent"},
             boost::test_tools::per_element());
  BOOST_TEST(contains(objection(spawn({}, {}, "SSH_AUTH_SOCK")), "SSH_AUTH_SOCK is not set"));
}

BOOST_AUTO_TEST_CASE(no_secret_is_in_the_text_of_credentials) {
  credentials found;
  found.username = "deploy";
  found.sources.emplace_back(key_in_memory{ssh::secret{"key text"}, ssh::secret{"sesame"}});
  found.sources.emplace_back(key_file{"/keys/id", ssh::secret{"sesame"}, {}});
  found.sources.emplace_back(key_agent{});
  BOOST_TEST(to_string(found)
             == "credentials(deploy, key in memory, key file /keys/id, agent SSH_AUTH_SOCK)");
  const auto message = caf::make_message(found);
  BOOST_TEST(!contains(to_string(message), "sesame"));
  BOOST_TEST(!contains(to_string(message), "key text"));
}

BOOST_AUTO_TEST_CASE(without_any_key_the_error_tells_all_places_that_were_tried) {
  const auto message = objection(spawn());
  for (const std::string name : {"id_ed25519", "id_ecdsa", "id_rsa"})
    BOOST_TEST(contains(message, (home.path() / ".ssh" / name).string()), message);
}

BOOST_AUTO_TEST_SUITE_END()
