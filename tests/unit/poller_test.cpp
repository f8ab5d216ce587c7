#include "sshexec/ssh/file_descriptor.hpp"
#include "sshexec/ssh/poller.hpp"

#include <boost/test/unit_test.hpp>
#include <sys/socket.h>

#include <array>
#include <future>
#include <memory>

BOOST_AUTO_TEST_SUITE(poller)

namespace {

using sshexec::ssh::file_descriptor;

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
  sshexec::ssh::poller watcher{2};
  stream busy;
  stream other;
  std::promise<void> begun;
  std::promise<void> told;
  // The first owner is done only when the second one was told.
  auto busy_place = watcher.add(busy.watched.get(), [&, wait = told.get_future().share()] {
    begun.set_value();
    wait.wait();
  });
  auto other_place = watcher.add(other.watched.get(), [&] { told.set_value(); });
  busy_place.arm(sshexec::ssh::poller::interest::read);
  other_place.arm(sshexec::ssh::poller::interest::read);
  busy.make_readable();
  begun.get_future().wait();
  other.make_readable();
}

BOOST_AUTO_TEST_CASE(a_poller_may_end_on_one_of_its_own_threads) {
  auto watcher = std::make_shared<sshexec::ssh::poller>(2);
  stream last;
  std::promise<void> ended;
  auto place = std::make_shared<sshexec::ssh::poller::registration>();
  *place = watcher->add(last.watched.get(), [&watcher, &ended, place] {
    *place = {};
    watcher.reset();
    ended.set_value();
  });
  place->arm(sshexec::ssh::poller::interest::read);
  last.make_readable();
  ended.get_future().wait();
  BOOST_TEST(!watcher);
}

BOOST_AUTO_TEST_SUITE_END()
