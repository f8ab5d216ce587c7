#include "sshexec/ssh/output_backlog.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <utility>
#include <vector>

using namespace sshexec::ssh;

namespace {

std::vector<event::output> told_by(output_backlog& backlog) {
  std::vector<connection_event> events;
  backlog.tell(7, events);
  std::vector<event::output> result;
  for (connection_event& x : events)
    result.push_back(std::get<event::output>(std::move(x)));
  return result;
}

} // namespace

BOOST_AUTO_TEST_SUITE(output_backlog_test)

BOOST_AUTO_TEST_CASE(neighbours_of_one_stream_are_joined_and_the_order_of_streams_is_kept) {
  output_backlog backlog;
  backlog.add("a", false);
  backlog.add("b", false);
  backlog.add("c", true);
  backlog.add("d", false);
  const auto told = told_by(backlog);
  BOOST_TEST_REQUIRE(told.size() == 3U);
  BOOST_TEST((told[0].data == "ab" && !told[0].is_stderr && told[0].id == 7));
  BOOST_TEST((told[1].data == "c" && told[1].is_stderr));
  BOOST_TEST((told[2].data == "d" && !told[2].is_stderr));
  BOOST_TEST(backlog.empty());
}

BOOST_AUTO_TEST_CASE(a_chunk_has_256_kib_at_the_most) {
  output_backlog backlog;
  backlog.add(std::string(3, 'x'), false);
  backlog.add(std::string((512 << 10) - 2, 'x'), false);
  const auto told = told_by(backlog);
  BOOST_TEST_REQUIRE(told.size() == 3U);
  BOOST_TEST(told[0].data.size() == 256U << 10);
  BOOST_TEST(told[1].data.size() == 256U << 10);
  BOOST_TEST(told[2].data.size() == 1U);
}

BOOST_AUTO_TEST_CASE(no_byte_is_told_beyond_what_was_granted) {
  output_backlog backlog;
  backlog.add(std::string(stream_window, 'x'), false);
  backlog.add("abcdef", true);
  std::size_t told = 0;
  for (const auto& x : told_by(backlog))
    told += x.data.size();
  BOOST_TEST(told == stream_window);
  BOOST_TEST(told_by(backlog).empty());
  BOOST_TEST(backlog.full());

  backlog.grant(2);
  auto more = told_by(backlog);
  BOOST_TEST_REQUIRE(more.size() == 1U);
  BOOST_TEST(more[0].data == "ab");

  backlog.grant(100);
  more = told_by(backlog);
  BOOST_TEST_REQUIRE(more.size() == 1U);
  BOOST_TEST(more[0].data == "cdef");
  BOOST_TEST(backlog.empty());
}

BOOST_AUTO_TEST_CASE(many_small_chunks_fill_it_before_their_bytes_do) {
  output_backlog backlog;
  std::size_t bytes = 0;
  for (; !backlog.full(); ++bytes)
    backlog.add("x", bytes % 2 == 0);
  BOOST_TEST(bytes < stream_window / 16);
  BOOST_TEST(told_by(backlog).size() == bytes);
  BOOST_TEST(!backlog.full());
}

BOOST_AUTO_TEST_SUITE_END()
