#pragma once

#include "sshexec/ssh/file_descriptor.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace sshexec::fuzz {

/// The least of an SSH server that a client takes for real: it proves to hold a host key, and from
/// then on says whatever it is told to in sound, encrypted packets, without caring for what the
/// client sends. It knows curve25519-sha256 (RFC 8731), ssh-ed25519 (RFC 8709) and
/// aes128-gcm@openssh.com, and all its keys are fixed.
class secure_server {
public:
  /// Begins key exchange on a connected socket.
  explicit secure_server(ssh::file_descriptor socket);

  /// Goes on with key exchange as far as the client's bytes allow.
  void exchange_keys();

  /// Whether key exchange is through.
  [[nodiscard]] bool is_secure() const { return secure_; }

  /// Sends one encrypted packet.
  void send(std::string_view payload);

  /// Says that nothing more comes.
  void hang_up();

  [[nodiscard]] std::uint64_t bytes_sent() const { return bytes_sent_; }

  /// Readable when the client sent something.
  [[nodiscard]] int descriptor() const { return socket_.get(); }

private:
  void read();
  void answer(const std::string& client_banner, const std::string& client_kexinit,
              const std::string& client_key);
  void write(std::string_view bytes);

  ssh::file_descriptor socket_;
  std::string received_;
  std::string key_;
  std::string iv_;
  bool secure_ = false;
  std::uint64_t bytes_sent_ = 0;
};

} // namespace sshexec::fuzz
