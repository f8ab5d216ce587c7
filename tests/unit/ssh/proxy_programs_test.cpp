#include "sshexec/ssh/proxy_programs.hpp"
#include "sshexec/testing/temporary_directory.hpp"

#include <boost/test/unit_test.hpp>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <string>

namespace {

using namespace sshexec;
using stream = std::shared_ptr<ssh::carried_stream>;

/// Longer than anything here takes.
constexpr int patience_in_ms = 60'000;

struct fixture {
  stream start(const std::string& line) {
    auto result = programs.start("sh -c '" + line + '\'');
    BOOST_REQUIRE(result.has_value());
    return *result;
  }

  /// What comes next; "" at the end of the stream.
  static std::string read(const stream& from) {
    pollfd ready{from->socket.get(), POLLIN, 0};
    BOOST_REQUIRE(::poll(&ready, 1, patience_in_ms) == 1);
    std::array<char, 256> buffer{};
    const auto count = ::read(from->socket.get(), buffer.data(), buffer.size());
    BOOST_REQUIRE((count >= 0 || errno == ECONNRESET));
    return count > 0 ? std::string{buffer.data(), static_cast<std::size_t>(count)} : "";
  }

  static std::string why_ended(const stream& x) {
    const auto why = x->note->read();
    return why ? why->text : "";
  }

  ssh::proxy_programs programs;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(proxy_programs_test, fixture)

BOOST_AUTO_TEST_CASE(a_program_s_end_is_told_with_what_it_complained_of) {
  const auto x = start("echo hello; echo no way >&2; exit 3");
  BOOST_TEST(read(x) == "hello\n");
  BOOST_TEST(read(x).empty());
  BOOST_TEST(why_ended(x) == "it ended with exit code 3: no way");
}

BOOST_AUTO_TEST_CASE(a_program_and_its_children_die_when_its_stream_is_closed) {
  const testing::temporary_directory folder;
  const std::string fifo = folder.path() / "fifo";
  BOOST_REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  // It ends when the last one has died who can write to it.
  const ssh::file_descriptor alive{::open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
  auto x = start("exec 3>" + fifo + "; sleep 1000 & echo started; wait");
  BOOST_TEST(read(x) == "started\n");
  x.reset();
  pollfd ended{alive.get(), 0, 0};
  BOOST_TEST(::poll(&ended, 1, patience_in_ms) == 1);
}

BOOST_AUTO_TEST_CASE(a_child_that_a_program_leaves_behind_does_not_keep_its_stream_open) {
  const auto x = start("sleep 1000 & exit 3");
  BOOST_TEST(read(x).empty());
  BOOST_TEST(why_ended(x) == "it ended with exit code 3");
}

/// Whoever reads all that it writes comes to no end.
BOOST_AUTO_TEST_CASE(a_program_that_floods_its_stderr_is_in_nobody_s_way) {
  const auto flooding
    = start("for i in 1 2 3 4 5 6 7 8; do cat /dev/zero >&2 & done; echo started; wait");
  BOOST_TEST(read(flooding) == "started\n");
  const auto other = start("exit 4");
  BOOST_TEST(read(other).empty());
  BOOST_TEST(why_ended(other) == "it ended with exit code 4");
}

BOOST_AUTO_TEST_SUITE_END()
