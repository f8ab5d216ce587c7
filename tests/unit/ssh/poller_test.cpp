#include "sshexec/ssh/file_descriptor.hpp"
#include "sshexec/ssh/poller.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <future>
#include <memory>
#include <thread>
#include <utility>

BOOST_AUTO_TEST_SUITE(poller)

namespace {

using sshexec::ssh::file_descriptor;

/// Only a failing test waits this long.
constexpr std::chrono::seconds patience{20};

/// A thread that looks for news gives up in between. On a busy machine it may not, and less is
/// tested.
constexpr std::chrono::milliseconds longer_than_it_looks{20};

/// Two ends of a stream; a byte written to one makes the other readable.
struct stream {
  stream() {
    std::array<int, 2> ends{};
    BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    watched = file_descriptor{ends[0]};
    far = file_descriptor{ends[1]};
  }

  /// May be called on any thread, as what Boost.Test has may not.
  void make_readable() const { ::send(far.get(), "x", 1, 0); }

  /// Takes a byte, and tells whether there was one.
  [[nodiscard]] bool take() const {
    char byte = 0;
    return ::recv(watched.get(), &byte, 1, MSG_DONTWAIT) == 1;
  }

  file_descriptor watched;
  file_descriptor far;
};

bool comes(std::promise<void>& x) {
  return x.get_future().wait_for(patience) == std::future_status::ready;
}

/// A registration that goes, and the one that gets its socket's number.
struct successors {
  stream first;
  stream second;
  std::promise<void> left_place;
  std::promise<void> told;
  int left = 100;
  sshexec::ssh::poller watcher;
  sshexec::ssh::poller::registration place;
  sshexec::ssh::poller::registration successor;
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

/// The thread that told it stays awake for such a socket, and sleeps when its news stop.
BOOST_AUTO_TEST_CASE(a_socket_is_told_of_however_soon_its_news_come) {
  constexpr int in_a_row = 1000;

  // Shared with a thread that nobody joins.
  struct shared_state {
    stream in_use;
    std::promise<void> all;
    std::promise<void> late;
    int left = in_a_row;
    sshexec::ssh::poller watcher;
    sshexec::ssh::poller::registration place;
  };

  const auto shared = std::make_shared<shared_state>();
  const std::weak_ptr<shared_state> weak = shared;
  shared->place = shared->watcher.add(shared->in_use.watched.get(), [weak] {
    const auto self = weak.lock();
    if (!self || !self->in_use.take())
      return;
    if (self->left-- == 0)
      return self->late.set_value();
    if (self->left == 0)
      self->all.set_value();
    else
      self->in_use.make_readable();
    self->place.arm(sshexec::ssh::poller::interest::read);
  });
  shared->place.arm(sshexec::ssh::poller::interest::read);
  shared->in_use.make_readable();
  BOOST_REQUIRE(comes(shared->all));
  std::this_thread::sleep_for(longer_than_it_looks);
  shared->in_use.make_readable();
  BOOST_TEST(comes(shared->late));
}

BOOST_AUTO_TEST_CASE(a_socket_that_always_has_news_gives_the_others_their_turn) {
  // Shared with a thread that nobody joins.
  struct shared_state {
    stream busy;
    stream other;
    int left = 1'000'000;
    int left_when_told = 0;
    std::promise<void> told;
    sshexec::ssh::poller watcher;
    sshexec::ssh::poller::registration busy_place;
    sshexec::ssh::poller::registration other_place;
  };

  const auto shared = std::make_shared<shared_state>();
  const std::weak_ptr<shared_state> weak = shared;
  shared->other_place = shared->watcher.add(shared->other.watched.get(), [weak] {
    const auto self = weak.lock();
    self->left_when_told = std::exchange(self->left, 0);
    self->told.set_value();
  });
  shared->busy_place = shared->watcher.add(shared->busy.watched.get(), [weak] {
    const auto self = weak.lock();
    if (!self || self->left == 0)
      return;
    // By now the thread has learned that it need not wait for this one.
    if (--self->left == 999'000)
      self->other_place.arm(sshexec::ssh::poller::interest::read);
    // Nothing was taken, so the next news are there already.
    if (self->left > 0)
      self->busy_place.arm(sshexec::ssh::poller::interest::read);
  });
  shared->other.make_readable();
  shared->busy.make_readable();
  shared->busy_place.arm(sshexec::ssh::poller::interest::read);
  BOOST_REQUIRE(comes(shared->told));
  BOOST_TEST(shared->left_when_told > 0);
}

/// Its number may be another socket's by the time that the thread looks at it, or arms it.
BOOST_DATA_TEST_CASE(an_owner_may_leave_while_its_next_news_are_looked_for,
                     boost::unit_test::data::make({false, true}), successor_has_news_at_once) {
  const auto shared = std::make_shared<successors>();
  const std::weak_ptr<successors> weak = shared;
  const int number = shared->first.watched.get();
  shared->place = shared->watcher.add(number, [weak, number] {
    const auto self = weak.lock();
    if (!self || !self->first.take())
      return;
    self->place.arm(sshexec::ssh::poller::interest::read);
    if (--self->left > 0)
      return self->first.make_readable();
    self->place = {};
    ::dup2(self->second.watched.get(), number);
    self->successor = self->watcher.add(number, [weak] {
      if (const auto successor = weak.lock())
        successor->told.set_value();
    });
    self->successor.arm(sshexec::ssh::poller::interest::read);
    self->left_place.set_value();
  });
  if (successor_has_news_at_once)
    shared->second.make_readable();
  shared->place.arm(sshexec::ssh::poller::interest::read);
  shared->first.make_readable();
  shared->left_place.get_future().wait();
  if (!successor_has_news_at_once) {
    std::this_thread::sleep_for(longer_than_it_looks);
    shared->second.make_readable();
  }
  BOOST_TEST(comes(shared->told));
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
