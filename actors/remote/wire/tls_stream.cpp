#include "sshexec/actors/remote/wire/tls_stream.hpp"

#include <openssl/err.h>
#include <openssl/x509.h>

#include <cerrno>
#include <csignal>
#include <new>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

namespace sshexec {

namespace {

/// OpenSSL's own words for these send nobody to the cause.
std::optional<std::string> words_for(int reason) {
  switch (reason) {
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
      return "the peer hung up";
    case SSL_R_WRONG_VERSION_NUMBER:
      return "the peer does not speak TLS";
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
      return "the peer refuses our certificate: a client needs one with the extended key usage "
             "clientAuth, a hub one with serverAuth";
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
      return "the peer refuses our certificate: it does not know the authority that signed it";
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
      return "the peer refuses our certificate: it is revoked";
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
      return "the peer refuses our certificate: it has expired";
    default:
      return std::nullopt;
  }
}

} // namespace

void block_broken_pipe_signal() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

tls_stream::tls_stream(const tls_context& context, ssh::file_descriptor socket, tls_role role)
  : socket_(std::move(socket)), ssl_(SSL_new(context.get())) {
  if (!ssl_ || SSL_set_fd(ssl_.get(), socket_.get()) != 1)
    throw std::bad_alloc{};
  if (role == tls_role::server)
    SSL_set_accept_state(ssl_.get());
  else
    SSL_set_connect_state(ssl_.get());
}

tls_stream::status tls_stream::handshake() {
  ERR_clear_error();
  return judge(SSL_do_handshake(ssl_.get()));
}

tls_stream::status tls_stream::await_first_byte() {
  ERR_clear_error();
  char ignored = 0;
  return judge(SSL_peek(ssl_.get(), &ignored, 1));
}

tls_stream::outcome tls_stream::read(char* data, std::size_t size) {
  ERR_clear_error();
  std::size_t bytes = 0;
  const status result = judge(SSL_read_ex(ssl_.get(), data, size, &bytes));
  return {result, bytes};
}

tls_stream::outcome tls_stream::write(const char* data, std::size_t size) {
  ERR_clear_error();
  std::size_t bytes = 0;
  const status result = judge(SSL_write_ex(ssl_.get(), data, size, &bytes));
  return {result, bytes};
}

void tls_stream::close() {
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

std::optional<std::string> tls_stream::objection(const tls_context& rules) const {
  using verification = std::unique_ptr<X509_STORE_CTX, decltype(&X509_STORE_CTX_free)>;
  const verification again{X509_STORE_CTX_new(), X509_STORE_CTX_free};
  if (!again
      || X509_STORE_CTX_init(again.get(), SSL_CTX_get_cert_store(rules.get()),
                             SSL_get0_peer_certificate(ssl_.get()),
                             SSL_get_peer_cert_chain(ssl_.get()))
           != 1)
    throw std::bad_alloc{};
  X509_STORE_CTX_set_default(again.get(), SSL_is_server(ssl_.get()) ? "ssl_client" : "ssl_server");
  X509_STORE_CTX_set_verify_cb(again.get(), SSL_CTX_get_verify_callback(rules.get()));
  const bool is_good = X509_verify_cert(again.get()) == 1;
  ERR_clear_error();
  if (is_good)
    return std::nullopt;
  return "the peer's certificate is refused by now: "
         + std::string{X509_verify_cert_error_string(X509_STORE_CTX_get_error(again.get()))};
}

tls_stream::status tls_stream::judge(int returned) {
  if (returned > 0)
    return status::done;
  const int error = SSL_get_error(ssl_.get(), returned);
  switch (error) {
    case SSL_ERROR_WANT_READ:
      return status::want_read;
    case SSL_ERROR_WANT_WRITE:
      return status::want_write;
    case SSL_ERROR_ZERO_RETURN:
      reason_ = "the peer closed the connection";
      return status::ended;
    default:
      reason_ = explain(error);
      return status::failed;
  }
}

std::string tls_stream::explain(int error) const {
  const int socket_error = errno;
  const unsigned long code = ERR_peek_last_error();
  const long verdict = SSL_get_verify_result(ssl_.get());
  if (code != 0 && ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED)
    return std::string{"the peer's certificate was refused: "}
           + X509_verify_cert_error_string(verdict);
  if (const auto words = words_for(code == 0 ? 0 : ERR_GET_REASON(code)))
    return *words;
  if (code != 0) {
    const char* text = ERR_reason_error_string(code);
    return text != nullptr ? text : "TLS failed";
  }
  if (error == SSL_ERROR_SYSCALL && socket_error != 0)
    return std::system_category().message(socket_error);
  return "the peer hung up";
}

} // namespace sshexec
