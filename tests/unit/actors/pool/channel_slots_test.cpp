#include "sshexec/actors/pool/channel_slots.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>

BOOST_AUTO_TEST_SUITE(channel_slots)

namespace {

/// A server that takes so many channels at once, asked for as many as the slots allow.
struct server {
  explicit server(std::uint32_t channels) : most(channels) {}

  void serve(int rounds) {
    for (int i = 0; i < rounds; ++i) {
      while (slots.free() > 0)
        ask();
      slots.served();
      slots.give_back();
    }
  }

  void ask() {
    slots.take();
    if (slots.open() <= most)
      return;
    slots.refused();
    ++refusals;
  }

  std::uint32_t most;
  sshexec::channel_slots slots{10};
  int refusals = 0;
};

} // namespace

BOOST_AUTO_TEST_CASE(a_limit_is_learned_from_a_refusal) {
  server small{3};
  small.ask();
  small.ask();
  small.ask();
  small.ask();
  BOOST_TEST(small.slots.limit() == 3U);
  BOOST_TEST(small.slots.free() == 0U);
}

BOOST_AUTO_TEST_CASE(a_limit_that_holds_is_tried_more_and_more_seldom) {
  server single{1};
  single.serve(10);
  const int in_the_beginning = single.refusals;
  BOOST_TEST(in_the_beginning > 1);
  single.serve(1000);
  BOOST_TEST(single.refusals - in_the_beginning < 20);
  BOOST_TEST(single.refusals - in_the_beginning > 10);
}

BOOST_AUTO_TEST_CASE(a_limit_that_has_risen_is_found_after_a_while) {
  server busy{1};
  busy.serve(1000);
  busy.most = 8;
  busy.serve(200);
  BOOST_TEST(busy.slots.limit() >= 8U);
}

BOOST_AUTO_TEST_SUITE_END()
