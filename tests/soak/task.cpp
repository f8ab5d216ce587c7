#include "task.hpp"

#include "sshexec/messages/failure.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace sshexec::soak {

namespace {

using std::chrono::milliseconds;

namespace step = testing::step;

constexpr std::string_view number_mark = "# task ";

/// What is kept of a task that prints too much.
constexpr std::size_t cap = 1000;

/// The first attempt, and one for each of the executor's retries.
constexpr unsigned most_attempts = 4;

std::string content(std::uint64_t seed, std::size_t size) {
  std::string result(size, '\0');
  for (char& byte : result) {
    // A linear congruential generator; Knuth's constants.
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    byte = static_cast<char>(seed >> 56U);
  }
  return result;
}

std::string stdout_of(const task& x) {
  return content(2 * x.number, x.stdout_size);
}

std::string stderr_of(const task& x) {
  return content(2 * x.number + 1, x.stderr_size);
}

/// Mostly little, sometimes more than a window (libssh's is 1.25 MB).
std::size_t random_size(dice& random) {
  if (random.chance(70))
    return random.between<std::size_t>(0, 200);
  if (random.chance(90))
    return random.between<std::size_t>(0, 20'000);
  return random.chance(95) ? random.between<std::size_t>(0, 200'000)
                           : random.between<std::size_t>(0, 3'000'000);
}

task_kind random_kind(bool by_shell, dice& random) {
  if (random.chance(95))
    return task_kind::prints;
  if (!by_shell && random.chance(20))
    return task_kind::is_refused;
  return random.one_of(
    {task_kind::prints_too_much, task_kind::dies_of_signal, task_kind::hangs, task_kind::hangs_on});
}

bool never_ends(task_kind x) {
  return x == task_kind::hangs || x == task_kind::hangs_on;
}

std::string shell_text(const task& x) {
  switch (x.kind) {
    case task_kind::dies_of_signal:
      return "cat; kill -USR1 $$";
    case task_kind::hangs:
      return "cat; sleep 60";
    case task_kind::hangs_on:
      return "trap '' TERM; cat; sleep 60";
    default:
      return "cat; exit " + std::to_string(x.exit_code);
  }
}

} // namespace

task random_task(std::uint64_t number, bool by_shell, dice& random) {
  task result;
  result.number = number;
  result.by_shell = by_shell;
  result.kind = random_kind(by_shell, random);
  result.stdout_size = random_size(random);
  result.stderr_size = by_shell ? 0 : random_size(random);
  if (result.kind == task_kind::prints_too_much)
    result.stdout_size += cap;
  result.exit_code = random.chance(80) ? 0 : random.between(1, 255);
  result.retry = random.chance(60)
                   ? retry_policy::always
                   : random.one_of({retry_policy::only_if_not_started, retry_policy::never});
  result.timeout = milliseconds{random.between(5, 60)};
  if (random.chance(2))
    result.cancelled_after = milliseconds{random.between(0, 20)};
  return result;
}

command to_command(const task& x) {
  command result;
  result.id = std::to_string(x.number);
  result.line = x.by_shell ? shell_text(x) : "play";
  result.line += ' ' + std::string{number_mark} + result.id;
  if (x.by_shell)
    result.stdin_data = stdout_of(x);
  if (never_ends(x.kind))
    result.timeout = x.timeout;
  if (x.kind == task_kind::prints_too_much)
    result.max_output = cap;
  result.retry = x.retry;
  return result;
}

testing::command_script to_script(const task& x) {
  if (x.kind == task_kind::is_refused)
    return {.granted = false};
  if (x.by_shell)
    return testing::run_by_shell(to_command(x).line);
  testing::command_script result{.steps = {step::out{stdout_of(x)}, step::err{stderr_of(x)}}};
  if (x.kind == task_kind::hangs_on)
    result.on_signal = testing::signal_reaction::ignore;
  if (never_ends(x.kind))
    result.steps.emplace_back(step::wait_for{"never"});
  else if (x.kind == task_kind::dies_of_signal)
    result.steps.emplace_back(step::exit_signal{"USR1"});
  else
    result.steps.emplace_back(step::exit_status{static_cast<std::uint32_t>(x.exit_code)});
  result.steps.emplace_back(step::eof{});
  result.steps.emplace_back(step::close{});
  return result;
}

std::optional<std::uint64_t> number_in(const std::string& line) {
  const auto mark = line.rfind(number_mark);
  if (mark == std::string::npos)
    return std::nullopt;
  std::uint64_t result = 0;
  const char* digits = line.data() + mark + number_mark.size();
  const auto read = std::from_chars(digits, line.data() + line.size(), result);
  return read.ec == std::errc{} ? std::optional{result} : std::nullopt;
}

namespace {

using complaint = std::optional<std::string>;

complaint complain_unless(bool holds, const std::string& what) {
  return holds ? complaint{} : complaint{what};
}

std::string kept(const task& x, std::string data) {
  if (x.kind == task_kind::prints_too_much && data.size() > cap)
    return data.substr(0, cap - cap / 2) + data.substr(data.size() - cap / 2);
  return data;
}

/// Whether it is what is kept of as many first bytes as it counted.
bool is_right(const task& x, const command_output& output) {
  return output.stdout_bytes <= x.stdout_size && output.stderr_bytes <= x.stderr_size
         && output.stdout_data == kept(x, stdout_of(x).substr(0, output.stdout_bytes))
         && output.stderr_data == kept(x, stderr_of(x).substr(0, output.stderr_bytes));
}

complaint about_result(const task& x, const command_result& result) {
  if (never_ends(x.kind) || x.kind == task_kind::is_refused)
    return "it succeeded, but cannot have ended";
  const bool dies = x.kind == task_kind::dies_of_signal;
  if (result.exit_code != (dies ? -1 : x.exit_code) || result.exit_signal != (dies ? "USR1" : ""))
    return "wrong end: exit code " + std::to_string(result.exit_code) + ", signal \""
           + result.exit_signal + '"';
  const command_output& output = result.output;
  if (output.stdout_bytes != x.stdout_size || output.stderr_bytes != x.stderr_size)
    return "wrong sizes: " + std::to_string(output.stdout_bytes) + " and "
           + std::to_string(output.stderr_bytes) + " bytes instead of "
           + std::to_string(x.stdout_size) + " and " + std::to_string(x.stderr_size);
  return complain_unless(is_right(x, output), "wrong output");
}

bool is_expected(const task& x, error_code code) {
  if (code == error_code::cancelled)
    return x.cancelled_after.has_value();
  if (never_ends(x.kind))
    return code == error_code::command_timeout;
  return x.kind == task_kind::is_refused && code == error_code::rejected;
}

complaint about_failure(const task& x, const caf::error& error, bool is_explained) {
  const failure what = to_failure(error);
  if (error.category() != caf::atom("sshexec"))
    return "a foreign error: " + what.message;
  const auto code = static_cast<error_code>(error.code());
  if (!is_explained && !is_expected(x, code))
    return "no fault explains " + to_string(code) + ": " + what.message;
  const bool ended
    = what.termination == termination::killed || what.termination == termination::signalled;
  if (x.kind == task_kind::hangs_on && !x.by_shell && ended)
    return "its end is said to be known, but it ignored all signals";
  return complain_unless(is_right(x, what.output), "wrong partial output");
}

complaint about_attempts(const task& x, std::uint32_t attempts) {
  const unsigned allowed = x.retry == retry_policy::never ? 1 : most_attempts;
  // What was sent on a pooled connection that turned out dead.
  const unsigned free = x.retry == retry_policy::always ? 1 : 0;
  return complain_unless(attempts <= allowed + free, std::to_string(attempts) + " attempts");
}

/// What the server knows of a task against what its caller was told.
complaint about_runs(const task& x, const outcome& seen, unsigned runs) {
  const failure what = seen ? failure{} : to_failure(seen.error());
  const unsigned attempts = seen ? seen->attempts : what.attempts;
  const unsigned allowed = x.retry == retry_policy::always ? attempts : 1;
  const bool was_answered = seen || x.kind == task_kind::is_refused;
  const bool not_started = !was_answered && what.progress == progress::not_started;
  if (runs > allowed || (seen && runs == 0) || (not_started && runs > 0))
    return "the server ran it " + std::to_string(runs) + " times, in " + std::to_string(attempts)
           + " attempts, and the caller was told: " + (seen ? "success" : what.message) + ", "
           + to_string(what.progress);
  return std::nullopt;
}

} // namespace

std::optional<std::string> objection(const task& x, const outcome& seen, bool is_explained,
                                     std::optional<unsigned> runs) {
  auto result = seen ? about_result(x, *seen) : about_failure(x, seen.error(), is_explained);
  if (!result)
    result = about_attempts(x, seen ? seen->attempts : to_failure(seen.error()).attempts);
  if (!result && runs)
    result = about_runs(x, seen, *runs);
  return result;
}

} // namespace sshexec::soak
