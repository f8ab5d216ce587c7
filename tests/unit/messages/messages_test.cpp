#include "sshexec/messages/executor.hpp"

#include <boost/test/unit_test.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/deep_to_string.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <string>
#include <vector>

namespace {

using namespace sshexec;
using namespace std::chrono_literals;

struct configuration : caf::actor_system_config {
  configuration() {
    set("scheduler.max-threads", 1);
    register_messages(*this);
  }
};

struct fixture {
  /// What arrives of `x` at another node.
  template <class T>
  T transfer(T x) {
    std::vector<char> bytes;
    caf::binary_serializer sink{system, bytes};
    BOOST_TEST(!sink(x));
    T copy{};
    caf::binary_deserializer source{system, bytes};
    BOOST_TEST(!source(copy));
    BOOST_TEST(source.remaining() == 0u);
    return copy;
  }

  configuration config;
  caf::actor_system system{config};
};

std::string all_byte_values() {
  std::string result;
  for (int x = 0; x < 256; ++x)
    result += static_cast<char>(x);
  return result;
}

command_output make_output() {
  return {all_byte_values(), all_byte_values() + "err", 1'000'000'000'000, 259, 128, 0};
}

failure make_full_failure() {
  failure x;
  x.message = "The command timed out after 30 s";
  x.machine = "root@[2001:db8::1]:2222";
  x.fault = connection_fault::dropped;
  x.progress = progress::may_have_run;
  x.termination = termination::unknown;
  x.attempts = 3;
  x.output = make_output();
  x.times = {1ns, 2s, 30s};
  x.duration = 32s + 1ns;
  return x;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(messages_test, fixture)

BOOST_AUTO_TEST_CASE(a_machine_survives_the_network) {
  const machine x{"web-1", "host.example", 65535, "root", "/keys/id"};
  BOOST_TEST((transfer(x) == x));
  BOOST_TEST((transfer(machine{}) == machine{}));
}

BOOST_AUTO_TEST_CASE(a_command_with_all_its_options_survives_the_network) {
  const auto consumer
    = system.spawn([]() -> output_consumer::behavior_type { return {[](const output_chunk&) {}}; });
  const command x{all_byte_values(),
                  1500ms,
                  1h,
                  std::uint64_t{1} << 40,
                  {{"A", "1"}, {"B", all_byte_values()}},
                  std::string("in\0put", 6),
                  true,
                  terminal{"vt100", 132, 43},
                  consumer,
                  retry_policy::never,
                  true,
                  "request 1",
                  true};
  BOOST_TEST((transfer(x) == x));
  // CAF keeps actors whose handles it serialized.
  caf::anon_send_exit(consumer, caf::exit_reason::user_shutdown);
}

BOOST_AUTO_TEST_CASE(an_option_that_is_not_set_stays_unset) {
  command x;
  x.line = "true";
  const auto copy = transfer(x);
  BOOST_TEST((copy == x));
  BOOST_TEST(!copy.timeout);
  BOOST_TEST(!copy.deadline);
  BOOST_TEST(!copy.max_output);
  BOOST_TEST(!copy.pty);
  BOOST_TEST(!copy.output_to);
}

BOOST_AUTO_TEST_CASE(a_result_with_any_bytes_survives_the_network) {
  const command_result x{-1, "KILL", make_output(),  5s,    {1s, 2s, 2s},
                         4,  true,   {"LANG", "TZ"}, "#9-1"};
  BOOST_TEST((transfer(x) == x));
  BOOST_TEST((transfer(command_result{}) == command_result{}));
}

BOOST_AUTO_TEST_CASE(a_chunk_of_output_survives_the_network) {
  const output_chunk x{{"web-1", "host.example", 22, "root", ""},
                       "request 1",
                       output_stream::stderr_stream,
                       2,
                       all_byte_values(),
                       true};
  BOOST_TEST((transfer(x) == x));
}

BOOST_AUTO_TEST_CASE(a_pool_event_survives_the_network) {
  pool_event x;
  x.kind = pool_event_kind::command_retried;
  x.time = caf::timestamp{1h};
  x.machine = {"web-1", "host.example", 22, "root", ""};
  x.command_id = "request 1";
  x.command_line = "true";
  x.outcome = error_code::connection_error;
  x.detail = "the server was silent";
  x.duration = 3s;
  x.attempt = 2;
  BOOST_TEST((transfer(x) == x));
  BOOST_TEST((transfer(pool_event{}) == pool_event{}));
}

BOOST_AUTO_TEST_CASE(the_status_of_an_executor_survives_the_network) {
  machine_status busy;
  busy.machine = {"web-1", "host.example", 22, "root", ""};
  busy.state = machine_state::connected;
  busy.running = 3;
  busy.waiting = 4;
  busy.open_channels = 5;
  busy.channel_limit = 6;
  busy.succeeded = std::uint64_t{1} << 40;
  busy.failed = 8;
  busy.latency = {1ms, 2ms, 3ms};
  busy.connected_since = caf::timestamp{1h};
  const executor_status x{{busy, machine_status{}}, 12, 1, {{0, 7, 1}}};
  BOOST_TEST((transfer(x) == x));
  BOOST_TEST((transfer(executor_status{}) == executor_status{}));
}

BOOST_AUTO_TEST_CASE(a_rollout_and_what_becomes_of_it_survive_the_network) {
  rollout what;
  what.machines = {{"web-1", "host.example", 22, "root", ""}};
  what.command.line = "uptime %h";
  what.expand = true;
  what.at_once = 7;
  what.steps = {{1, false}, {10, true}};
  what.pause = 5s;
  what.max_failures = portion{5, true};
  what.when_exceeded = excess_rule::cancel;
  what.counts_as_failure = failure_rule::errors_only;
  what.shuffle_seed = std::uint64_t{9};
  what.deadline = 1h;
  BOOST_TEST(caf::deep_to_string(transfer(what)) == caf::deep_to_string(what));

  machine_outcome outcome;
  outcome.index = 3;
  outcome.machine = what.machines.front();
  outcome.kind = outcome_kind::failed;
  outcome.code = error_code::connection_error;
  outcome.what = make_full_failure();
  outcome.reason = skip_reason::deadline;
  BOOST_TEST(caf::deep_to_string(transfer(outcome)) == caf::deep_to_string(outcome));

  const rollout_progress progress{9, 1, 2, 3, 4, {5, 6}, 7, true};
  BOOST_TEST(caf::deep_to_string(transfer(progress)) == caf::deep_to_string(progress));

  const rollout_summary summary{9,
                                5,
                                {{-1, 1}, {0, 5}},
                                {{error_code::cancelled, 1}},
                                {{skip_reason::cancelled, 2}},
                                {1, 2, 3, 4},
                                7s};
  BOOST_TEST(caf::deep_to_string(transfer(summary)) == caf::deep_to_string(summary));
}

BOOST_AUTO_TEST_CASE(the_id_of_a_rollouts_command_tells_the_machines_place) {
  BOOST_TEST(place_of("rollout-7/12").value() == 12U);
  BOOST_TEST(place_of("a/b/0").value() == 0U);
  for (const char* other : {"", "uptime", "a/", "a/b", "a/1b", "a/-1", "1"})
    BOOST_TEST(!place_of(other));
}

BOOST_AUTO_TEST_CASE(a_share_is_rounded_up_for_a_step_and_down_for_a_limit) {
  BOOST_TEST(rounded_up({1, true}, 10) == 1U);
  BOOST_TEST(rounded_down({1, true}, 10) == 0U);
  BOOST_TEST(rounded_up({50, true}, 5) == 3U);
  BOOST_TEST(rounded_down({50, true}, 5) == 2U);
  BOOST_TEST(rounded_up({7, false}, 5) == 5U);
  BOOST_TEST(rounded_down({7, false}, 10) == 7U);
  BOOST_TEST(rounded_up({100, true}, 100'000) == 100'000U);
}

BOOST_AUTO_TEST_CASE(an_error_keeps_its_code_and_payload_across_the_network) {
  const auto what = make_full_failure();
  const auto copy = transfer(make_failure(error_code::command_timeout, what));
  BOOST_TEST(is(copy, error_code::command_timeout));
  BOOST_TEST(!is(copy, error_code::cancelled));
  failure expected = what;
  expected.code = error_code::command_timeout;
  BOOST_TEST((to_failure(copy) == expected));
}

BOOST_AUTO_TEST_CASE(the_code_of_an_error_is_that_of_sshexec) {
  BOOST_TEST((code_of(caf::error{}) == error_code::none));
  BOOST_TEST((code_of(make_failure(error_code::cancelled, {})) == error_code::cancelled));
  BOOST_TEST((code_of(caf::make_error(caf::sec::request_timeout)) == error_code::none));
  const auto bounced = caf::make_error(caf::sec::request_receiver_down);
  BOOST_TEST((code_of(bounced) == error_code::shutting_down));
  BOOST_TEST((to_failure(bounced).code == error_code::shutting_down));
}

BOOST_AUTO_TEST_CASE(an_error_is_rendered_with_code_and_message) {
  const auto err = make_failure(error_code::command_timeout, make_full_failure());
  BOOST_TEST(system.render(err) == "command_timeout: The command timed out after 30 s");
}

BOOST_AUTO_TEST_CASE(a_foreign_error_becomes_a_failure_that_tells_its_text) {
  const auto what = to_failure(caf::make_error(caf::sec::request_timeout));
  BOOST_TEST(what.message != "");
  BOOST_TEST(what.attempts == 0u);
}

BOOST_AUTO_TEST_CASE(no_error_is_of_no_code) {
  BOOST_TEST(!is(caf::error{}, error_code::none));
}

BOOST_AUTO_TEST_CASE(an_output_is_truncated_when_more_was_written_than_kept) {
  BOOST_TEST((!command_output{"ab", "c", 2, 1}.truncated()));
  BOOST_TEST((command_output{"ab", "c", 3, 1}.truncated()));
  BOOST_TEST((command_output{"ab", "c", 2, 2}.truncated()));
}

BOOST_AUTO_TEST_CASE(an_address_puts_brackets_around_an_ipv6_address_only) {
  BOOST_TEST(to_address({"", "2001:db8::1", 22, "root", ""}) == "root@[2001:db8::1]:22");
  BOOST_TEST(to_address({"", "192.0.2.1", 2222, "root", ""}) == "root@192.0.2.1:2222");
  BOOST_TEST(to_address({"", "host.example", 22, "", ""}) == "host.example:22");
}

BOOST_AUTO_TEST_SUITE_END()
