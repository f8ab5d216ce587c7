#include "actors/pool/simulated_pool.hpp"
#include "files.hpp"
#include "no_descriptors_left.hpp"
#include "sshexec/actors/services/key_ring.hpp"
#include "sshexec/testing/temporary_directory.hpp"

#include <boost/test/unit_test.hpp>

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;

namespace {

/// A key ring on virtual time.
struct fixture : testing::virtual_time<hub_configuration> {
  explicit fixture(key_ring_settings settings = {}) : settings(std::move(settings)) {
    BOOST_REQUIRE(make_key(file));
    settle();
  }

  /// Null if that fails.
  ssh::private_key load() {
    ssh::private_key seen;
    system.spawn([this, &seen](caf::event_based_actor* self) {
      self->request(ring, caf::infinite, load_atom_v, machine{})
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

  key_ring_settings settings;
  caf::error why_not;
  testing::temporary_directory directory;
  std::filesystem::path file = directory.path() / "key";
  credentials found{"", {key_file{file.string(), {}, {}}}};
  credential_store store = owned(system.spawn([this]() -> credential_store::behavior_type {
    return {[this](load_atom, const machine&) { return found; }};
  }));
  key_ring_actor ring = owned(system.spawn(key_ring, store, settings));
};

/// The threads that a key ring derives keys on: each runs when the test says so.
struct played_threads {
  std::deque<std::function<void()>> begun;
  bool is_short = false;

  thread_starter starter() {
    return [this](caf::actor_system&, std::function<void()> job) {
      if (!is_short)
        begun.push_back(std::move(job));
      return !is_short;
    };
  }
};

/// What became of a request for keys.
struct login_request {
  std::optional<ssh::login> login;
  caf::error why_not;

  [[nodiscard]] bool is_open() const { return !login && !why_not; }
};

/// A key ring whose derivations end when the test says so.
struct derivations_fixture : played_threads, fixture {
  explicit derivations_fixture(std::size_t max_derivations = 8)
    : fixture(
      {.patience = 10s, .hold = 60s, .max_derivations = max_derivations, .start = starter()}) {
    for (const auto& path : {slow, quick})
      BOOST_REQUIRE(make_key(path, "open sesame"));
    settle();
  }

  /// One who asks for the keys of these files.
  std::shared_ptr<login_request> ask(const std::vector<std::filesystem::path>& files,
                                     const std::string& passphrase = "open sesame") {
    found.sources.clear();
    for (const auto& path : files)
      found.sources.emplace_back(key_file{path.string(), ssh::secret{passphrase}, {}});
    auto result = std::make_shared<login_request>();
    system.spawn([this, result](caf::event_based_actor* self) {
      self->request(ring, caf::infinite, load_atom_v, machine{})
        .then([result](ssh::login& login) { result->login = std::move(login); },
              [result](const caf::error& reason) { result->why_not = reason; });
    });
    settle();
    return result;
  }

  /// Ends the derivation that began at this place among those that go on.
  void end_derivation(std::size_t place = 0) {
    const auto job = begun.at(place);
    begun.erase(begun.begin() + static_cast<std::ptrdiff_t>(place));
    job();
    settle();
  }

  std::filesystem::path slow = directory.path() / "slow";
  std::filesystem::path quick = directory.path() / "quick";
};

struct one_at_a_time : derivations_fixture {
  one_at_a_time() : derivations_fixture(1) {}
};

bool is_timeout(const caf::error& reason) {
  return is(reason, error_code::connection_error)
         && to_failure(reason).fault == connection_fault::timed_out;
}

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

BOOST_FIXTURE_TEST_CASE(all_who_wait_for_a_key_share_one_derivation, derivations_fixture) {
  const auto first = ask({slow});
  const auto second = ask({slow});
  BOOST_TEST(begun.size() == 1u);
  end_derivation();
  BOOST_REQUIRE(first->login);
  BOOST_REQUIRE(second->login);
  BOOST_TEST((first->login->keys.at(0) == second->login->keys.at(0)));
}

BOOST_FIXTURE_TEST_CASE(a_key_with_another_passphrase_is_derived_by_itself, derivations_fixture) {
  const auto right = ask({slow});
  const auto wrong = ask({slow}, "open says me");
  BOOST_REQUIRE(begun.size() == 2u);
  end_derivation(1);
  BOOST_TEST(is(wrong->why_not, error_code::configuration_error));
  BOOST_TEST(right->is_open());
  end_derivation();
  BOOST_TEST(right->login.has_value());
}

BOOST_FIXTURE_TEST_CASE(a_wrong_passphrase_is_tried_once, derivations_fixture) {
  const ssh::secret wrong{"open says me"};
  found.sources = {key_file{slow.string(), wrong, {}}};
  const auto ask_again = [&] {
    const ssh::private_key none = load();
    BOOST_TEST((none == nullptr));
  };
  ask_again();
  end_derivation();
  BOOST_TEST(is(why_not, error_code::configuration_error));
  why_not = {};
  ask_again();
  BOOST_TEST(is(why_not, error_code::configuration_error));
  BOOST_TEST(begun.empty());
}

BOOST_FIXTURE_TEST_CASE(a_slow_key_holds_up_nobody_who_does_not_need_it, derivations_fixture) {
  const auto held_up = ask({slow});
  const auto derived = ask({quick});
  const auto clear = ask({file}, "");
  BOOST_TEST(clear->login.has_value());
  end_derivation(1);
  BOOST_TEST(derived->login.has_value());
  BOOST_TEST(held_up->is_open());
  end_derivation();
  BOOST_TEST(held_up->login.has_value());
}

BOOST_FIXTURE_TEST_CASE(no_more_derivations_than_allowed_go_on_at_once, one_at_a_time) {
  const auto first = ask({slow});
  const auto second = ask({quick});
  BOOST_TEST(begun.size() == 1u);
  end_derivation();
  BOOST_TEST(first->login.has_value());
  BOOST_TEST(begun.size() == 1u);
  end_derivation();
  BOOST_TEST(second->login.has_value());
}

BOOST_FIXTURE_TEST_CASE(no_derivation_is_begun_for_those_who_gave_up, one_at_a_time) {
  ask({slow});
  const auto late = ask({quick});
  pass(10s);
  end_derivation();
  BOOST_TEST(begun.empty());
  BOOST_TEST(is_timeout(late->why_not));
}

BOOST_FIXTURE_TEST_CASE(a_derivation_is_begun_when_one_of_those_who_wait_has_patience_left,
                        one_at_a_time) {
  ask({slow});
  const auto gone = ask({quick});
  pass(9s);
  const auto patient = ask({quick});
  pass(1s);
  end_derivation();
  BOOST_REQUIRE(begun.size() == 1u);
  end_derivation();
  BOOST_TEST(is_timeout(gone->why_not));
  BOOST_TEST(patient->login.has_value());
}

BOOST_FIXTURE_TEST_CASE(a_key_that_came_too_late_is_kept_for_whoever_asks_next,
                        derivations_fixture) {
  const auto gone = ask({slow});
  pass(10s);
  end_derivation();
  BOOST_TEST(is_timeout(gone->why_not));
  pass(59s);
  const auto next = ask({slow});
  BOOST_TEST(begun.empty());
  BOOST_REQUIRE(next->login);
  // From now on it lives as long as those who got it need it.
  const std::weak_ptr<ssh_key_struct> key = next->login->keys.at(0);
  BOOST_TEST(!key.expired());
  next->login.reset();
  BOOST_TEST(key.expired());
}

BOOST_FIXTURE_TEST_CASE(a_key_that_nobody_asks_for_again_is_let_go, derivations_fixture) {
  found.sources = {key_file{slow.string(), ssh::secret{"open sesame"}, {}}};
  load();
  const ssh::weak_secret passphrase{std::get<key_file>(found.sources[0]).passphrase};
  found.sources.clear();
  pass(10s);
  end_derivation();
  pass(59s);
  BOOST_TEST(!passphrase.expired());
  pass(1s);
  BOOST_TEST(passphrase.expired());
}

BOOST_FIXTURE_TEST_CASE(a_key_that_was_derived_is_kept_though_its_neighbour_came_too_late,
                        one_at_a_time) {
  const auto gone = ask({slow, quick});
  pass(9s);
  end_derivation();
  BOOST_TEST(gone->is_open());
  pass(1s);
  end_derivation();
  BOOST_TEST(is_timeout(gone->why_not));
  const auto next = ask({slow, quick});
  BOOST_TEST(begun.empty());
  BOOST_REQUIRE(next->login);
  BOOST_TEST(next->login->keys.size() == 2u);
}

BOOST_FIXTURE_TEST_CASE(keys_are_offered_in_their_order_whichever_is_derived_first,
                        derivations_fixture) {
  const auto asker = ask({slow, quick});
  end_derivation(1);
  BOOST_TEST(asker->is_open());
  end_derivation();
  BOOST_REQUIRE(asker->login);
  BOOST_REQUIRE(asker->login->keys.size() == 2u);
  BOOST_TEST(asker->login->keys[0].name == slow.string());
  BOOST_TEST(asker->login->keys[1].name == quick.string());
}

BOOST_FIXTURE_TEST_CASE(a_derivation_of_changed_credentials_is_for_those_who_wait_already,
                        derivations_fixture) {
  const auto before = ask({slow});
  caf::anon_send(ring, changed_atom_v);
  const auto after = ask({slow});
  BOOST_TEST(begun.size() == 2u);
  end_derivation();
  BOOST_TEST(before->login.has_value());
  BOOST_TEST(after->is_open());
  end_derivation();
  BOOST_TEST(after->login.has_value());
}

BOOST_FIXTURE_TEST_CASE(a_moment_without_threads_is_not_remembered_of_a_key, derivations_fixture) {
  is_short = true;
  BOOST_TEST((to_failure(ask({slow})->why_not).fault == connection_fault::unreachable));
  is_short = false;
  const auto next = ask({slow});
  end_derivation();
  BOOST_TEST(next->login.has_value());
}

BOOST_FIXTURE_TEST_CASE(a_key_waits_for_a_thread_while_another_one_has_one, derivations_fixture) {
  ask({slow});
  is_short = true;
  const auto second = ask({quick});
  BOOST_TEST(second->is_open());
  is_short = false;
  end_derivation();
  end_derivation();
  BOOST_TEST(second->login.has_value());
}

BOOST_FIXTURE_TEST_CASE(an_end_answers_all_who_wait_for_keys, one_at_a_time) {
  const auto running = ask({slow});
  const auto waiting = ask({quick});
  caf::anon_send_exit(ring, caf::exit_reason::user_shutdown);
  settle();
  BOOST_TEST(is(running->why_not, error_code::shutting_down));
  BOOST_TEST(is(waiting->why_not, error_code::shutting_down));
  // It ends for nobody.
  end_derivation();
}

BOOST_AUTO_TEST_SUITE_END()
