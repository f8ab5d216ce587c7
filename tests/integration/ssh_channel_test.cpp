#include "direct_client.hpp"
#include "preconditions.hpp"
#include "sshexec/testing/openssh_server.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace sshexec;
using namespace sshexec::test;

/// Channels of a connection, driven without actors.
namespace {

using testing::command_script;
using testing::scripted_server;
using server_event = testing::event;
namespace step = testing::step;

ssh::exec_request streamed(std::string line, std::uint64_t max_output = 0) {
  ssh::exec_request result;
  result.command = std::move(line);
  result.max_output = max_output;
  result.streamed = true;
  return result;
}

/// A server whose commands all take these steps, except those that only say something.
scripted_server::options playing(std::vector<testing::command_step> steps) {
  return {.commands = [steps = std::move(steps)](const std::string& line) {
    return line.starts_with("echo ") ? testing::run_by_shell(line) : command_script{.steps = steps};
  }};
}

/// Opens a spare channel and waits until the client knows that it is open.
void open_spare(direct_client& client, const scripted_server& server) {
  const std::uint64_t received = client->bytes_received();
  client->open_spare();
  BOOST_TEST_REQUIRE(client.until([&] { return client->bytes_received() > received; }));
  BOOST_TEST_REQUIRE(server.wait_for(server_event::channel_opened));
}

std::string numbers(int last) {
  std::string result;
  for (int i = 1; i <= last; ++i)
    result += std::to_string(i) + '\n';
  return result;
}

constexpr std::size_t trickle_size = 300'000;

/// Writes so many times 300 kB to stdout and a dot to stderr.
std::vector<testing::command_step> trickle(std::size_t rounds) {
  std::vector<testing::command_step> steps;
  for (std::size_t i = 0; i < rounds; ++i) {
    steps.emplace_back(step::out{std::string(trickle_size, 'x')});
    steps.emplace_back(step::err{"."});
  }
  steps.insert(steps.end(), {step::exit_status{0}, step::eof{}, step::close{}});
  return steps;
}

/// A command with such output, whose consumer takes no more than the window.
void pause(direct_client& client) {
  client.start(1, streamed("play"));
  BOOST_TEST_REQUIRE(client.until([&] {
    return client[1].streamed_out.size() + client[1].streamed_err.size() == ssh::stream_window;
  }));
  client.settle();
}

} // namespace

BOOST_AUTO_TEST_SUITE(ssh_channel)

BOOST_AUTO_TEST_CASE(a_command_on_an_open_spare_channel_is_sent_at_once) {
  const scripted_server server;
  direct_client client{server};
  open_spare(client, server);
  client.start(1, "echo hello");
  // Nothing has been read since.
  BOOST_TEST(client[1].sent);
  BOOST_TEST(server.wait_for(server_event::exec_requested));
  BOOST_TEST_REQUIRE(client.until([&] { return client[1].closed; }));
  BOOST_TEST(client[1].outcome->stdout_data == "hello\n");
  BOOST_TEST(count(server.record(), server_event::channel_opened) == 1U);
  BOOST_TEST(client.spares_ended.empty());
}

BOOST_AUTO_TEST_CASE(a_spare_channel_that_is_still_being_opened_is_taken) {
  const scripted_server server;
  direct_client client{server};
  client->open_spare();
  const auto outcome = client.run(1, "echo hello");
  BOOST_TEST_REQUIRE(outcome.has_value());
  BOOST_TEST(outcome->stdout_data == "hello\n");
  BOOST_TEST(count(server.record(), server_event::channel_opened) == 1U);
}

BOOST_AUTO_TEST_CASE(only_the_first_command_takes_the_spare_channel) {
  const scripted_server server;
  direct_client client{server};
  client->open_spare();
  client->open_spare();
  client.start(1, "echo one");
  client.start(2, "echo two");
  BOOST_TEST_REQUIRE(client.until([&] { return client[1].closed && client[2].closed; }));
  BOOST_TEST(client[1].outcome->stdout_data == "one\n");
  BOOST_TEST(client[2].outcome->stdout_data == "two\n");
  BOOST_TEST(count(server.record(), server_event::channel_opened) == 2U);
}

BOOST_AUTO_TEST_CASE(a_refused_spare_channel_is_told_with_its_reason) {
  const scripted_server server{
    {.connections = [](unsigned) { return testing::connection_script{.max_channels = 0}; }}};
  direct_client client{server};
  client->open_spare();
  BOOST_TEST_REQUIRE(client.until([&] { return !client.spares_ended.empty(); }));
  BOOST_TEST(client.spares_ended[0].refused);
  BOOST_TEST(client.spares_ended[0].reason == 1U);
}

BOOST_AUTO_TEST_CASE(a_spare_channel_that_is_refused_after_it_was_taken_is_refused_to_its_command) {
  const scripted_server server{
    {.connections = [](unsigned) { return testing::connection_script{.max_channels = 0}; }}};
  direct_client client{server};
  client->open_spare();
  client.start(1, "echo hello");
  BOOST_TEST_REQUIRE(client.until([&] { return client[1].channel_refused.has_value(); }));
  BOOST_TEST(*client[1].channel_refused == 1U);
  BOOST_TEST(client.spares_ended.empty());
  BOOST_TEST(!client[1].sent);
}

BOOST_AUTO_TEST_CASE(a_closed_spare_channel_frees_its_place_and_is_not_taken) {
  const scripted_server server;
  direct_client client{server};
  open_spare(client, server);
  client->close_spare();
  client.start(1, "echo hello");
  BOOST_TEST_REQUIRE(
    client.until([&] { return client[1].closed && !client.spares_ended.empty(); }));
  BOOST_TEST(!client.spares_ended[0].refused);
  BOOST_TEST(server.wait_for(server_event::channel_closed, 2));
  BOOST_TEST(count(server.record(), server_event::channel_opened) == 2U);
}

BOOST_AUTO_TEST_CASE(a_spare_channel_that_is_closed_while_it_opens_frees_its_place) {
  const scripted_server server;
  direct_client client{server};
  client->open_spare();
  client.advance();
  client->close_spare();
  BOOST_TEST_REQUIRE(client.until([&] { return !client.spares_ended.empty(); }));
  BOOST_TEST(server.wait_for(server_event::channel_closed));
}

BOOST_AUTO_TEST_CASE(output_beyond_the_cap_keeps_its_head_and_tail) {
  const scripted_server server;
  direct_client client{server};
  ssh::exec_request request;
  request.command = "printf 0123456789abcdef; printf xyz >&2";
  request.max_output = 5;
  const auto outcome = client.run(1, request);
  BOOST_TEST_REQUIRE(outcome.has_value());
  BOOST_TEST(outcome->stdout_data == "012ef");
  BOOST_TEST(outcome->stdout_bytes == 16U);
  BOOST_TEST(outcome->stdout_gap == 3U);
  BOOST_TEST(outcome->stderr_data == "xyz");
  BOOST_TEST(outcome->stderr_bytes == 3U);
}

BOOST_AUTO_TEST_CASE(streamed_output_keeps_the_order_of_the_streams_and_is_kept_as_well) {
  const scripted_server server{
    playing({step::out{"a"}, step::err{"b"}, step::err{"c"}, step::out{"d"}, step::exit_status{3},
             step::eof{}, step::close{}})};
  direct_client client{server};
  const auto outcome = client.run(1, streamed("play", 100));
  BOOST_TEST_REQUIRE(outcome.has_value());
  std::string order;
  for (const auto& x : client[1].chunks)
    order += x.data + (x.is_stderr ? "2 " : "1 ");
  BOOST_TEST((order == "a1 bc2 d1 " || order == "a1 b2 c2 d1 "));
  BOOST_TEST(outcome->stdout_data == "ad");
  BOOST_TEST(outcome->stderr_data == "bc");
  BOOST_TEST(*outcome->exit_status == 3U);
}

BOOST_AUTO_TEST_CASE(a_stream_that_nobody_takes_stops_its_command_but_not_its_neighbours) {
  const scripted_server server;
  direct_client client{server};
  client.start(1, streamed("seq 3000000"));
  BOOST_TEST_REQUIRE(
    client.until([&] { return client[1].streamed_out.size() == ssh::stream_window; }));
  for (ssh::exec_id id = 2; id < 20; ++id) {
    const auto neighbour = client.run(id, "echo fine");
    BOOST_TEST_REQUIRE(neighbour.has_value());
    BOOST_TEST(neighbour->stdout_data == "fine\n");
  }
  BOOST_TEST(client[1].streamed_out.size() == ssh::stream_window);
  // The window of the stream, what waits here, and what libssh holds.
  BOOST_TEST(client->bytes_received() < 5'000'000U);

  std::uint64_t granted = 0;
  BOOST_TEST_REQUIRE(client.until([&] {
    // Nothing rings for what a grant lets through at once.
    while (client[1].streamed_out.size() > granted) {
      client->grant(1, client[1].streamed_out.size() - granted);
      granted = client[1].streamed_out.size();
      client.advance();
    }
    return client[1].outcome.has_value();
  }));
  BOOST_TEST(client[1].streamed_at_end == client[1].streamed_out.size());
  BOOST_TEST((client[1].streamed_out == numbers(3'000'000)));
}

BOOST_AUTO_TEST_CASE(a_stream_goes_on_by_as_much_as_was_granted_and_ends_behind_its_last_byte) {
  constexpr std::size_t size = 1'500'000;
  const scripted_server server{
    playing({step::out{std::string(size, 'x')}, step::exit_status{0}, step::eof{}, step::close{}})};
  direct_client client{server};
  client.start(1, streamed("play", 10));
  // All of it arrived, and with it the end, if the server was let to send it.
  BOOST_TEST_REQUIRE(client.until([&] { return client->bytes_received() > size; }));
  BOOST_TEST_REQUIRE(client.run(2, "echo fine").has_value());
  BOOST_TEST(client[1].streamed_out.size() == ssh::stream_window);
  BOOST_TEST(!client[1].outcome);

  client->grant(1, 1);
  client.advance();
  BOOST_TEST(client[1].streamed_out.size() == ssh::stream_window + 1);
  BOOST_TEST(!client[1].outcome);

  client->grant(1, size);
  BOOST_TEST_REQUIRE(client.until([&] { return client[1].closed; }));
  BOOST_TEST(client[1].streamed_at_end == size);
  BOOST_TEST(client[1].outcome->stdout_bytes == size);
  BOOST_TEST(client[1].outcome->stdout_data.size() == 10U);
}

BOOST_AUTO_TEST_CASE(an_abandoned_stream_gives_what_arrived_and_lets_the_server_go_on) {
  const scripted_server server;
  direct_client client{server};
  client.start(1, streamed("seq 3000000", 1 << 20));
  BOOST_TEST_REQUIRE(
    client.until([&] { return client[1].streamed_out.size() == ssh::stream_window; }));
  const auto outcome = client->abandon(1);
  BOOST_TEST(outcome.stdout_bytes >= ssh::stream_window);
  BOOST_TEST_REQUIRE(client.until([&] { return client[1].closed; }));
  BOOST_TEST(client[1].streamed_out.size() == ssh::stream_window);
  BOOST_TEST(client.run(2, "echo fine").has_value());
}

BOOST_AUTO_TEST_CASE(what_a_trickle_on_one_stream_lets_through_on_the_other_is_bounded) {
  constexpr std::size_t rounds = 100;
  const scripted_server server{playing(trickle(rounds))};
  direct_client client{server};
  pause(client);
  BOOST_TEST(client->bytes_received() < 10'000'000U);
  BOOST_TEST(!client->is_reading());

  client->grant(1, 2 * rounds * trickle_size);
  BOOST_TEST_REQUIRE(client.until([&] { return client[1].closed; }));
  BOOST_TEST(client[1].streamed_out.size() == rounds * trickle_size);
  BOOST_TEST(client[1].streamed_err.size() == rounds);
}

BOOST_AUTO_TEST_CASE(neighbours_of_a_paused_stream_are_served) {
  constexpr std::size_t rounds = 100;
  const scripted_server server{playing(trickle(rounds))};
  direct_client client{server};
  pause(client);
  BOOST_TEST(!client->is_reading());
  const auto neighbour = client.run(2, "echo fine");
  BOOST_TEST_REQUIRE(neighbour.has_value());
  BOOST_TEST(neighbour->stdout_data == "fine\n");

  client->grant(1, 2 * rounds * trickle_size);
  BOOST_TEST_REQUIRE(client.until([&] { return client[1].closed; }));
  BOOST_TEST(client[1].streamed_out.size() == rounds * trickle_size);
  BOOST_TEST(client[1].streamed_err.size() == rounds);
  BOOST_TEST(client.overrun.empty());
}

BOOST_AUTO_TEST_CASE(a_paused_stream_is_given_up_before_it_fills_memory_for_its_neighbours) {
  const scripted_server server{{.commands = [](const std::string& line) {
    return line == "play" ? command_script{.steps = trickle(500)} : testing::run_by_shell(line);
  }}};
  direct_client client{server};
  ssh::exec_request neighbour;
  neighbour.command = "cat";
  neighbour.stdin_open = true;
  neighbour.max_output = 100;
  client.start(2, neighbour);
  BOOST_TEST_REQUIRE(client.until([&] { return client[2].input_wanted == 1; }));
  client.start(1, streamed("play"));
  BOOST_TEST_REQUIRE(client.until([&] { return !client.overrun.empty(); }));
  BOOST_TEST(client.overrun == std::vector<ssh::exec_id>{1});
  BOOST_TEST(client->bytes_received() < 100'000'000U);
  client->abandon(1);

  client->write(2, "fine", true);
  BOOST_TEST_REQUIRE(client.until([&] { return client[2].closed; }));
  BOOST_TEST(client[2].outcome->stdout_data == "fine");
}

BOOST_AUTO_TEST_CASE(one_advance_reads_no_more_than_its_share_of_a_flood) {
  const scripted_server server{playing({step::flood{}})};
  direct_client client{server};
  client.start(1, "flood");
  std::uint64_t most = 0;
  BOOST_TEST_REQUIRE(client.until([&] {
    const std::uint64_t before = client->bytes_received();
    client.advance();
    most = std::max(most, client->bytes_received() - before);
    return client->bytes_received() > 50'000'000;
  }));
  BOOST_TEST(most <= (1U << 20) + 65'536);
  const auto neighbour = client.run(2, "echo fine");
  BOOST_TEST_REQUIRE(neighbour.has_value());
  BOOST_TEST(neighbour->stdout_data == "fine\n");
}

BOOST_AUTO_TEST_CASE(input_is_written_in_pieces_until_its_end) {
  const scripted_server server;
  direct_client client{server};
  ssh::exec_request request;
  request.command = "cat";
  request.stdin_data = std::make_shared<const std::string>("one ");
  request.stdin_open = true;
  request.max_output = 100;
  client.start(1, request);
  BOOST_TEST_REQUIRE(client.until([&] { return client[1].input_wanted == 1; }));
  client->write(1, "two ", false);
  client->write(1, "three ", false);
  BOOST_TEST_REQUIRE(client.until([&] { return client[1].input_wanted == 2; }));
  client->write(1, "four", true);
  client->write(1, "five", true);
  BOOST_TEST_REQUIRE(client.until([&] { return client[1].closed; }));
  BOOST_TEST(client[1].outcome->stdout_data == "one two three four");
  BOOST_TEST(client[1].input_wanted == 2U);
}

BOOST_AUTO_TEST_CASE(no_more_input_is_wanted_while_nobody_reads_it) {
  scripted_server server{{.commands = [](const std::string& line) {
    return command_script{
      .steps = {step::wait_for{"reader"}, step::run_shell{line}, step::eof{}, step::close{}}};
  }}};
  direct_client client{server};
  ssh::exec_request request;
  request.command = "wc -c";
  request.stdin_open = true;
  request.max_output = 100;
  client.start(1, request);
  BOOST_TEST_REQUIRE(client.until([&] { return client[1].input_wanted == 1; }));
  const std::string much(5'000'000, 'x');
  client->write(1, much, false);
  client.start(2, request);
  BOOST_TEST_REQUIRE(client.until([&] { return client[2].input_wanted == 1; }));
  BOOST_TEST(client[1].input_wanted == 1U);

  server.release("reader");
  BOOST_TEST_REQUIRE(client.until([&] { return client[1].input_wanted == 2; }));
  client->write(1, {}, true);
  BOOST_TEST_REQUIRE(client.until([&] { return client[1].closed; }));
  BOOST_TEST(client[1].outcome->stdout_data == "5000000\n");
}

BOOST_AUTO_TEST_CASE(a_refused_terminal_refuses_the_command) {
  const scripted_server server;
  direct_client client{server};
  ssh::exec_request request;
  request.command = "tty";
  request.terminal = {.type = "xterm"};
  client.start(1, request);
  BOOST_TEST_REQUIRE(client.until([&] { return client[1].closed; }));
  BOOST_TEST(*client[1].exec_refused == "the server refused a terminal");
  BOOST_TEST(count(server.record(), server_event::exec_requested) == 0U);
}

BOOST_AUTO_TEST_CASE(a_refused_command_is_told_with_its_reason) {
  const scripted_server server{
    {.commands = [](const std::string&) { return command_script{.granted = false}; }}};
  direct_client client{server};
  client.start(1, "true");
  BOOST_TEST_REQUIRE(client.until([&] { return client[1].closed; }));
  BOOST_TEST(*client[1].exec_refused == "the server refused to run the command");
}

BOOST_AUTO_TEST_CASE(a_command_has_the_terminal_that_was_asked_for,
                     *boost::unit_test::precondition(needs_terminals)) {
  const testing::openssh_server server;
  direct_client client{server};
  client->open_spare();
  ssh::exec_request request;
  request.command = "tty >&2; stty size; echo $TERM";
  request.terminal = {.type = "vt220", .columns = 132, .rows = 43};
  request.max_output = 1000;
  const auto outcome = client.run(1, request);
  BOOST_TEST_REQUIRE(outcome.has_value());
  BOOST_TEST(outcome->stdout_data.find("43 132\r\nvt220\r\n") != std::string::npos);
  BOOST_TEST(outcome->stdout_data.starts_with("/dev/"));
}

BOOST_AUTO_TEST_SUITE_END()
