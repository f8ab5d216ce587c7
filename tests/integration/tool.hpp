#pragma once

#include "sshexec/testing/openssh_server.hpp"
#include "sshexec/testing/process.hpp"
#include "sshexec/testing/shell_process.hpp"
#include "sshexec/testing/temporary_directory.hpp"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <fstream>
#include <sstream>
#include <string>

namespace sshexec::test {

/// The tool while it runs, with pipes to its stdin, stdout and stderr. All functions wait, a minute
/// at the most.
class running_tool {
public:
  explicit running_tool(const std::string& line) : process_("exec " + line, {}) {}

  /// The next line of its stdout, without its end; what there is of it when that ends.
  std::string read_line() { return read_line_of(process_.out.get()); }

  /// The same of its stderr.
  std::string read_error_line() { return read_line_of(process_.err.get()); }

  /// Up to so many bytes of its stdout, fewer at the end.
  std::string read(std::size_t size) {
    std::string data;
    while (data.size() < size && read_some(process_.out.get(), data, size - data.size())) {
    }
    return data;
  }

  /// The rest of its stderr.
  std::string read_errors() {
    std::string data;
    while (read_some(process_.err.get(), data, 4096)) {
    }
    return data;
  }

  /// Writes a line to its stdin.
  void write_line(const std::string& line) const {
    const std::string data = line + '\n';
    [[maybe_unused]] const auto size = ::write(process_.in.get(), data.data(), data.size());
  }

  void end_input() { process_.in = {}; }

  void signal(int number) const { process_.signal(number); }

  [[nodiscard]] bool has_ended() const { return process_.ended().has_value(); }

  /// Waits for its end; the exit code, or -1 when there is none.
  [[nodiscard]] int wait() const {
    pollfd ended{process_.end_descriptor(), POLLIN, 0};
    ::poll(&ended, 1, bound);
    const auto outcome = process_.ended();
    return outcome && outcome->signal.empty() ? static_cast<int>(outcome->exit_status) : -1;
  }

private:
  static constexpr int bound = 60'000;

  static std::string read_line_of(int descriptor) {
    std::string line;
    while (read_some(descriptor, line, 1) && !line.ends_with('\n')) {
    }
    if (line.ends_with('\n'))
      line.pop_back();
    return line;
  }

  /// Appends what there is; false at the end.
  static bool read_some(int descriptor, std::string& data, std::size_t size) {
    std::array<char, 65536> buffer{};
    pollfd readable{descriptor, POLLIN, 0};
    if (::poll(&readable, 1, bound) != 1)
      return false;
    const auto got = ::read(descriptor, buffer.data(), std::min(size, buffer.size()));
    if (got > 0)
      data.append(buffer.data(), static_cast<std::size_t>(got));
    return got > 0 || (got < 0 && errno == EAGAIN);
  }

  testing::shell_process process_;
};

struct finished {
  int exit_code = 0;
  std::string out;
  std::string err;
};

/// The tool, as a user runs it.
struct tool {
  tool() = default;

  explicit tool(const testing::openssh_server::options& wanted) : server(wanted) {}

  testing::openssh_server server;
  testing::temporary_directory directory;

  [[nodiscard]] std::string file(const std::string& name) const { return directory.path() / name; }

  [[nodiscard]] std::string target() const {
    return server.user() + '@' + server.host() + ':' + std::to_string(server.port());
  }

  [[nodiscard]] static std::string content(const std::string& path) {
    std::ifstream stream{path, std::ios::binary};
    std::ostringstream text;
    text << stream.rdbuf();
    return text.str();
  }

  /// Runs a shell command line in which $tool is the program.
  [[nodiscard]] finished shell(const std::string& line) const {
    const std::string script = "tool='" SSHEXEC_TOOL "'; { " + line + "; } > '" + file("out")
                               + "' 2> '" + file("err") + '\'';
    finished result;
    result.exit_code = testing::run_program({"/bin/sh", "-c", script});
    result.out = content(file("out"));
    result.err = content(file("err"));
    return result;
  }

  /// `sshexec run` on the server with the right key.
  [[nodiscard]] finished run(const std::string& options, const std::string& line) const {
    return shell("$tool" + arguments(options, line));
  }

  /// A command that prints "part" and does not end by itself, with a timeout that is longer each
  /// time until that was printed before, however slow the machine is.
  [[nodiscard]] finished run_too_long(const std::string& options) const {
    finished result;
    for (int seconds = 1; seconds <= 64 && result.out.find("part") == std::string::npos;
         seconds *= 2)
      result = run(options + " -t " + std::to_string(seconds) + "s", "echo part; exec sleep 1000");
    return result;
  }

  /// `sshexec run` while it runs.
  [[nodiscard]] running_tool start(const std::string& options, const std::string& line) const {
    return running_tool{command_line(options, line)};
  }

  [[nodiscard]] std::string command_line(const std::string& options,
                                         const std::string& line) const {
    return SSHEXEC_TOOL + arguments(options, line);
  }

private:
  [[nodiscard]] std::string arguments(const std::string& options, const std::string& line) const {
    return " run --known-hosts " + file("known_hosts") + " -i " + server.identity_file() + ' '
           + options + ' ' + target() + " -- '" + line + '\'';
  }
};

inline bool is_one_line(const std::string& text) {
  return !text.empty() && text.find('\n') == text.size() - 1;
}

} // namespace sshexec::test
