#pragma once

#include "sshexec/testing/scripts.hpp"
#include "sshexec/testing/server_record.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace sshexec::testing {

/// An SSH server in this process, on a loopback address, with fresh keys. Scripts tell what it does
/// with each connection and each command, and it keeps a record of what its clients did. As it is,
/// it lets in whoever has its client key, under any user name, and runs every command by the shell,
/// as the user who runs this process. Everything ends with this object, hanging scripts and running
/// commands included. Functions may be called from any thread.
class scripted_server {
public:
  struct options {
    /// A loopback address to listen on.
    std::string address = "127.0.0.1";
    /// Any free port if 0.
    std::uint16_t port = 0;
    /// Asked for each connection; they count from 1. Called on the connection's thread, like the
    /// next one; what they throw ends the connection and is told in the record.
    std::function<connection_script(unsigned connection)> connections
      = [](unsigned) { return connection_script{}; };
    /// Asked for each command.
    std::function<command_script(const std::string& line)> commands = run_by_shell;
  };

  /// Throws `std::system_error` or `std::runtime_error` when there is no port or no key to be had.
  scripted_server() : scripted_server(options{}) {}

  explicit scripted_server(options wanted);
  scripted_server(const scripted_server&) = delete;
  scripted_server& operator=(const scripted_server&) = delete;
  ~scripted_server();

  [[nodiscard]] const std::string& host() const;
  [[nodiscard]] std::uint16_t port() const;
  /// Path of the private key that the server accepts; the public one is next to it, with ".pub"
  /// appended.
  [[nodiscard]] std::string client_key_file() const;
  /// "SHA256:…" of the host key that a `connection_script` presents under this number.
  [[nodiscard]] std::string host_key_fingerprint(unsigned host_key = 0) const;

  /// What happened so far.
  [[nodiscard]] observations record() const;

  /// Waits until the predicate holds for the record; false if it does not within the bound.
  [[nodiscard]] bool wait_for(const std::function<bool(const observations&)>& predicate,
                              std::chrono::milliseconds bound = std::chrono::seconds{60}) const;

  /// Waits until something happened that many times.
  [[nodiscard]] bool wait_for(event what, std::size_t times = 1,
                              std::chrono::milliseconds bound = std::chrono::seconds{60}) const;

  /// Opens a gate, for good: lets all steps go on that wait for it, now or later.
  void release(const std::string& gate);

  /// Breaks all connections of this moment, each as soon as it notes `event::connection_broken`.
  void break_connections(breakage how, const std::string& message = {});

private:
  struct implementation;
  std::unique_ptr<implementation> implementation_;
};

} // namespace sshexec::testing
