#include "sshexec/messages/rollout.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace sshexec {

std::string to_string(failure_rule x) {
  switch (x) {
    case failure_rule::errors_and_exit_codes:
      return "errors_and_exit_codes";
    case failure_rule::errors_only:
      return "errors_only";
  }
  return "unknown failure rule";
}

std::string to_string(excess_rule x) {
  switch (x) {
    case excess_rule::let_finish:
      return "let_finish";
    case excess_rule::cancel:
      return "cancel";
  }
  return "unknown excess rule";
}

std::string to_string(outcome_kind x) {
  switch (x) {
    case outcome_kind::ended:
      return "ended";
    case outcome_kind::failed:
      return "failed";
    case outcome_kind::never_started:
      return "never_started";
  }
  return "unknown kind of outcome";
}

std::string to_string(skip_reason x) {
  switch (x) {
    case skip_reason::none:
      return "none";
    case skip_reason::too_many_failures:
      return "too_many_failures";
    case skip_reason::cancelled:
      return "cancelled";
    case skip_reason::deadline:
      return "deadline";
    case skip_reason::executor_gone:
      return "executor_gone";
  }
  return "unknown reason";
}

std::optional<std::uint64_t> place_of(const std::string& command_id) {
  const auto slash = command_id.rfind('/');
  if (slash == std::string::npos)
    return std::nullopt;
  const char* const end = command_id.data() + command_id.size();
  std::uint64_t result = 0;
  const auto [rest, problem] = std::from_chars(command_id.data() + slash + 1, end, result);
  return problem == std::errc{} && rest == end ? std::optional{result} : std::nullopt;
}

std::size_t rounded_up(const portion& x, std::size_t all) {
  const std::size_t wanted = x.percent ? (all * x.amount + 99) / 100 : x.amount;
  return std::min(wanted, all);
}

std::size_t rounded_down(const portion& x, std::size_t all) {
  const std::size_t wanted = x.percent ? all * x.amount / 100 : x.amount;
  return std::min(wanted, all);
}

} // namespace sshexec
