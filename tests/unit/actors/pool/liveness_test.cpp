#include "sshexec/actors/pool/liveness.hpp"

#include <boost/test/unit_test.hpp>

using namespace sshexec;
using namespace std::chrono_literals;

namespace {

using verdict = liveness::verdict;

const time_point start{};

} // namespace

BOOST_AUTO_TEST_SUITE(liveness_of_a_peer)

BOOST_AUTO_TEST_CASE(a_silent_peer_is_asked_twice_and_then_lost) {
  liveness peer{10s, start};
  BOOST_TEST((peer.look(start + 10s - 1ns, true) == verdict::wait));
  BOOST_TEST(!peer.is_in_doubt());
  BOOST_TEST((peer.look(start + 10s, true) == verdict::ask));
  BOOST_TEST(peer.is_in_doubt());
  BOOST_TEST((peer.look(start + 20s, true) == verdict::ask));
  BOOST_TEST((peer.look(start + 30s, true) == verdict::lost));
  BOOST_TEST((peer.silence(start + 30s) == 30s));
}

BOOST_AUTO_TEST_CASE(a_peer_that_was_heard_of_is_looked_at_an_interval_later) {
  liveness peer{10s, start};
  peer.heard(1, start + 4s);
  BOOST_TEST((peer.look(start + 10s, true) == verdict::wait));
  BOOST_TEST((peer.deadline() == start + 14s));
  BOOST_TEST((peer.look(start + 14s, true) == verdict::ask));
}

BOOST_AUTO_TEST_CASE(the_same_number_of_bytes_is_silence) {
  liveness peer{10s, start};
  peer.heard(7, start);
  peer.heard(7, start + 9s);
  BOOST_TEST((peer.look(start + 10s, true) == verdict::ask));
}

BOOST_AUTO_TEST_CASE(an_answer_takes_the_doubt_away) {
  liveness peer{10s, start};
  peer.look(start + 10s, true);
  peer.heard(1, start + 11s);
  BOOST_TEST(!peer.is_in_doubt());
  BOOST_TEST((peer.look(start + 20s, true) == verdict::wait));
  BOOST_TEST((peer.look(start + 21s, true) == verdict::ask));
}

BOOST_AUTO_TEST_CASE(looks_are_counted_where_the_process_was_held_up) {
  liveness peer{10s, start};
  BOOST_TEST((peer.look(start + 1h, true) == verdict::ask));
  BOOST_TEST((peer.look(start + 1h + 10s, true) == verdict::ask));
  BOOST_TEST((peer.look(start + 1h + 20s, true) == verdict::lost));
}

BOOST_AUTO_TEST_CASE(a_connection_that_is_not_read_says_nothing_about_its_peer) {
  liveness peer{10s, start};
  peer.look(start + 10s, true);
  peer.look(start + 20s, true);
  for (auto now = start + 30s; now < start + 10min; now += 10s)
    BOOST_TEST((peer.look(now, false) == verdict::wait));
  BOOST_TEST((peer.look(start + 10min, true) == verdict::ask));
  BOOST_TEST((peer.look(start + 10min + 10s, true) == verdict::ask));
  BOOST_TEST((peer.look(start + 10min + 20s, true) == verdict::lost));
}

BOOST_AUTO_TEST_SUITE_END()
