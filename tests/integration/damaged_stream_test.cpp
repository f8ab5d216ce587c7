#include "hub.hpp"
#include "sshexec/testing/faulty_proxy.hpp"
#include "sshexec/testing/scripted_server.hpp"

#include <boost/test/unit_test.hpp>

#include <future>

using namespace sshexec;
using namespace sshexec::test;

namespace {

/// Behind the length of the packet (RFC 5647 §7.3), so that its end still comes.
constexpr std::uint64_t byte_of_the_payload = 8;

testing::command_script answered_when_told(const std::string&) {
  testing::command_script result = testing::print("");
  result.before_answer = {testing::step::wait_for{"answer"}};
  return result;
}

} // namespace

BOOST_AUTO_TEST_SUITE(damaged_stream)

BOOST_AUTO_TEST_CASE(a_damaged_answer_to_the_exec_request_is_no_refusal) {
  testing::scripted_server server{{.commands = answered_when_told}};
  testing::faulty_proxy proxy{server.host(), server.port()};
  machine target;
  target.hostname = proxy.host();
  target.port = proxy.port();
  target.identity_file = server.client_key_file();
  hub x;
  auto running = std::async(std::launch::async, [&] { return x.run(target, "true"); });
  BOOST_REQUIRE(server.wait_for(testing::event::exec_requested));
  proxy.change(
    {.damages = testing::network::damage{testing::direction::to_client, byte_of_the_payload}});
  server.release("answer");
  const answer seen = running.get();
  BOOST_TEST(seen.failed_with(error_code::connection_error));
  BOOST_TEST((seen.what().fault == connection_fault::protocol));
  BOOST_TEST((seen.what().progress == progress::may_have_run));
}

BOOST_AUTO_TEST_SUITE_END()
