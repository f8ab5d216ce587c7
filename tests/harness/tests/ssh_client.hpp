#pragma once

#include "files.hpp"
#include "sshexec/testing/real_server.hpp"
#include "sshexec/testing/scripted_server.hpp"
#include "sshexec/testing/temporary_directory.hpp"

#include <boost/test/unit_test.hpp>
#include <sys/wait.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <string>
#include <utility>

/// ssh(1) against the servers of the harness.
namespace sshexec::test {

/// What ssh(1) says when it was not the command that failed.
inline constexpr int connection_failed = 255;

struct answer {
  int status = -1;
  std::string out;
  std::string err;
};

/// ssh(1), which knows nothing of our code.
struct client {
  std::string host;
  std::uint16_t port = 0;
  std::string user;
  std::string key;
  std::string options = {};

  [[nodiscard]] answer run(const std::string& line, const std::string& input = {}) const {
    const testing::temporary_directory files;
    const std::string in = files.path() / "in";
    const std::string out = files.path() / "out";
    const std::string err = files.path() / "err";
    write_file(in, input);
    const int status = std::system((call(line) + " <" + in + " >" + out + " 2>" + err).c_str());
    return {WEXITSTATUS(status), read_file(out), read_file(err)};
  }

  [[nodiscard]] std::future<answer> start(const std::string& line) const {
    return std::async(std::launch::async, [*this, line] { return run(line); });
  }

  [[nodiscard]] std::string call(const std::string& line) const {
    return "timeout 120 ssh -F /dev/null -o UserKnownHostsFile=/dev/null"
           " -o StrictHostKeyChecking=no -o IdentitiesOnly=yes -o BatchMode=yes -i "
           + key + " -p " + std::to_string(port) + ' ' + options + ' ' + user + '@' + host + " '"
           + line + '\'';
  }
};

inline client to(const testing::scripted_server& server) {
  return {server.host(), server.port(), "anyone", server.client_key_file()};
}

inline client to(const testing::real_server& server) {
  return {server.host(), server.port(), server.user(), server.identity_file()};
}

/// A command that runs until it has said something at least.
class talk {
public:
  explicit talk(const std::string& call) : output_(::popen((call + " 2>/dev/null").c_str(), "r")) {}

  talk(const talk&) = delete;
  talk& operator=(const talk&) = delete;

  ~talk() {
    if (output_ != nullptr)
      ::pclose(output_);
  }

  std::string read_line() {
    std::array<char, 256> line{};
    BOOST_REQUIRE(std::fgets(line.data(), line.size(), output_) != nullptr);
    return line.data();
  }

  /// Its exit status.
  int end() { return WEXITSTATUS(::pclose(std::exchange(output_, nullptr))); }

private:
  FILE* output_;
};

} // namespace sshexec::test
