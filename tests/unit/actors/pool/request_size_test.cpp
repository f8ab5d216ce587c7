#include "simulated_pool.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <string>

using namespace sshexec;
using namespace sshexec::test;

/// What a server would end the whole connection for is refused before it is sent.
namespace {

constexpr std::size_t limit = std::size_t{255} << 10;

struct willing_pool : simulated_pool {
  willing_pool() { network.on_start = succeed_at_once; }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(size_of_requests, willing_pool)

BOOST_AUTO_TEST_CASE(a_command_that_fits_into_no_packet_is_refused) {
  BOOST_TEST(request(some_command(std::string(limit, 'x')))->result.has_value());
  const auto refused = request(some_command(std::string(limit + 1, 'x')));
  BOOST_TEST(refused->failed_with(error_code::invalid_argument));
  BOOST_TEST((refused->what().progress == progress::not_started));
}

BOOST_AUTO_TEST_CASE(the_wrapper_of_a_tracked_command_counts) {
  command what = some_command(std::string(limit, 'x'));
  what.tracked = true;
  BOOST_TEST(request(what)->failed_with(error_code::invalid_argument));
}

BOOST_AUTO_TEST_CASE(an_environment_variable_that_fits_into_no_packet_is_refused) {
  command what = some_command();
  what.environment["NAME"] = std::string(limit - 4, 'x');
  BOOST_TEST(request(what)->result.has_value());
  what.environment["NAME"] += 'x';
  const auto refused = request(what);
  BOOST_TEST(refused->failed_with(error_code::invalid_argument));
  BOOST_TEST(refused->what().message.find("NAME") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
