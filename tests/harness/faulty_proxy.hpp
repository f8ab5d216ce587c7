#pragma once

#include "sshexec/testing/loopback.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace sshexec::testing {

enum class direction : std::uint8_t { to_server, to_client };

/// How a network treats connections. As it is, it is a good one.
struct network {
  enum class mode : std::uint8_t {
    forward,
    /// Takes bytes and drops them; new connections are accepted, and the server hears nothing of
    /// them.
    black_hole,
    /// Takes no bytes: senders come to a halt when the buffers are full. What was held back goes on
    /// its way when the mode changes.
    half_open,
    /// The port is closed. Connections that exist go on.
    refuse,
  };

  /// Breaks a connection, on both sides, once so many bytes have gone that way.
  struct cut {
    direction where;
    std::uint64_t after_bytes;
    ending how = ending::hang_up;
  };

  /// Changes a byte, as broken hardware does; counts as in `cut`.
  struct damage {
    direction where;
    std::uint64_t at_byte;
  };

  mode behaviour = mode::forward;
  /// Added in each direction.
  std::chrono::milliseconds latency{0};
  /// In each direction of each connection; unlimited if 0.
  std::uint64_t bytes_per_second = 0;
  /// Counts from the start of a connection or from the change to this network, whichever is later.
  std::optional<cut> break_at = {};
  std::optional<damage> damages = {};
};

/// A TCP proxy on a free loopback port whose network can be bad. Its connections end with this
/// object. Functions may be called from any thread.
class faulty_proxy {
public:
  /// The server need not be there yet; a connection is reset if it is not there. Throws
  /// `std::system_error` when there is no port to be had or the server's name is unknown.
  faulty_proxy(const std::string& server_host, std::uint16_t server_port, network initial = {});
  faulty_proxy(const faulty_proxy&) = delete;
  faulty_proxy& operator=(const faulty_proxy&) = delete;
  ~faulty_proxy();

  [[nodiscard]] const std::string& host() const;
  [[nodiscard]] std::uint16_t port() const;

  /// Changes the network, for existing and for new connections; holds when it returns.
  void change(network to);

  /// Breaks all connections of this moment.
  void break_connections(ending how);

  /// Connections accepted so far.
  [[nodiscard]] std::size_t connections() const;
  /// Waits until so many were accepted; false if they were not within the bound.
  [[nodiscard]] bool wait_for_connections(std::size_t count, std::chrono::milliseconds bound
                                                             = std::chrono::seconds{60}) const;
  /// Bytes handed on so far.
  [[nodiscard]] std::uint64_t bytes(direction where) const;

private:
  struct implementation;
  std::unique_ptr<implementation> implementation_;
};

} // namespace sshexec::testing
