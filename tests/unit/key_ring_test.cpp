#include "files.hpp"
#include "simulated_pool.hpp"
#include "sshexec/actors/key_ring.hpp"
#include "sshexec/testing/temporary_directory.hpp"

#include <boost/test/unit_test.hpp>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;

namespace {

/// A key ring on virtual time.
struct fixture : testing::virtual_time<hub_configuration> {
  fixture() {
    BOOST_REQUIRE(make_key(file));
    settle();
  }

  ssh::private_key load() {
    ssh::private_key seen;
    system.spawn([this, &seen](caf::event_based_actor* self) {
      self->request(ring, caf::infinite, load_atom::value, machine{})
        .then([&seen](const ssh::login& login) { seen = login.keys.at(0); });
    });
    settle();
    return seen;
  }

  testing::temporary_directory directory;
  std::filesystem::path file = directory.path() / "key";
  credentials found{"", {key_file{file.string(), {}, {}}}};
  credential_store store = owned(system.spawn([this]() -> credential_store::behavior_type {
    return {[this](load_atom, const machine&) { return found; }};
  }));
  key_ring_actor ring = owned(system.spawn(key_ring, store));
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(key_ring_test, fixture)

BOOST_AUTO_TEST_CASE(those_who_connect_together_share_a_key_and_the_last_one_wipes_it) {
  auto first = load();
  auto second = load();
  BOOST_TEST((first == second));
  const std::weak_ptr<ssh_key_struct> key = first;
  first.reset();
  BOOST_TEST(!key.expired());
  second.reset();
  BOOST_TEST(key.expired());
  BOOST_TEST((load() != nullptr));
}

BOOST_AUTO_TEST_CASE(a_key_in_memory_is_kept_no_longer) {
  found.sources = {key_in_memory{ssh::secret{read_file(file)}, {}}};
  auto first = load();
  BOOST_TEST((load() == first));
  const std::weak_ptr<ssh_key_struct> key = first;
  first.reset();
  BOOST_TEST(key.expired());
}

BOOST_AUTO_TEST_CASE(changed_credentials_are_read_again) {
  const auto first = load();
  caf::anon_send(ring, changed_atom_v);
  settle();
  BOOST_TEST((load() != first));
}

BOOST_AUTO_TEST_SUITE_END()
