#pragma once

#include "sshexec/testing/key_files.hpp"
#include "sshexec/testing/process.hpp"
#include "sshexec/testing/temporary_directory.hpp"

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace sshexec::testing {

/// A real SSH server on a free port of the loopback interface, with keys of its own; it and all its
/// sessions end with this object. Run by root it lets in a user made for the purpose, whose login
/// shell is /bin/sh, otherwise the user who runs it. Functions throw `std::runtime_error` when the
/// server or its tools cannot be used, such as when its package is not installed.
class real_server {
public:
  real_server(const real_server&) = delete;
  real_server& operator=(const real_server&) = delete;
  ~real_server();

  [[nodiscard]] const std::string& host() const { return site_.address; }

  [[nodiscard]] std::uint16_t port() const { return site_.port; }

  [[nodiscard]] const std::string& user() const { return site_.user; }

  /// Path of the private key that the server accepts.
  [[nodiscard]] std::string identity_file() const { return site_.directory + "/client_key"; }

  [[nodiscard]] std::string host_key_fingerprint() const;

  /// Keys accepted so far, over all restarts. An authentication counts before its first command
  /// runs.
  [[nodiscard]] std::size_t authentications() const;
  /// Connections arrived so far, over all restarts.
  [[nodiscard]] std::size_t connections() const;
  /// What the server wrote to its log.
  [[nodiscard]] std::string log() const;

  /// Waits until the log holds this text; false if it does not within the bound.
  [[nodiscard]] bool wait_for_log(const std::string& text,
                                  std::chrono::milliseconds bound = std::chrono::seconds{60}) const;

  /// Ends the server and all its sessions.
  void stop();
  /// Starts a stopped server again on the same port.
  void restart();
  /// Takes a new host key; to be called on a stopped server.
  void regenerate_host_key();
  /// Ends all sessions, commands included, and returns when they are gone; the server goes on.
  void kill_sessions();
  /// Stops the server and its sessions in their tracks: they hold their connections, silently.
  void suspend();
  void resume();

protected:
  /// Where a server runs. Its directory holds `host_key`, `client_key`, `authorized_keys`, and its
  /// `log`.
  struct site {
    std::string directory;
    std::string address;
    std::uint16_t port = 0;
    std::string user;
  };

  /// What must be known of a server's program.
  struct program {
    std::string path;
    /// The Debian package that holds it.
    std::string package;
    /// Makes what it needs, and returns how to start it in the foreground.
    std::function<arguments(const site&)> prepare;
    /// What it writes to its log when it listens, for each connection and for each key it accepts.
    std::string listening_sign;
    std::string connection_sign;
    std::string authentication_sign;
  };

  /// Starts it on a loopback address.
  real_server(program what, std::string address);

private:
  void start();
  bool wait_for_starts(std::size_t count);
  bool wait_for_sign(const std::string& sign, std::size_t count, std::chrono::milliseconds bound,
                     const std::function<bool()>& hope) const;
  void suspend_listener();

  program program_;
  temporary_directory directory_;
  site site_;
  pid_t process_ = 0;
};

} // namespace sshexec::testing
