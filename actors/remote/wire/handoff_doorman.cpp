#include "sshexec/actors/remote/wire/handoff_doorman.hpp"

#include <caf/io/abstract_broker.hpp>
#include <caf/io/network/native_socket.hpp>
#include <caf/io/scribe.hpp>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace sshexec {

namespace network = caf::io::network;

namespace {

/// Accepts in the way that `acceptor::handle_event_impl` wants it.
struct handoff_policy {
  bool try_accept(network::native_socket& result, network::native_socket handoff) {
    const ssize_t received = ::recv(handoff, &result, sizeof(result), MSG_DONTWAIT);
    ended = received == 0;
    return received == sizeof(result);
  }

  bool ended = false;
};

} // namespace

void handoff_doorman::receiver::handle_event(network::operation op) {
  handoff_policy policy;
  handle_event_impl(op, policy);
  // Unlike a listening socket, this one would go on to be readable after its end.
  if (policy.ended)
    passivate();
}

handoff_doorman::handoff_doorman(network::default_multiplexer& backend,
                                 ssh::file_descriptor handoff, std::uint16_t port)
  : doorman(network::accept_hdl_from_socket(handoff.get())),
    receiver_(backend, handoff.release()),
    port_(port) {}

bool handoff_doorman::new_connection() {
  ssh::file_descriptor connection{receiver_.accepted_socket()};
  // CAF's own doormen look out for this too: the broker may have ended while an event was due.
  if (detached())
    return false;
  auto& backend = receiver_.backend();
  auto scribe = backend.new_scribe(connection.release());
  const auto handle = scribe->hdl();
  parent()->add_scribe(std::move(scribe));
  return doorman::new_connection(&backend, handle);
}

void handoff_doorman::graceful_shutdown() {
  // What was handed over and not taken has no other owner.
  handoff_policy policy;
  for (network::native_socket left = -1; policy.try_accept(left, receiver_.fd());)
    ssh::file_descriptor{left};
  receiver_.graceful_shutdown();
  detach(&receiver_.backend(), false);
}

void handoff_doorman::launch() {
  receiver_.start(this);
}

std::string handoff_doorman::addr() const {
  return {};
}

std::uint16_t handoff_doorman::port() const {
  return port_;
}

void handoff_doorman::add_to_loop() {
  receiver_.activate(this);
}

void handoff_doorman::remove_from_loop() {
  receiver_.passivate();
}

} // namespace sshexec
