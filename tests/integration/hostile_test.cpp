#include "hub.hpp"
#include "sshexec/testing/hostile_peer.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <optional>
#include <ostream>
#include <string>
#include <vector>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;

namespace data = boost::unit_test::data;

namespace {

/// One for all tests of this file, since Python starts slowly.
std::optional<testing::hostile_peer> the_peer;

struct peer_process {
  peer_process() { the_peer.emplace(); }

  ~peer_process() { the_peer.reset(); }
};

struct hostile : hub {
  using hub::hub;

  machine target = [] {
    machine result;
    result.hostname = the_peer->host();
    result.port = the_peer->port();
    result.username = "anyone";
    result.identity_file = the_peer->client_key_file();
    return result;
  }();

  /// Nothing is left of what came before, on a connection that serves on.
  void require_that_the_connection_goes_on() {
    const auto next = run(target, "say fine");
    BOOST_REQUIRE(next.succeeded());
    BOOST_TEST(next->output.stdout_data == "fine");
    BOOST_TEST(next->reused_connection);
  }

  /// To be called last.
  void require_answers(std::size_t count) {
    shut_down();
    BOOST_TEST(journal().size() == count);
  }
};

/// A behaviour that tells an outcome correctly, whatever else it does.
struct told_outcome {
  std::string line;
  std::string output = {};
  int exit_code = 0;
  std::string exit_signal = {};

  friend std::ostream& operator<<(std::ostream& out, const told_outcome& x) {
    return out << x.line;
  }
};

const std::vector<told_outcome> told_outcomes{
  {.line = "data-past-window 1", .output = std::string(64001, 'x')},
  {.line = "data-after-eof", .output = "before"},
  {.line = "data-after-close", .output = "before"},
  {.line = "second-eof"},
  {.line = "second-close"},
  {.line = "request-after-close", .exit_code = 3},
  {.line = "second-exit-status", .exit_code = 3},
  {.line = "exit-status-before-output", .output = "late", .exit_code = 3},
};

const std::vector<std::string> paces{"", "slowly "};

} // namespace

BOOST_AUTO_TEST_SUITE(hostile_peer, *boost::unit_test::fixture<peer_process>())

BOOST_DATA_TEST_CASE_F(hostile, a_command_whose_outcome_is_told_correctly_gives_its_result,
                       data::make(told_outcomes) * data::make(paces), told, pace) {
  const auto answer = run(target, pace + told.line);
  BOOST_REQUIRE(answer.succeeded());
  BOOST_TEST(answer->output.stdout_data == told.output);
  BOOST_TEST(answer->output.stderr_data == "");
  BOOST_TEST(answer->exit_code == told.exit_code);
  BOOST_TEST(answer->exit_signal == told.exit_signal);
  require_that_the_connection_goes_on();
  require_answers(2);
}

BOOST_AUTO_TEST_SUITE_END()
