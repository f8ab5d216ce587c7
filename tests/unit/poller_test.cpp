#include "sshexec/ssh/file_descriptor.hpp"
#include "sshexec/ssh/poller.hpp"

#include <boost/test/unit_test.hpp>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <future>
#include <memory>

BOOST_AUTO_TEST_SUITE(poller)

namespace {

using sshexec::ssh::file_descriptor;

/// Only a failing test waits this long.
constexpr std::chrono::seconds patience{20};

/// Two ends of a stream; a byte written to one makes the other readable.
struct stream {
  stream() {
    std::array<int, 2> ends{};
    BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    watched = file_descriptor{ends[0]};
    far = file_descriptor{ends[1]};
  }

  void make_readable() const { BOOST_REQUIRE(::send(far.get(), "x", 1, 0) == 1); }

  file_descriptor watched;
  file_descriptor far;
};

} // namespace

BOOST_AUTO_TEST_CASE(a_socket_is_told_of_while_another_ones_owner_is_busy) {
  // Shared with threads that nobody joins.
  struct shared_state {
    std::promise<void> begun;
    std::promise<void> told;
    std::promise<bool> done;
  };

  stream busy;
  stream other;
  const auto shared = std::make_shared<shared_state>();
  sshexec::ssh::poller watcher{2};
  // The first owner is done only when the second one was told.
  auto busy_place = watcher.add(busy.watched.get(), [shared] {
    shared->begun.set_value();
    const auto told = shared->told.get_future().wait_for(patience);
    shared->done.set_value(told == std::future_status::ready);
  });
  auto other_place = watcher.add(other.watched.get(), [shared] { shared->told.set_value(); });
  busy_place.arm(sshexec::ssh::poller::interest::read);
  other_place.arm(sshexec::ssh::poller::interest::read);
  busy.make_readable();
  shared->begun.get_future().wait();
  other.make_readable();
  BOOST_TEST(shared->done.get_future().get());
}

BOOST_AUTO_TEST_CASE(a_poller_may_end_on_one_of_its_own_threads) {
  // Shared with a thread that nobody joins.
  struct shared_state {
    stream last;
    std::promise<void> armed;
    std::promise<void> ended;
    std::unique_ptr<sshexec::ssh::poller> watcher = std::make_unique<sshexec::ssh::poller>(2);
    sshexec::ssh::poller::registration place;
  };

  const auto shared = std::make_shared<shared_state>();
  shared->place = shared->watcher->add(shared->last.watched.get(), [shared] {
    shared->armed.get_future().wait();
    shared->place = {};
    shared->watcher.reset();
    shared->ended.set_value();
  });
  shared->place.arm(sshexec::ssh::poller::interest::read);
  shared->last.make_readable();
  shared->armed.set_value();
  shared->ended.get_future().wait();
  BOOST_TEST(!shared->watcher);
}

BOOST_AUTO_TEST_SUITE_END()
