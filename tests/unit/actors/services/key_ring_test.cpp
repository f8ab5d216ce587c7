#include "actors/pool/simulated_pool.hpp"
#include "files.hpp"
#include "no_descriptors_left.hpp"
#include "sshexec/actors/services/key_ring.hpp"
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

  /// Null if that fails.
  ssh::private_key load() {
    ssh::private_key seen;
    system.spawn([this, &seen](caf::event_based_actor* self) {
      self->request(ring, caf::infinite, load_atom::value, machine{})
        .then([&seen](const ssh::login& login) { seen = login.keys.at(0); },
              [this](const caf::error& reason) { why_not = reason; });
    });
    settle();
    return seen;
  }

  /// What the store answers with from now on, in memory.
  ssh::weak_secret set_key_in_memory() {
    const ssh::secret text{read_file(file)};
    found.sources = {key_in_memory{text, {}}};
    return ssh::weak_secret{text};
  }

  caf::error why_not;
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
  set_key_in_memory();
  auto first = load();
  BOOST_TEST((load() == first));
  const std::weak_ptr<ssh_key_struct> key = first;
  first.reset();
  BOOST_TEST(key.expired());
}

BOOST_AUTO_TEST_CASE(the_text_of_a_key_in_memory_is_wiped_with_the_key) {
  const auto text = set_key_in_memory();
  auto key = load();
  found.sources.clear();
  BOOST_TEST(!text.expired());
  key.reset();
  BOOST_TEST(text.expired());
}

BOOST_AUTO_TEST_CASE(a_text_that_makes_no_key_is_not_kept) {
  write_file(file, "no key");
  const auto text = set_key_in_memory();
  BOOST_TEST((load() == nullptr));
  BOOST_TEST(!text.expired());
  found.sources.clear();
  BOOST_TEST(text.expired());
}

BOOST_AUTO_TEST_CASE(keys_whose_texts_are_alike_are_shared_although_they_lie_apart) {
  set_key_in_memory();
  const auto first = load();
  set_key_in_memory();
  BOOST_TEST((load() == first));
  BOOST_REQUIRE(make_key(file));
  set_key_in_memory();
  BOOST_TEST((load() != first));
}

BOOST_AUTO_TEST_CASE(changed_credentials_are_read_again) {
  const auto first = load();
  caf::anon_send(ring, changed_atom_v);
  settle();
  BOOST_TEST((load() != first));
}

BOOST_AUTO_TEST_CASE(a_moment_without_descriptors_is_not_remembered) {
  {
    const no_descriptors_left shortage;
    BOOST_TEST((load() == nullptr));
  }
  // So that it is tried again.
  BOOST_TEST(is(why_not, error_code::connection_error));
  BOOST_TEST((load() != nullptr));
}

BOOST_AUTO_TEST_CASE(no_other_key_stands_in_for_one_that_is_short_of_a_descriptor) {
  const ssh::secret text{read_file(file)};
  found.sources.insert(found.sources.begin(), key_in_memory{text, {}});
  const no_descriptors_left shortage;
  BOOST_TEST((load() == nullptr));
  BOOST_TEST(is(why_not, error_code::connection_error));
}

BOOST_AUTO_TEST_SUITE_END()
