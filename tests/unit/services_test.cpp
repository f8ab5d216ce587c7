#include "actor_fixture.hpp"
#include "files.hpp"
#include "preconditions.hpp"
#include "sshexec/actors/services/file_credential_store.hpp"
#include "sshexec/actors/services/file_host_key_store.hpp"
#include "sshexec/actors/services/key_ring.hpp"
#include "sshexec/actors/services/resolver.hpp"
#include "sshexec/testing/temporary_directory.hpp"

#include <boost/test/unit_test.hpp>
#include <libssh/libssh.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace sshexec;
using namespace sshexec::test;
namespace fs = std::filesystem;

/// Holds up whoever waits for `opened`. Look-ups keep a copy, because their threads may outlive the
/// test's own variables.
class gate {
public:
  void open() { opening_.set_value(); }

private:
  std::promise<void> opening_;

public:
  std::shared_future<void> opened{opening_.get_future()};
};

address_list loopback(std::uint16_t port) {
  return ssh::resolve("127.0.0.1", port).value();
}

struct resolver_fixture : actor_fixture {
  /// The text forms of what a name resolves to.
  std::vector<std::string> resolve(const resolver_actor& subject, const std::string& host,
                                   std::uint16_t port) {
    const auto found = ask<address_list>(subject, resolve_atom::value, host, port);
    BOOST_REQUIRE(found);
    std::vector<std::string> texts;
    for (const auto& x : *found)
      texts.push_back(to_string(x));
    return texts;
  }

  caf::error failure_of(const resolver_actor& subject, const std::string& host) {
    return ask<address_list>(subject, resolve_atom::value, host, std::uint16_t{22}).error();
  }

  auto request_resolve(const resolver_actor& subject, const std::string& host) {
    return request(subject, resolve_atom::value, host, std::uint16_t{22});
  }

  /// Returns once `subject` has taken all requests that were sent before.
  void wait_until_taken(const resolver_actor& subject) { resolve(subject, "127.0.0.1", 1); }
};

using texts = std::vector<std::string>;

} // namespace

BOOST_FIXTURE_TEST_SUITE(resolver_test, resolver_fixture)

BOOST_AUTO_TEST_CASE(a_numeric_address_is_answered_without_a_look_up) {
  const look_up_function forbidden = [](const std::string&, std::uint16_t) {
    return ssh::result<address_list>{tl::unexpected{ssh::error{}}};
  };
  auto subject = start(system.spawn(resolver, forbidden, 1));
  BOOST_TEST(resolve(subject, "192.0.2.1", 22) == texts{"192.0.2.1:22"});
  BOOST_TEST(resolve(subject, "2001:db8::1", 65535) == texts{"[2001:db8::1]:65535"});
}

BOOST_AUTO_TEST_CASE(a_name_from_the_hosts_file_is_resolved,
                     *boost::unit_test::precondition(needs_hosts_file)) {
  auto subject = start(system.spawn(resolver, ssh::resolve, 1));
  const auto found = resolve(subject, "localhost", 22);
  BOOST_TEST(!found.empty());
  for (const auto& x : found)
    BOOST_TEST((x == "127.0.0.1:22" || x == "[::1]:22"));
}

BOOST_AUTO_TEST_CASE(a_name_that_cannot_exist_is_not_found) {
  auto subject = start(system.spawn(resolver, ssh::resolve, 1));
  const auto reason = failure_of(subject, "no..such..name");
  BOOST_TEST(is(reason, error_code::connection_error));
  BOOST_TEST((to_failure(reason).fault == connection_fault::name_not_found));
  BOOST_TEST(contains(to_failure(reason).message, "no..such..name"));
}

BOOST_AUTO_TEST_CASE(a_temporary_failure_is_told_from_a_name_that_does_not_exist) {
  const look_up_function unreachable = [](const std::string&, std::uint16_t) {
    return ssh::result<address_list>{
      tl::unexpected{ssh::error{ssh::error_kind::unreachable, "no name server"}}};
  };
  auto subject = start(system.spawn(resolver, unreachable, 1));
  const auto reason = failure_of(subject, "host.example");
  BOOST_TEST(is(reason, error_code::connection_error));
  BOOST_TEST((to_failure(reason).fault == connection_fault::unreachable));
}

BOOST_AUTO_TEST_CASE(a_slow_name_does_not_delay_the_others) {
  gate slow;
  const look_up_function look_up
    = [opened = slow.opened](const std::string& host, std::uint16_t port) {
        if (host == "slow")
          opened.wait();
        return ssh::result<address_list>{loopback(port)};
      };
  auto subject = start(system.spawn(resolver, look_up, 2));
  auto slow_answer = request_resolve(subject, "slow");
  BOOST_TEST(resolve(subject, "fast", 22) == texts{"127.0.0.1:22"});
  BOOST_TEST(resolve(subject, "fast", 23) == texts{"127.0.0.1:23"});
  slow.open();
  BOOST_CHECK(receive<address_list>(std::move(slow_answer)));
}

BOOST_AUTO_TEST_CASE(no_more_look_ups_than_allowed_run_at_once) {
  constexpr int allowed = 2;
  gate start_line;
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  const look_up_function look_up
    = [&, opened = start_line.opened](const std::string&, std::uint16_t port) {
        const int now = ++running;
        for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
        }
        opened.wait();
        --running;
        return ssh::result<address_list>{loopback(port)};
      };
  auto subject = start(system.spawn(resolver, look_up, allowed));
  using response = decltype(request_resolve(subject, ""));
  std::vector<response> responses;
  for (int i = 0; i < 20; ++i)
    responses.push_back(request_resolve(subject, "name"));
  wait_until_taken(subject);
  start_line.open();
  for (auto& x : responses)
    BOOST_CHECK(receive<address_list>(std::move(x)));
  BOOST_TEST(most <= allowed);
}

BOOST_AUTO_TEST_CASE(waiting_names_are_looked_up_in_the_order_of_the_requests) {
  gate first;
  texts order;
  const look_up_function look_up
    = [&, opened = first.opened](const std::string& host, std::uint16_t port) {
        opened.wait();
        order.push_back(host);
        return ssh::result<address_list>{loopback(port)};
      };
  auto subject = start(system.spawn(resolver, look_up, 1));
  for (const std::string host : {"a", "b"})
    request_resolve(subject, host);
  auto last = request_resolve(subject, "c");
  wait_until_taken(subject);
  first.open();
  BOOST_CHECK(receive<address_list>(std::move(last)));
  BOOST_TEST(order == (texts{"a", "b", "c"}));
}

BOOST_AUTO_TEST_CASE(a_look_up_that_throws_fails_its_own_request_alone) {
  const look_up_function look_up = [](const std::string& host, std::uint16_t port) {
    if (host == "bad")
      throw std::runtime_error{"bad"};
    return ssh::result<address_list>{loopback(port)};
  };
  auto subject = start(system.spawn(resolver, look_up, 1));
  auto bad = request_resolve(subject, "bad");
  BOOST_TEST(resolve(subject, "good", 22) == texts{"127.0.0.1:22"});
  BOOST_CHECK(!receive<address_list>(std::move(bad)));
}

BOOST_AUTO_TEST_CASE(an_end_answers_all_open_requests_without_waiting_for_look_ups) {
  gate never;
  const look_up_function look_up = [opened = never.opened](const std::string&, std::uint16_t port) {
    opened.wait();
    return ssh::result<address_list>{loopback(port)};
  };
  auto subject = system.spawn(resolver, look_up, 1);
  auto running = request_resolve(subject, "running");
  auto waiting = request_resolve(subject, "waiting");
  wait_until_taken(subject);
  end(subject);
  BOOST_TEST(is(receive<address_list>(std::move(running)).error(), error_code::shutting_down));
  BOOST_TEST(is(receive<address_list>(std::move(waiting)).error(), error_code::shutting_down));
  never.open();
}

BOOST_AUTO_TEST_SUITE_END()

namespace {

/// A home directory of the test's own.
class temporary_home {
public:
  temporary_home() {
    if (const char* home = std::getenv("HOME"))
      former_ = home;
    ::setenv("HOME", directory_.path().c_str(), 1);
    fs::create_directory(path() / ".ssh");
  }

  temporary_home(const temporary_home&) = delete;
  temporary_home& operator=(const temporary_home&) = delete;

  ~temporary_home() {
    if (former_)
      ::setenv("HOME", former_->c_str(), 1);
    else
      ::unsetenv("HOME");
  }

  [[nodiscard]] fs::path path() const { return directory_.path(); }

private:
  testing::temporary_directory directory_;
  std::optional<std::string> former_;
};

struct credential_fixture : actor_fixture {
  /// A key ring that asks the files.
  key_ring_actor spawn(const std::string& identity_file = {},
                       const std::string& passphrase_file = {},
                       const std::string& identity_agent = {}) {
    return spawn_ring(
      start(system.spawn(file_credential_store, identity_file, passphrase_file, identity_agent)));
  }

  key_ring_actor spawn_ring(const credential_store& store) {
    return start(system.spawn<caf::detached>(key_ring, store));
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
    return ask<ssh::login>(subject, load_atom::value, target);
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

BOOST_AUTO_TEST_CASE(a_machines_own_key_counts_before_the_default) {
  BOOST_REQUIRE(make_key(first));
  BOOST_REQUIRE(make_key(second));
  auto subject = spawn(first.string());
  const auto chosen = load_some(subject, second.string());
  BOOST_REQUIRE(chosen.size() == 1u);
  BOOST_TEST(is_same(chosen[0], second));
  BOOST_TEST(is_same(load_some(subject)[0], first));
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

namespace {

const ssh::host_key key_a{"ssh-ed25519",
                          "AAAAC3NzaC1lZDI1NTE5AAAAICaFogyROqZmUOiu+bwZtr7LM0Gkt2KEVHYeXhtKsvq4"};
const ssh::host_key key_b{"ssh-ed25519",
                          "AAAAC3NzaC1lZDI1NTE5AAAAIKqXLWbX2fAIHKdgYNGfYD6pew8Hv8XZurMSRUdEOsFX"};

struct host_key_fixture : actor_fixture {
  host_key_store spawn(const std::string& known_hosts_file) {
    return start(system.spawn<caf::detached>(file_host_key_store, known_hosts_file));
  }

  caf::expected<ssh::known_keys> look_up(const std::string& host) {
    return ask<ssh::known_keys>(subject, look_up_atom::value, host, std::uint16_t{22});
  }

  caf::expected<ssh::host_key> remember(const std::string& host, const ssh::host_key& key) {
    return ask<ssh::host_key>(subject, remember_atom::value, host, std::uint16_t{22}, key);
  }

  static std::string line(const std::string& host, const ssh::host_key& key) {
    return host + " " + key.type + " " + key.base64 + "\n";
  }

  temporary_home home;
  fs::path file = home.path() / "hosts";
  host_key_store subject = spawn(file.string());
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(host_key_store_test, host_key_fixture)

BOOST_AUTO_TEST_CASE(a_remembered_key_is_found) {
  BOOST_REQUIRE(look_up("host.example"));
  BOOST_TEST(look_up("host.example")->trusted.empty());
  const auto stored = remember("host.example", key_a);
  BOOST_REQUIRE(stored);
  BOOST_TEST((*stored == key_a));
  BOOST_TEST((look_up("host.example")->trusted == std::vector{key_a}));
}

BOOST_AUTO_TEST_CASE(a_key_is_recorded_once) {
  BOOST_REQUIRE(remember("host.example", key_a));
  BOOST_REQUIRE(remember("host.example", key_a));
  BOOST_TEST(read_file(file) == line("host.example", key_a));
}

BOOST_AUTO_TEST_CASE(a_key_recorded_by_somebody_else_meanwhile_is_not_overruled) {
  BOOST_REQUIRE(look_up("host.example"));
  write_file(file, line("host.example", key_b));
  const auto reason = remember("host.example", key_a).error();
  BOOST_TEST(is(reason, error_code::host_key_error));
  BOOST_TEST(contains(to_failure(reason).message, fingerprint(key_a)));
  BOOST_TEST(contains(to_failure(reason).message, fingerprint(key_b)));
  BOOST_TEST(read_file(file) == line("host.example", key_b));
}

BOOST_AUTO_TEST_CASE(a_revoked_key_is_not_remembered) {
  write_file(file, "@revoked " + line("*", key_a));
  BOOST_TEST(is(remember("host.example", key_a).error(), error_code::host_key_error));
  BOOST_TEST((look_up("host.example")->revoked == std::vector{key_a}));
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_used_is_a_configuration_error_with_path_and_reason) {
  fs::create_directory(file);
  for (const auto& reason :
       {look_up("host.example").error(), remember("host.example", key_a).error()}) {
    BOOST_TEST(is(reason, error_code::configuration_error));
    BOOST_TEST(contains(to_failure(reason).message, file.string() + ": Is a directory"));
  }
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_written_is_a_configuration_error) {
  subject = spawn((home.path() / "missing" / "folder" / "hosts").string());
  const auto reason = remember("host.example", key_a).error();
  BOOST_TEST(is(reason, error_code::configuration_error));
  BOOST_TEST(contains(to_failure(reason).message, "folder/hosts: No such file or directory"));
}

BOOST_AUTO_TEST_CASE(the_users_own_file_is_the_default) {
  subject = spawn("");
  BOOST_REQUIRE(remember("host.example", key_a));
  BOOST_TEST(read_file(home.path() / ".ssh" / "known_hosts") == line("host.example", key_a));
}

BOOST_AUTO_TEST_SUITE_END()
