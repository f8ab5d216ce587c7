#include "sshexec/messages/command_result.hpp"

#include <tuple>

namespace sshexec {

namespace {

auto fields(const command_output& x) {
  return std::tie(x.stdout_data, x.stderr_data, x.stdout_bytes, x.stderr_bytes, x.stdout_gap,
                  x.stderr_gap);
}

auto fields(const phase_times& x) {
  return std::tie(x.queue, x.connect, x.run);
}

auto fields(const command_result& x) {
  return std::tie(x.exit_code, x.exit_signal, x.output, x.duration, x.times, x.attempts,
                  x.reused_connection, x.refused_environment, x.request_id);
}

} // namespace

bool operator==(const command_output& a, const command_output& b) {
  return fields(a) == fields(b);
}

bool operator==(const phase_times& a, const phase_times& b) {
  return fields(a) == fields(b);
}

bool operator==(const command_result& a, const command_result& b) {
  return fields(a) == fields(b);
}

} // namespace sshexec
