#pragma once

#include "sshexec/actors/remote/wire/live_tls.hpp"
#include "sshexec/actors/remote/wire/tls_tunnel.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <optional>
#include <string>

namespace sshexec {

/// Stands between a listening port and CAF: a peer reaches CAF only once its TLS handshake is over
/// and its certificate was found good, and as long as it is by the files that there are. CAF's own
/// TLS (caf::openssl 0.17.6) spins on a connection that stays silent, whatever its timeouts are set
/// to (actor-framework/actor-framework#1060), reads the certificate files anew for each connection,
/// and ends the process when it cannot.
class tls_front {
public:
  /// Gets a socket that carries, in the clear, what an admitted peer says. False when nobody takes
  /// connections any more.
  using admit_function = std::function<bool(ssh::file_descriptor)>;
  /// Told of a peer that was turned away, as "address: reason", on the front's thread.
  using refused_function = std::function<void(const std::string&)>;

  static constexpr std::chrono::seconds drain_patience{10};
  /// The same for one who takes a little now and then.
  static constexpr std::chrono::seconds longest_drain{120};

  struct options {
    /// For a handshake, from its accept; a peer that needs longer is turned away.
    std::chrono::milliseconds handshake_timeout = std::chrono::seconds{5};
    /// Handshakes at once; beyond that the oldest makes way, so that silent peers keep nobody out.
    std::size_t max_handshakes = 256;
    refused_function on_refused;
  };

  /// `stop` becomes readable, or hangs up, when the front is to end. It then admits nobody any
  /// more, and ends when all connections have, or when for `drain_patience` nobody took what is on
  /// its way.
  tls_front(ssh::file_descriptor listener, live_tls tls, int stop, options wanted,
            admit_function admit);

  /// Serves until told to stop, and what is open then to its end, on the calling thread.
  void run();

private:
  using clock = tls_tunnel::clock;

  struct newcomer {
    tls_stream stream;
    std::string address;
    clock::time_point deadline;
    short wanted = POLLIN;
    bool has_news = true;
  };

  struct flow {
    tls_tunnel tunnel;
    std::string address;
    bool busy = true;
    bool has_news = false;
  };

  [[nodiscard]] bool is_done() const;
  void wait();
  void stop_admitting();
  void accept_all();
  void advance_handshakes();
  /// True when the handshake is over, well or not.
  bool advance(newcomer& peer);
  void admit(newcomer& peer);
  void refuse(const std::string& address, const std::string& reason) const;
  /// The TLS files changed: ends the connections of those who would be refused now.
  void look_at_peers_again();
  void advance_tunnels();
  [[nodiscard]] int timeout() const;

  ssh::file_descriptor listener_;
  live_tls tls_;
  int stop_;
  options options_;
  admit_function admit_;
  std::list<newcomer> newcomers_;
  std::list<flow> flows_;
  bool accepting_ = true;
  clock::time_point accept_again_;
  bool stopped_ = false;
  /// When a peer last took something.
  clock::time_point last_progress_;
  clock::time_point stopped_at_;
};

} // namespace sshexec
