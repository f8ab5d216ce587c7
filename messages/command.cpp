#include "sshexec/messages/command.hpp"

#include <tuple>

namespace sshexec {

namespace {

auto fields(const terminal& x) {
  return std::tie(x.type, x.columns, x.rows);
}

auto fields(const command& x) {
  return std::tie(x.line, x.timeout, x.deadline, x.max_output, x.environment, x.stdin_data,
                  x.stdin_open, x.pty, x.output_to, x.retry, x.tracked, x.id, x.outlives_caller);
}

} // namespace

std::string to_string(retry_policy x) {
  switch (x) {
    case retry_policy::always:
      return "always";
    case retry_policy::only_if_not_started:
      return "only_if_not_started";
    case retry_policy::never:
      return "never";
  }
  return "unknown retry policy";
}

bool operator==(const terminal& a, const terminal& b) {
  return fields(a) == fields(b);
}

bool operator==(const command& a, const command& b) {
  return fields(a) == fields(b);
}

} // namespace sshexec
