#include "sshexec/testing/scripted_server.hpp"

#include "sshexec/testing/loopback.hpp"
#include "sshexec/testing/server_connection.hpp"
#include "sshexec/testing/signals.hpp"
#include "sshexec/testing/temporary_directory.hpp"
#include "sshexec/testing/wake_event.hpp"

#include <poll.h>

#include <array>
#include <atomic>
#include <list>
#include <mutex>
#include <thread>
#include <utility>

namespace sshexec::testing {

struct scripted_server::implementation {
  explicit implementation(options wanted)
    : address(std::move(wanted.address)),
      listener(listen_on(address, wanted.port)),
      port(port_of(listener)),
      state{std::move(wanted.connections), std::move(wanted.commands)} {
    state.client_key.write(client_key_file());
    thread = std::thread{[this] { accept_connections(); }};
  }

  implementation(const implementation&) = delete;
  implementation& operator=(const implementation&) = delete;

  ~implementation() {
    stopping = true;
    wake.notify();
    thread.join();
    stop_listening(std::move(listener));
    for (server_connection& connection : connections)
      connection.stop();
  }

  [[nodiscard]] std::string client_key_file() const { return directory.path() / "client_key"; }

  void accept_connections() {
    block_signals();
    for (unsigned number = 1; !stopping;) {
      std::array<pollfd, 2> descriptors{
        {{wake.descriptor(), POLLIN, 0}, {listener.get(), POLLIN, 0}}};
      ::poll(descriptors.data(), descriptors.size(), -1);
      if (file_descriptor socket = accept_from(listener)) {
        const std::lock_guard lock{mutex};
        std::erase_if(connections, [](const server_connection& x) { return x.finished(); });
        serve(std::move(socket), number++);
      }
    }
  }

  /// Hangs up, as sshd does, if this process is short of descriptors.
  void serve(file_descriptor socket, unsigned number) {
    if (auto wake_up = wake_event::make())
      connections.emplace_back(std::move(socket), std::move(*wake_up), number, state);
    else
      state.record.add({.what = event::disconnected, .connection = number});
  }

  template <class Function>
  void for_each_connection(Function function) {
    const std::lock_guard lock{mutex};
    for (server_connection& connection : connections)
      function(connection);
  }

  const std::string address;
  const temporary_directory directory;
  file_descriptor listener;
  const std::uint16_t port;
  server_state state;

  std::mutex mutex;
  std::list<server_connection> connections;

  wake_event wake;
  std::atomic<bool> stopping = false;
  std::thread thread;
};

scripted_server::scripted_server(options wanted)
  : implementation_(std::make_unique<implementation>(std::move(wanted))) {}

scripted_server::~scripted_server() = default;

const std::string& scripted_server::host() const {
  return implementation_->address;
}

std::uint16_t scripted_server::port() const {
  return implementation_->port;
}

std::string scripted_server::client_key_file() const {
  return implementation_->client_key_file();
}

std::string scripted_server::host_key_fingerprint(unsigned host_key) const {
  return implementation_->state.host_keys[host_key].fingerprint();
}

observations scripted_server::record() const {
  return implementation_->state.record.all();
}

bool scripted_server::wait_for(const std::function<bool(const observations&)>& predicate,
                               std::chrono::milliseconds bound) const {
  return implementation_->state.record.wait_for(predicate, bound);
}

bool scripted_server::wait_for(event what, std::size_t times,
                               std::chrono::milliseconds bound) const {
  return wait_for([=](const observations& seen) { return count(seen, what) >= times; }, bound);
}

void scripted_server::release(const std::string& gate) {
  implementation_->state.open_gates.open(gate);
  implementation_->for_each_connection([](const server_connection& x) { x.wake(); });
}

void scripted_server::break_connections(breakage how, const std::string& message) {
  implementation_->for_each_connection([&](server_connection& x) { x.break_off({how, message}); });
}

} // namespace sshexec::testing
