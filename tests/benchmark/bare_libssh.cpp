#include "bare_libssh.hpp"

#include "pool.hpp"
#include "sshexec/ssh/address.hpp"
#include "sshexec/ssh/file_descriptor.hpp"
#include "sshexec/ssh/private_key.hpp"
#include "sshexec/ssh/session_setup.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <thread>
#include <vector>

namespace sshexec::bench {

namespace {

struct open_session {
  ssh::file_descriptor socket;
  ssh::session_handle session;
};

ssh::file_descriptor connect_to(const machine& target) {
  const auto addresses = ssh::resolve(target.hostname, target.port);
  if (!addresses)
    throw std::runtime_error{addresses.error().text};
  const ssh::address& there = addresses->front();
  ssh::file_descriptor result{::socket(there.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const int yes = 1;
  ::setsockopt(result.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
  const auto* const where = reinterpret_cast<const sockaddr*>(&there.storage);
  if (::connect(result.get(), where, there.length) != 0)
    throw std::runtime_error{"cannot connect to " + target.hostname};
  return result;
}

void check(bool good, ssh_session session) {
  if (!good)
    throw std::runtime_error{ssh_get_error(session)};
}

void run(ssh_session session, const std::string& line) {
  const ssh::channel_handle channel{ssh_channel_new(session)};
  check(ssh_channel_open_session(channel.get()) == SSH_OK, session);
  check(ssh_channel_request_exec(channel.get(), line.c_str()) == SSH_OK, session);
  check(ssh_channel_send_eof(channel.get()) == SSH_OK, session);
  std::array<char, 4096> output{};
  while (ssh_channel_read(channel.get(), output.data(), output.size(), 0) > 0) {
  }
  check(ssh_channel_get_exit_status(channel.get()) == 0, session);
}

/// The session stays open, as an executor's does.
open_session run_on(const machine& target, const ssh::private_key& key, const std::string& line) {
  open_session result{connect_to(target), {}};
  ssh::connection_settings settings;
  settings.username = target.username;
  result.session = ssh::make_session(result.socket.get(), settings);
  const ssh_session session = result.session.get();
  ssh_set_blocking(session, 1);
  check(ssh_connect(session) == SSH_OK, session);
  check(ssh_userauth_publickey(session, nullptr, key.get()) == SSH_AUTH_SUCCESS, session);
  run(session, line);
  return result;
}

} // namespace

bool fan_out_bare(const options& x) {
  const auto key = ssh::load_private_key(x.key, {});
  if (!key)
    throw std::runtime_error{key.error().text};
  const auto machines = targets(x, x.machines);
  std::vector<open_session> sessions(machines.size());
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> good = true;
  const auto run_some = [&] {
    try {
      for (std::size_t i = next++; i < machines.size(); i = next++)
        sessions[i] = run_on(machines[i], *key, x.line);
    } catch (const std::exception& reason) {
      std::fprintf(stderr, "%s\n", reason.what());
      good = false;
    }
  };
  const auto start = std::chrono::steady_clock::now();
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < x.concurrency; ++i)
      threads.emplace_back(run_some);
  }
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  std::printf("libssh fanout n=%zu %.0f/s wall=%.2fs\n", machines.size(),
              static_cast<double>(machines.size()) / taken.count(), taken.count());
  return good;
}

} // namespace sshexec::bench
