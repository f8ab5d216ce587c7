#pragma once

#include "sshexec/actors/remote/wire/sockets.hpp"
#include "sshexec/ssh/file_descriptor.hpp"
#include "sshexec/testing/loopback.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <list>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

namespace sshexec::test {

/// Carries connections to a hub, and can lose its clients in such a way that only they notice: the
/// hub's side stays open, as behind a gateway that forgot them.
class cut_off_proxy {
public:
  explicit cut_off_proxy(std::uint16_t hub_port) : hub_port_(hub_port) {
    thread_ = std::thread{[this] { run(); }};
  }

  cut_off_proxy(const cut_off_proxy&) = delete;
  cut_off_proxy& operator=(const cut_off_proxy&) = delete;

  ~cut_off_proxy() {
    wake('q');
    thread_.join();
  }

  [[nodiscard]] std::uint16_t port() const { return testing::port_of(listener_); }

  /// Resets all clients of this moment.
  void lose_clients() const { wake('l'); }

private:
  struct connection {
    ssh::file_descriptor client;
    ssh::file_descriptor hub;
  };

  void wake(char what) const { std::ignore = ::write(wake_.writing.get(), &what, 1); }

  void run() {
    for (;;) {
      std::vector<pollfd> events{{wake_.reading.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
      for (const connection& each : connections_) {
        events.push_back({each.client ? each.client.get() : -1, POLLIN, 0});
        events.push_back({each.hub ? each.hub.get() : -1, POLLIN, 0});
      }
      ::poll(events.data(), events.size(), -1);
      char what = 0;
      if (events[0].revents != 0 && ::read(wake_.reading.get(), &what, 1) == 1) {
        if (what == 'q')
          return;
        reset_clients();
        continue;
      }
      std::size_t next = 2;
      for (connection& each : connections_) {
        if (events[next++].revents != 0)
          pass(each.client, each.hub);
        if (events[next++].revents != 0)
          pass(each.hub, each.client);
      }
      if (events[1].revents != 0)
        accept();
    }
  }

  void accept() {
    ssh::file_descriptor client{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
    auto hub = connect_to({"127.0.0.1", hub_port_},
                          {std::chrono::steady_clock::now() + std::chrono::seconds{60}});
    if (client && hub)
      connections_.push_back({std::move(client), std::move(*hub)});
  }

  /// A side that has ended ends the other one, unless that is a client that was lost.
  static void pass(ssh::file_descriptor& from, ssh::file_descriptor& to) {
    std::array<char, 4096> buffer{};
    const ssize_t size = ::recv(from.get(), buffer.data(), buffer.size(), 0);
    if (size <= 0) {
      from = {};
      to = {};
    } else if (to) {
      // Little enough to find room at once.
      std::ignore = ::send(to.get(), buffer.data(), static_cast<std::size_t>(size), MSG_NOSIGNAL);
    }
  }

  void reset_clients() {
    for (connection& each : connections_)
      testing::end_connection(std::exchange(each.client, {}), testing::ending::reset);
  }

  std::uint16_t hub_port_;
  ssh::file_descriptor listener_ = testing::listen_on("127.0.0.1");
  ssh::pipe_ends wake_ = ssh::make_pipe();
  std::list<connection> connections_;
  std::thread thread_;
};

} // namespace sshexec::test
