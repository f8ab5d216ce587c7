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

  /// Asks for the key, and lets go of it: what is left is what the ring keeps.
  std::weak_ptr<ssh_key_struct> load() {
    std::weak_ptr<ssh_key_struct> seen;
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
  key_ring_actor ring = owned(system.spawn(key_ring, store, caf::timespan{1min}));
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(key_ring_test, fixture)

BOOST_AUTO_TEST_CASE(a_key_is_wiped_a_while_after_its_last_use) {
  const auto key = load();
  pass(30s);
  BOOST_TEST((load().lock() == key.lock()));
  pass(30s);
  BOOST_TEST(!key.expired());
  pass(30s);
  BOOST_TEST(!key.expired());
  pass(30s);
  BOOST_TEST(key.expired());
}

BOOST_AUTO_TEST_CASE(a_key_in_memory_is_kept_no_longer) {
  found.sources = {key_in_memory{ssh::secret{read_file(file)}, {}}};
  const auto key = load();
  BOOST_TEST(!key.expired());
  BOOST_TEST((load().lock() == key.lock()));
  pass(1min);
  BOOST_TEST(key.expired());
}

BOOST_AUTO_TEST_CASE(changed_credentials_leave_no_key_behind) {
  const auto key = load();
  caf::anon_send(ring, changed_atom_v);
  settle();
  BOOST_TEST(key.expired());
}

BOOST_AUTO_TEST_SUITE_END()
