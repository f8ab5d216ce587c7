#include "actor_fixture.hpp"
#include "files.hpp"
#include "no_descriptors_left.hpp"
#include "preconditions.hpp"
#include "sshexec/actors/services/resolver.hpp"
#include "sshexec/testing/virtual_time.hpp"

#include <boost/test/unit_test.hpp>
#include <caf/event_based_actor.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace sshexec;
using namespace sshexec::test;

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
  auto subject = start(system.spawn(resolver, resolver_settings{forbidden, 1}));
  BOOST_TEST(resolve(subject, "192.0.2.1", 22) == texts{"192.0.2.1:22"});
  BOOST_TEST(resolve(subject, "2001:db8::1", 65535) == texts{"[2001:db8::1]:65535"});
}

BOOST_AUTO_TEST_CASE(a_name_from_the_hosts_file_is_resolved,
                     *boost::unit_test::precondition(needs_hosts_file)) {
  auto subject = start(system.spawn(resolver, resolver_settings{ssh::resolve, 1}));
  const auto found = resolve(subject, "localhost", 22);
  BOOST_TEST(!found.empty());
  for (const auto& x : found)
    BOOST_TEST((x == "127.0.0.1:22" || x == "[::1]:22"));
}

BOOST_AUTO_TEST_CASE(a_name_that_cannot_exist_is_not_found) {
  auto subject = start(system.spawn(resolver, resolver_settings{ssh::resolve, 1}));
  const auto reason = failure_of(subject, "no..such..name");
  BOOST_TEST(is(reason, error_code::connection_error));
  BOOST_TEST((to_failure(reason).fault == connection_fault::name_not_found));
  BOOST_TEST(contains(to_failure(reason).message, "no..such..name"));
}

BOOST_AUTO_TEST_CASE(a_moment_without_descriptors_is_no_verdict_on_a_name) {
  const no_descriptors_left shortage;
  const auto found = ssh::resolve("machine.example", 22);
  BOOST_REQUIRE(!found);
  BOOST_TEST((found.error().kind == ssh::error_kind::shortage));
  BOOST_TEST(contains(found.error().text, "Too many open files"));
}

BOOST_AUTO_TEST_CASE(a_temporary_failure_is_told_from_a_name_that_does_not_exist) {
  const look_up_function unreachable = [](const std::string&, std::uint16_t) {
    return ssh::result<address_list>{
      tl::unexpected{ssh::error{ssh::error_kind::unreachable, "no name server"}}};
  };
  auto subject = start(system.spawn(resolver, resolver_settings{unreachable, 1}));
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
  auto subject = start(system.spawn(resolver, resolver_settings{look_up, 2}));
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
  auto subject = start(system.spawn(resolver, resolver_settings{look_up, allowed}));
  using response = decltype(request_resolve(subject, ""));
  std::vector<response> responses;
  for (int i = 0; i < 20; ++i)
    responses.push_back(request_resolve(subject, "name-" + std::to_string(i)));
  wait_until_taken(subject);
  start_line.open();
  for (auto& x : responses)
    BOOST_CHECK(receive<address_list>(std::move(x)));
  BOOST_TEST(most <= allowed);
}

BOOST_AUTO_TEST_CASE(all_who_wait_for_a_name_share_one_look_up) {
  gate slow;
  std::atomic<int> look_ups = 0;
  const look_up_function look_up = [&, opened = slow.opened](const std::string&, std::uint16_t) {
    ++look_ups;
    opened.wait();
    return ssh::result<address_list>{loopback(0)};
  };
  auto subject = start(system.spawn(resolver, resolver_settings{look_up, 2}));
  auto first = request_resolve(subject, "name");
  auto second = request_resolve(subject, "name");
  auto other_port = request(subject, resolve_atom::value, "name", std::uint16_t{2222});
  wait_until_taken(subject);
  slow.open();
  BOOST_CHECK(receive<address_list>(std::move(first)));
  BOOST_CHECK(receive<address_list>(std::move(second)));
  const auto found = receive<address_list>(std::move(other_port));
  BOOST_REQUIRE(found);
  BOOST_TEST(to_string(found->at(0)) == "127.0.0.1:2222");
  BOOST_TEST(look_ups == 1);
  // What was found is not remembered.
  BOOST_TEST(resolve(subject, "name", 22) == texts{"127.0.0.1:22"});
  BOOST_TEST(look_ups == 2);
}

BOOST_AUTO_TEST_CASE(no_look_up_is_begun_for_those_who_gave_up) {
  gate first;
  texts order;
  const look_up_function look_up
    = [&, opened = first.opened](const std::string& host, std::uint16_t port) {
        opened.wait();
        order.push_back(host);
        return ssh::result<address_list>{loopback(port)};
      };
  auto subject = start(system.spawn(resolver, resolver_settings{look_up, 1, caf::timespan{1}}));
  auto running = request_resolve(subject, "running");
  auto late = request_resolve(subject, "late");
  wait_until_taken(subject);
  first.open();
  BOOST_CHECK(receive<address_list>(std::move(running)));
  const auto reason = receive<address_list>(std::move(late)).error();
  BOOST_TEST((to_failure(reason).fault == connection_fault::timed_out));
  BOOST_TEST(order == texts{"running"});
}

BOOST_AUTO_TEST_CASE(a_moment_without_threads_passes) {
  std::atomic<bool> is_short = true;
  resolver_settings settings;
  settings.look_up = [](const std::string&, std::uint16_t port) {
    return ssh::result<address_list>{loopback(port)};
  };
  settings.start = [&is_short](caf::actor_system& system, std::function<void()> job) {
    return !is_short && start_thread(system, std::move(job));
  };
  auto subject = start(system.spawn(resolver, settings));
  const auto reason = failure_of(subject, "name");
  BOOST_TEST((to_failure(reason).fault == connection_fault::unreachable));
  BOOST_TEST(contains(to_failure(reason).message, "no thread"));
  is_short = false;
  BOOST_TEST(resolve(subject, "name", 22) == texts{"127.0.0.1:22"});
}

BOOST_AUTO_TEST_CASE(names_wait_for_a_thread_while_another_look_up_has_one) {
  gate first;
  std::atomic<int> started = 0;
  resolver_settings settings;
  settings.look_up = [opened = first.opened](const std::string&, std::uint16_t port) {
    opened.wait();
    return ssh::result<address_list>{loopback(port)};
  };
  // The second start fails.
  settings.start = [&started](caf::actor_system& system, std::function<void()> job) {
    return ++started != 2 && start_thread(system, std::move(job));
  };
  auto subject = start(system.spawn(resolver, settings));
  auto one = request_resolve(subject, "one");
  auto two = request_resolve(subject, "two");
  wait_until_taken(subject);
  first.open();
  BOOST_CHECK(receive<address_list>(std::move(one)));
  BOOST_CHECK(receive<address_list>(std::move(two)));
  BOOST_TEST(started == 3);
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
  auto subject = start(system.spawn(resolver, resolver_settings{look_up, 1}));
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
  auto subject = start(system.spawn(resolver, resolver_settings{look_up, 1}));
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
  auto subject = system.spawn(resolver, resolver_settings{look_up, 1});
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

/// A resolver on virtual time whose look-ups end when the test lets them.
struct stuck_resolver_fixture : testing::virtual_time<> {
  stuck_resolver_fixture() {
    resolver_settings settings;
    settings.patience = std::chrono::seconds{10};
    settings.look_up = [](const std::string&, std::uint16_t port) {
      return ssh::result<address_list>{loopback(port)};
    };
    settings.start = [this](caf::actor_system&, std::function<void()> job) {
      look_ups.push_back(std::move(job));
      return true;
    };
    subject = owned(resolver_actor{system.spawn(resolver, settings)});
  }

  void ask() {
    system.spawn([this](caf::event_based_actor* self) {
      self->request(subject, caf::infinite, resolve_atom::value, "name", std::uint16_t{22})
        .then([this](const address_list&) { ++answered; });
    });
    settle();
  }

  std::vector<std::function<void()>> look_ups;
  resolver_actor subject;
  int answered = 0;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(stuck_resolver_test, stuck_resolver_fixture)

// Half of the patience, so that the retry of one that gave up never waits for the same look-up,
// which began a moment after the attempt did.
BOOST_AUTO_TEST_CASE(a_look_up_that_may_never_end_gets_one_more_beside_it) {
  ask();
  pass(std::chrono::milliseconds{4999});
  ask();
  BOOST_TEST(look_ups.size() == 1U);
  pass(std::chrono::milliseconds{1});
  ask();
  BOOST_REQUIRE(look_ups.size() == 2U);
  look_ups[1]();
  settle();
  BOOST_TEST(answered == 3);
  look_ups[0]();
  settle();
  BOOST_TEST(answered == 3);
}

BOOST_AUTO_TEST_CASE(a_name_whose_look_ups_never_end_leaves_places_for_others) {
  for (int i = 0; i < 20; ++i) {
    ask();
    pass(std::chrono::seconds{5});
  }
  BOOST_TEST(look_ups.size() == 8U);
}

BOOST_AUTO_TEST_SUITE_END()
