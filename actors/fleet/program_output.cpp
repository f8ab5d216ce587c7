#include "sshexec/actors/fleet/program_output.hpp"

#include "sshexec/actors/runtime/duration_text.hpp"
#include "sshexec/actors/services/escape.hpp"
#include "sshexec/ssh/child_process.hpp"
#include "sshexec/ssh/file_descriptor.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

namespace sshexec {

namespace {

using clock = std::chrono::steady_clock;
using run_failed = tl::unexpected<program_failure>;

/// The reason stands at the end of stderr, behind warnings.
constexpr std::size_t longest_reason = 2000;
/// So that no clock overflows.
constexpr std::chrono::milliseconds longest_timeout = std::chrono::hours{24} * 365;

std::string system_text(int code) {
  return std::system_category().message(code);
}

/// What arrives at the end of a pipe.
class pipe_reader {
public:
  explicit pipe_reader(ssh::file_descriptor pipe) : pipe_(std::move(pipe)) {
    ::fcntl(pipe_.get(), F_SETFL, ::fcntl(pipe_.get(), F_GETFL) | O_NONBLOCK);
  }

  [[nodiscard]] int descriptor() const { return pipe_.get(); }

  [[nodiscard]] std::string& text() { return text_; }

  /// Takes some of what there is. False if there is nothing.
  bool read_some() {
    std::array<char, 1 << 16> buffer{};
    const ssize_t count = ::read(pipe_.get(), buffer.data(), buffer.size());
    if (count > 0)
      text_.append(buffer.data(), static_cast<std::size_t>(count));
    if (count == 0)
      pipe_ = {};
    return count > 0;
  }

private:
  ssh::file_descriptor pipe_;
  std::string text_;
};

enum class ending { ended, out_of_time, too_large };

/// Reads until the program has ended, or must.
ending follow(const ssh::child_process& child, pipe_reader& output, pipe_reader& errors,
              clock::time_point deadline, std::size_t max_size) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock::now());
    if (left.count() <= 0)
      return ending::out_of_time;
    std::array<pollfd, 3> news{{{output.descriptor(), POLLIN, 0},
                                {errors.descriptor(), POLLIN, 0},
                                {child.end().get(), POLLIN, 0}}};
    const auto longest = std::chrono::milliseconds{std::chrono::hours{1}};
    if (::poll(news.data(), news.size(), static_cast<int>(std::min(left, longest).count())) <= 0)
      continue;
    const bool has_ended = news[2].revents != 0;
    // Who is left of its group may hold the pipes open for ever; what it wrote itself is there.
    while (output.read_some() && has_ended && output.text().size() <= max_size) {
    }
    errors.read_some();
    if (errors.text().size() > longest_reason)
      errors.text().erase(0, errors.text().size() - longest_reason);
    if (output.text().size() > max_size)
      return ending::too_large;
    if (has_ended)
      return ending::ended;
  }
}

/// What a program that ended with this status did wrong; empty if nothing.
std::string describe_end(int status) {
  if (status == -1)
    return " has ended, but nobody knows how";
  if (WIFSIGNALED(status))
    return " was ended by signal " + std::to_string(WTERMSIG(status));
  return WEXITSTATUS(status) == 0 ? ""
                                  : " ended with exit code " + std::to_string(WEXITSTATUS(status));
}

/// ": " and what it wrote to stderr, in one line.
std::string describe_reason(std::string_view errors) {
  const auto end = errors.find_last_not_of(" \t\r\n");
  return end == std::string_view::npos ? ", without a word on stderr"
                                       : ": " + escape_controls(errors.substr(0, end + 1));
}

} // namespace

tl::expected<std::string, program_failure> run_for_output(std::vector<std::string> line,
                                                          std::chrono::milliseconds timeout,
                                                          std::size_t max_size) {
  const std::string name = line.front();
  const auto cannot_run = [&](int code) {
    return run_failed{{code == ENOEXEC, "cannot run " + name + ": " + system_text(code)}};
  };
  auto output_pipe = ssh::make_pipe();
  auto errors_pipe = output_pipe.reading ? ssh::make_pipe() : ssh::pipe_ends{};
  if (!errors_pipe.reading)
    return cannot_run(errno);
  auto child = ssh::child_process::start(
    std::move(line), {-1, output_pipe.writing.get(), errors_pipe.writing.get()});
  if (!child)
    return cannot_run(child.error());
  output_pipe.writing = {};
  errors_pipe.writing = {};
  pipe_reader output{std::move(output_pipe.reading)};
  pipe_reader errors{std::move(errors_pipe.reading)};
  switch (
    follow(*child, output, errors, clock::now() + std::min(timeout, longest_timeout), max_size)) {
    case ending::out_of_time:
      return run_failed{
        {false, name + " did not end within " + to_text(timeout) + describe_reason(errors.text())}};
    case ending::too_large:
      return run_failed{{false, name + " writes more than " + std::to_string(max_size) + " bytes"}};
    case ending::ended:
      break;
  }
  if (const auto fault = describe_end(child->wait()); !fault.empty())
    return run_failed{{false, name + fault + describe_reason(errors.text())}};
  return std::move(output.text());
}

} // namespace sshexec
