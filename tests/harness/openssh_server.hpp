#pragma once

#include "sshexec/testing/temporary_directory.hpp"

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace sshexec::testing {

/// Makes an ed25519 key pair: the private key at `path`, the public one at `path`.pub.
void make_key(const std::string& path, const std::string& passphrase = {});

/// "SHA256:…" of a public or private key file, as ssh-keygen(1) prints it.
std::string key_fingerprint(const std::string& path);

/// A real OpenSSH server on a free port of the loopback interface, with keys of its own; it and all
/// its sessions end with this object. Run by root it lets in a user made for the purpose, whose
/// login shell is /bin/sh, otherwise the user who runs it. Functions throw `std::runtime_error`
/// when the server or its tools cannot be used, such as when openssh-server is not installed.
class openssh_server {
public:
  struct options {
    /// A loopback address to listen on.
    std::string address = "127.0.0.1";
    /// Lines put before the others in sshd_config(5), so that they prevail.
    std::string configuration;
    /// As in sshd_config(5); below VERBOSE it counts nothing.
    std::string log_level = "VERBOSE";
  };

  openssh_server() : openssh_server(options{}) {}

  explicit openssh_server(options wanted);
  openssh_server(const openssh_server&) = delete;
  openssh_server& operator=(const openssh_server&) = delete;
  ~openssh_server();

  [[nodiscard]] const std::string& host() const { return options_.address; }

  [[nodiscard]] std::uint16_t port() const { return port_; }

  [[nodiscard]] const std::string& user() const { return user_; }

  /// Path of the private key that the server accepts.
  [[nodiscard]] std::string identity_file() const { return directory_.path() / "client_key"; }

  [[nodiscard]] std::string host_key_fingerprint() const;

  /// Keys accepted so far, over all restarts. An authentication counts before its first command
  /// runs.
  [[nodiscard]] std::size_t authentications() const;
  /// Connections arrived so far, over all restarts.
  [[nodiscard]] std::size_t connections() const;
  /// What the server wrote to its log.
  [[nodiscard]] std::string log() const;

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

private:
  void start();
  void write_configuration();
  [[nodiscard]] std::string listening_sign() const;
  bool wait_for_starts(std::size_t count);
  void suspend_listener();

  options options_;
  temporary_directory directory_;
  std::string user_;
  std::uint16_t port_ = 0;
  pid_t process_ = 0;
};

} // namespace sshexec::testing
