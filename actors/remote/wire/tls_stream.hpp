#pragma once

#include "sshexec/actors/remote/wire/tls_context.hpp"
#include "sshexec/ssh/file_descriptor.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace sshexec {

/// Keeps OpenSSL's writes to a peer that is gone from ending the process (SIGPIPE); for the calling
/// thread, for good.
void block_broken_pipe_signal();

/// One TLS connection on a non-blocking socket. For one thread at a time, which blocks SIGPIPE.
class tls_stream {
public:
  enum class status : std::uint8_t {
    done,
    /// To be called again when the socket can be read, or written.
    want_read,
    want_write,
    /// The peer has closed the connection in an orderly way.
    ended,
    /// `reason` tells why.
    failed,
  };

  struct outcome {
    tls_stream::status status = status::failed;
    std::size_t bytes = 0;
  };

  tls_stream(const tls_context& context, ssh::file_descriptor socket, tls_role role);

  status handshake();

  /// Waits for the peer's first byte, which stays unread. A TLS 1.3 server's refusal of our
  /// certificate comes only behind our own handshake (RFC 8446 §4.4.2.4).
  status await_first_byte();

  outcome read(char* data, std::size_t size);
  outcome write(const char* data, std::size_t size);

  /// Tells the peer that nothing more comes, if that can be sent at once.
  void close();

  /// Why the peer's certificate would be refused by these rules, if so; behind the handshake.
  [[nodiscard]] std::optional<std::string> objection(const tls_context& rules) const;

  [[nodiscard]] int socket() const { return socket_.get(); }

  [[nodiscard]] const std::string& reason() const { return reason_; }

private:
  status judge(int returned);
  [[nodiscard]] std::string explain(int error) const;

  struct deleter {
    void operator()(SSL* x) const { SSL_free(x); }
  };

  ssh::file_descriptor socket_;
  std::unique_ptr<SSL, deleter> ssl_;
  std::string reason_;
};

} // namespace sshexec
