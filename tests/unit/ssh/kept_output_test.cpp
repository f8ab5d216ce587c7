#include "sshexec/ssh/kept_output.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>

using sshexec::ssh::kept_output;

namespace {

/// What is to be kept of a stream, by the plainest means.
std::string expected(const std::string& all, std::size_t cap) {
  if (all.size() <= cap)
    return all;
  return all.substr(0, cap - cap / 2) + all.substr(all.size() - cap / 2);
}

std::string stream_of(std::size_t size) {
  std::string result(size, '\0');
  std::generate(result.begin(), result.end(), [i = 0]() mutable { return char('a' + i++ % 23); });
  return result;
}

} // namespace

BOOST_AUTO_TEST_SUITE(kept_output_test)

BOOST_AUTO_TEST_CASE(head_and_tail_are_kept_whatever_the_cap_and_the_sizes_of_the_chunks) {
  for (std::size_t cap = 0; cap <= 9; ++cap) {
    for (std::size_t size = 0; size <= 40; ++size) {
      for (std::size_t chunk = 1; chunk <= size + 1; ++chunk) {
        const std::string all = stream_of(size);
        kept_output kept{cap};
        for (std::size_t i = 0; i < size; i += chunk)
          kept.add(std::string_view{all}.substr(i, chunk));
        BOOST_TEST_CONTEXT("cap " << cap << ", " << size << " bytes in chunks of " << chunk) {
          BOOST_TEST_REQUIRE(kept.bytes() == size);
          BOOST_TEST_REQUIRE(kept.take() == expected(all, cap));
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(the_gap_is_where_the_tail_begins) {
  kept_output odd{5};
  odd.add("abcdefgh");
  BOOST_TEST(odd.gap() == 3U);
  BOOST_TEST(odd.take() == "abcgh");

  kept_output one{1};
  one.add("ab");
  BOOST_TEST(one.gap() == 1U);
  BOOST_TEST(one.take() == "a");
}

BOOST_AUTO_TEST_CASE(nothing_is_allocated_ahead_for_a_large_cap_and_nothing_beyond_it) {
  kept_output large{std::uint64_t{1} << 62};
  large.add(std::string(100, 'x'));
  BOOST_TEST(large.take().capacity() < 1000U);

  kept_output small{1000};
  for (int i = 0; i < 100; ++i)
    small.add(std::string(300, 'x'));
  BOOST_TEST(small.take().capacity() == 1000U);
}

BOOST_AUTO_TEST_CASE(a_stream_that_was_taken_begins_anew) {
  kept_output kept{4};
  kept.add("abcdefg");
  BOOST_TEST(kept.take() == "abfg");
  BOOST_TEST(kept.bytes() == 0U);
  kept.add("xy");
  BOOST_TEST(kept.take() == "xy");
}

BOOST_AUTO_TEST_SUITE_END()
