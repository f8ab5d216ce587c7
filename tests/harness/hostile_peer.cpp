#include "sshexec/testing/hostile_peer.hpp"

#include "sshexec/testing/process.hpp"
#include "sshexec/testing/server_key.hpp"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <utility>

namespace sshexec::testing {

extern const char* const hostile_peer_script;

namespace {

/// The one that Debian's python3-asyncssh is installed for.
constexpr const char* python = "/usr/bin/python3";
constexpr std::chrono::milliseconds peer_start_bound = std::chrono::seconds{120};

/// What arrives up to the end of a line; empty when none comes in time.
std::string read_line(const ssh::file_descriptor& source) {
  std::string line;
  pollfd readable{source.get(), POLLIN, 0};
  char next = 0;
  while (::poll(&readable, 1, static_cast<int>(peer_start_bound.count())) == 1
         && ::read(source.get(), &next, 1) == 1) {
    if (next == '\n')
      return line;
    line += next;
  }
  return {};
}

} // namespace

hostile_peer::hostile_peer() {
  server_key{}.write(client_key_file());
  auto [reading, writing] = open_pipe();
  output_ = std::move(reading);
  // Warnings are about ciphers that nobody asked for.
  process_ = start_program(
    {python, "-W", "ignore", "-c", hostile_peer_script, host_, client_key_file() + ".pub"},
    writing.get());
  writing = {};
  port_ = static_cast<std::uint16_t>(std::strtoul(read_line(output_).c_str(), nullptr, 10));
  if (port_ == 0) {
    kill_and_wait({process_});
    ::waitpid(process_, nullptr, 0);
    throw std::runtime_error("the hostile peer does not start: is python3-asyncssh installed?");
  }
}

hostile_peer::~hostile_peer() {
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
}

} // namespace sshexec::testing
