#include "actor_fixture.hpp"
#include "files.hpp"
#include "sshexec/actors/services/file_host_key_store.hpp"
#include "sshexec/ssh/file_descriptor.hpp"
#include "sshexec/testing/temporary_directory.hpp"
#include "temporary_home.hpp"

#include <boost/test/unit_test.hpp>
#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace {

using namespace sshexec;
using namespace sshexec::test;
namespace fs = std::filesystem;

const ssh::host_key key_a{"ssh-ed25519",
                          "AAAAC3NzaC1lZDI1NTE5AAAAICaFogyROqZmUOiu+bwZtr7LM0Gkt2KEVHYeXhtKsvq4"};
const ssh::host_key key_b{"ssh-ed25519",
                          "AAAAC3NzaC1lZDI1NTE5AAAAIKqXLWbX2fAIHKdgYNGfYD6pew8Hv8XZurMSRUdEOsFX"};

/// What is written to stderr meanwhile.
std::string said_on_stderr(const std::function<void()>& what) {
  const testing::temporary_directory directory;
  const fs::path file = directory.path() / "stderr";
  const ssh::file_descriptor before{::dup(STDERR_FILENO)};
  const ssh::file_descriptor taken{::open(file.c_str(), O_WRONLY | O_CREAT, 0600)};
  ::dup2(taken.get(), STDERR_FILENO);
  what();
  ::dup2(before.get(), STDERR_FILENO);
  return read_file(file);
}

struct host_key_fixture : actor_fixture {
  host_key_files_actor spawn(const std::string& known_hosts_file) {
    return start(system.spawn<caf::detached>(file_host_key_store, known_hosts_file));
  }

  caf::expected<ssh::known_keys> look_up(const std::string& host) {
    return ask<ssh::known_keys>(subject, look_up_atom_v, host, std::uint16_t{22});
  }

  caf::expected<ssh::host_key> remember(const std::string& host, const ssh::host_key& key) {
    return ask<ssh::host_key>(subject, remember_atom_v, host, std::uint16_t{22}, key);
  }

  static std::string line(const std::string& host, const ssh::host_key& key) {
    return host + " " + key.type + " " + key.base64 + "\n";
  }

  temporary_home home;
  fs::path file = home.path() / "hosts";
  host_key_files_actor subject = spawn(file.string());
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

BOOST_AUTO_TEST_CASE(other_files_are_asked_where_they_are_named) {
  const fs::path own = home.path() / "own";
  const fs::path global = home.path() / "global";
  write_file(global, line("host.example", key_b));
  const known_hosts_choice where{{own.string()}, {global.string()}};
  const std::string host = "host.example";
  const std::uint16_t port = 22;
  const auto found = ask<ssh::known_keys>(subject, look_up_atom_v, host, port, where);
  BOOST_REQUIRE(found);
  BOOST_TEST((found->trusted == std::vector{key_b}));
  const auto store = [&](const known_hosts_choice& files) {
    return ask<ssh::host_key>(subject, remember_atom_v, host, port, key_a, files);
  };
  BOOST_TEST(is(store(where).error(), error_code::host_key_error));
  BOOST_TEST(store({{own.string()}, {}}).engaged());
  BOOST_TEST(read_file(own) == line(host, key_a));
  BOOST_TEST(store({{}, {}}).engaged());
  BOOST_TEST(!fs::exists(file));
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

BOOST_AUTO_TEST_CASE(a_key_that_cannot_be_recorded_is_accepted_with_one_warning) {
  subject = spawn((home.path() / "missing" / "folder" / "hosts").string());
  const std::string said = said_on_stderr([this] {
    BOOST_TEST((remember("host.example", key_a) == key_a));
    BOOST_TEST((remember("other.example", key_b) == key_b));
  });
  BOOST_TEST(said
             == "sshexec: host keys are accepted but not recorded: Cannot write to "
                  + (home.path() / "missing" / "folder" / "hosts").string()
                  + ": No such file or directory\n");
  BOOST_TEST(is(remember("host.*", key_a).error(), error_code::configuration_error));
}

BOOST_AUTO_TEST_CASE(a_host_at_an_unusual_port_may_show_its_usual_key) {
  write_file(file, line("host.example", key_a));
  const auto at_port = [this](std::uint16_t port) {
    return ask<ssh::known_keys>(subject, look_up_atom_v, std::string{"host.example"}, port);
  };
  BOOST_REQUIRE(at_port(2222));
  BOOST_TEST(at_port(2222)->trusted.empty());
  BOOST_TEST((at_port(2222)->at_usual_port == std::vector{key_a}));
  const auto remember_at_port = [this](const ssh::host_key& key) {
    return ask<ssh::host_key>(subject, remember_atom_v, std::string{"host.example"},
                              std::uint16_t{2222}, key);
  };
  // It is known, and nothing is to be recorded.
  BOOST_TEST((remember_at_port(key_a) == key_a));
  BOOST_TEST(read_file(file) == line("host.example", key_a));
  // Another one is that of another server.
  BOOST_TEST((remember_at_port(key_b) == key_b));
  BOOST_TEST(read_file(file) == line("host.example", key_a) + line("[host.example]:2222", key_b));
  BOOST_TEST(at_port(2222)->at_usual_port.empty());
  BOOST_TEST(at_port(22)->at_usual_port.empty());
}

BOOST_AUTO_TEST_CASE(the_users_own_file_is_the_default) {
  subject = spawn("");
  BOOST_REQUIRE(remember("host.example", key_a));
  BOOST_TEST(read_file(home.path() / ".ssh" / "known_hosts") == line("host.example", key_a));
}

BOOST_AUTO_TEST_SUITE_END()
