#include "files.hpp"
#include "sshexec/actors/remote/protocol_version.hpp"
#include "sshexec/messages/executor.hpp"

#include <boost/test/unit_test.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/binary_serializer.hpp>
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

/// The bytes of each message that crosses the network, against those in wire_format.txt. Where they
/// change, `protocol_version` has to: hubs and clients of two versions would misread each other.
namespace {

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;

machine make_machine() {
  return {"id", "host", 2222, "user", "key", {{"jump", 2223, "user", "key"}}};
}

command make_command() {
  command x;
  x.line = "line";
  x.timeout = 1s;
  x.deadline = 2s;
  x.max_output = 3;
  x.environment = {{"name", "value"}};
  x.stdin_data = "input";
  x.stdin_open = true;
  x.pty = terminal{"xterm", 80, 24};
  x.retry = retry_policy::never;
  x.tracked = true;
  x.id = "command";
  x.outlives_caller = true;
  return x;
}

command_result make_result() {
  command_result x;
  x.exit_code = 1;
  x.exit_signal = "TERM";
  x.output = {"out", "err", 4, 5, 6, 7};
  x.duration = 8ns;
  x.times = {9ns, 10ns, 11ns};
  x.attempts = 12;
  x.reused_connection = true;
  x.refused_environment = {"NAME"};
  x.request_id = "request";
  return x;
}

failure make_full_failure() {
  failure x;
  x.message = "message";
  x.machine = "machine";
  x.request_id = "request";
  x.fault = connection_fault::protocol;
  x.progress = progress::finished;
  x.termination = termination::unknown;
  x.attempts = 1;
  x.output = {"out", "err", 2, 3, 4, 5};
  x.times = {6ns, 7ns, 8ns};
  x.duration = 9ns;
  return x;
}

output_chunk make_chunk() {
  output_chunk x;
  x.machine = make_machine();
  x.command_id = "command";
  x.stream = output_stream::stderr_stream;
  x.attempt = 1;
  x.data = "data";
  x.end = true;
  return x;
}

pool_event make_event() {
  pool_event x;
  x.kind = pool_event_kind::command_finished;
  x.time = caf::timestamp{1ns};
  x.machine = make_machine();
  x.command_id = "command";
  x.command_line = "line";
  x.outcome = error_code::connection_error;
  x.detail = "detail";
  x.duration = 2ns;
  x.attempt = 3;
  x.exit_code = 4;
  x.exit_signal = "TERM";
  x.stdout_bytes = 5;
  x.stderr_bytes = 6;
  return x;
}

executor_status make_status() {
  machine_status x;
  x.machine = make_machine();
  x.state = machine_state::connected;
  x.running = 1;
  x.waiting = 2;
  x.open_channels = 3;
  x.channel_limit = 4;
  x.succeeded = 5;
  x.failed = 6;
  x.latency = {7ns, 8ns, 9ns};
  x.connected_since = caf::timestamp{10ns};
  return {{x}, 11, 12, {{13, 14}}};
}

struct fixture {
  fixture() : config(), system(config) {}

  struct configuration : caf::actor_system_config {
    configuration() {
      set("scheduler.max-threads", 1);
      register_messages(*this);
    }
  };

  template <class T>
  std::string hex(T x) {
    std::vector<char> bytes;
    caf::binary_serializer sink{system, bytes};
    BOOST_REQUIRE(!sink(x));
    std::string result;
    for (const char byte : bytes)
      result += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    return result;
  }

  std::string current_format() {
    std::ostringstream text;
    text << "protocol_version " << protocol_version << '\n';
    const std::vector<std::pair<const char*, caf::message>> messages{
      {"execute", caf::make_message(execute_atom_v, make_machine(), make_command())},
      {"result", caf::make_message(make_result())},
      {"cancel", caf::make_message(cancel_atom_v, make_machine(), std::string{"command"})},
      {"cancel_everywhere", caf::make_message(cancel_atom_v, std::string{"command"})},
      {"input", caf::make_message(input_atom_v, make_machine(), std::string{"command"},
                                  std::string{"data"}, true)},
      {"output", caf::make_message(make_chunk())},
      {"event", caf::make_message(make_event())},
      {"status", caf::make_message(make_status())},
      {"changed", caf::make_message(changed_atom_v, make_machine())},
    };
    for (const auto& [name, message] : messages)
      text << name << ' ' << hex(message) << '\n';
    for (int code = 1; code <= static_cast<int>(error_code::shutting_down); ++code)
      text << "error " << code << ' ' << to_string(static_cast<error_code>(code)) << '\n';
    for (int x = 0; x <= static_cast<int>(termination::unknown); ++x)
      text << "termination " << x << ' ' << to_string(static_cast<termination>(x)) << '\n';
    text << "failure " << hex(make_failure(error_code::connection_error, make_full_failure()))
         << '\n';
    return text.str();
  }

  configuration config;
  caf::actor_system system;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(wire_format_test, fixture)

BOOST_AUTO_TEST_CASE(no_message_changes_without_a_new_protocol_version) {
  const auto now = current_format();
  if (std::getenv("SSHEXEC_WRITE_WIRE_FORMAT") != nullptr)
    write_file(SSHEXEC_WIRE_FORMAT, now);
  std::istringstream known{read_file(SSHEXEC_WIRE_FORMAT)};
  std::istringstream seen{now};
  std::string known_line;
  std::string seen_line;
  while (std::getline(seen, seen_line)) {
    std::getline(known, known_line);
    BOOST_TEST(seen_line == known_line,
               "The wire format has changed. Count protocol_version up, and write the file anew: "
               "SSHEXEC_WRITE_WIRE_FORMAT=1 unit_tests --run_test=wire_format_test\n  was "
                 << known_line << "\n  is  " << seen_line);
  }
  BOOST_TEST(!std::getline(known, known_line));
}

BOOST_AUTO_TEST_SUITE_END()
