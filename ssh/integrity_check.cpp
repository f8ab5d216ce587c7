#include "sshexec/ssh/integrity_check.hpp"

#include "sshexec/ssh/file_descriptor.hpp"
#include "sshexec/ssh/handles.hpp"
#include "sshexec/ssh/session_setup.hpp"

#include <fcntl.h>
#include <libssh/callbacks.h>
#include <libssh/server.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace sshexec::ssh {

namespace {

struct bind_deleter {
  void operator()(ssh_bind x) const { ssh_bind_free(x); }
};

using bind_handle = std::unique_ptr<ssh_bind_struct, bind_deleter>;

/// Far more than either side has to say.
constexpr int most_rounds = 100;

constexpr std::size_t largest_message = 4096;

/// Fits into the packet with room behind it.
constexpr const char* carried = "0123456789abcdef0123456789abcdef";

/// What a family's sessions did with an altered message.
enum class finding : std::uint8_t { sound, unsound, unusable };

tl::unexpected<error> no_session() {
  return tl::unexpected{error{error_kind::shortage, "cannot set up an SSH session"}};
}

result<socket_pair> make_ends() {
  socket_pair ends = make_socket_pair();
  if (!ends.first)
    return tl::unexpected{
      error{error_kind::shortage, "cannot set up an SSH session: " + from_errno(errno).text}};
  if (ends.first.get() > largest_socket || ends.second.get() > largest_socket)
    return no_session();
  return ends;
}

/// What libssh serves sessions by, with a host key that was made for them; null if it cannot.
bind_handle make_host() {
  bind_handle result{ssh_bind_new()};
  ssh_key key = nullptr;
  // Of a type that every policy of a system allows.
  if (!result || ssh_pki_generate(SSH_KEYTYPE_ECDSA_P256, 0, &key) != SSH_OK)
    return {};
  const bool no = false;
  ssh_bind_options_set(result.get(), SSH_BIND_OPTIONS_PROCESS_CONFIG, &no);
  // It frees its keys.
  if (ssh_bind_options_set(result.get(), SSH_BIND_OPTIONS_IMPORT_KEY, key) != SSH_OK)
    return {};
  return result;
}

/// What offers one family alone.
connection_settings offering(cipher_family family) {
  connection_settings result;
  result.ciphers_left_out = {all_cipher_families.begin(), all_cipher_families.end()};
  result.ciphers_left_out.erase(family);
  return result;
}

session_handle accept(ssh_bind host, file_descriptor socket) {
  session_handle result{ssh_new()};
  if (!result)
    return result;
  ssh_set_blocking(result.get(), 0);
  if (ssh_bind_accept_fd(host, result.get(), socket.get()) != SSH_OK)
    return {};
  socket.release();
  return result;
}

/// libssh makes the socket blocking when it finds it connected.
bool go_on_connecting(ssh_session client) {
  const int status = ssh_connect(client);
  const int socket = ssh_get_fd(client);
  ::fcntl(socket, F_SETFL, ::fcntl(socket, F_GETFL) | O_NONBLOCK);
  return status == SSH_OK;
}

bool exchange_keys(ssh_session client, ssh_session server) {
  bool client_is_through = false;
  bool server_is_through = false;
  for (int i = 0; i < most_rounds && !(client_is_through && server_is_through); ++i) {
    client_is_through = client_is_through || go_on_connecting(client);
    server_is_through = server_is_through || ssh_handle_key_exchange(server) == SSH_OK;
  }
  return client_is_through && server_is_through;
}

/// Lets a session read all that is there, and write all that it has to say.
void settle(ssh_session session) {
  const event_handle event{ssh_event_new()};
  ssh_event_add_session(event.get(), session);
  ssh_counter_struct moved{};
  ssh_set_counters(session, &moved, nullptr);
  std::uint64_t before = 0;
  do {
    before = moved.in_bytes + moved.out_bytes;
    ssh_event_dopoll(event.get(), 0);
  } while (is_usable(session) && moved.in_bytes + moved.out_bytes != before);
  ssh_set_counters(session, nullptr, nullptr);
}

/// What is on its way to a session, and leaves it.
std::string intercept(ssh_session receiver) {
  std::array<char, largest_message> buffer{};
  const auto size = ::recv(ssh_get_fd(receiver), buffer.data(), buffer.size(), MSG_DONTWAIT);
  return size > 0 ? std::string(buffer.data(), static_cast<std::size_t>(size)) : std::string{};
}

/// Whether a client goes on after a message of the server's that was altered on its way.
bool is_deceived(ssh_session client, ssh_session server, const alteration& alter) {
  settle(server);
  settle(client);
  ssh_send_ignore(server, carried);
  settle(server);
  std::string packet = intercept(client);
  alter(packet);
  ::send(ssh_get_fd(server), packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  settle(client);
  return is_usable(client);
}

result<finding> examine(cipher_family family, ssh_bind host, const alteration& alter) {
  auto ends = make_ends();
  if (!ends)
    return tl::unexpected{std::move(ends.error())};
  const session_handle server = accept(host, std::move(ends->second));
  if (!server)
    return no_session();
  const session_handle client = make_session(ends->first.get(), offering(family));
  if (!client)
    return finding::unusable;
  ends->first.release();
  if (!exchange_keys(client.get(), server.get()))
    return finding::unusable;
  return is_deceived(client.get(), server.get(), alter) ? finding::unsound : finding::sound;
}

} // namespace

cipher_families integrity_verdict::left_out() const {
  cipher_families all = unsound;
  all.insert(unusable.begin(), unusable.end());
  return all;
}

void alter_one_bit(std::string& packet) {
  // Behind the length, the length of the padding, the type, and the length of the data
  // (RFC 4253 §6, §11.2).
  constexpr std::size_t first_byte_of_data = 4 + 1 + 1 + 4;
  if (packet.size() > first_byte_of_data)
    packet[first_byte_of_data] = static_cast<char>(packet[first_byte_of_data] ^ 1);
}

result<integrity_verdict> check_integrity(const alteration& alter) {
  const bind_handle host = make_host();
  if (!host)
    return no_session();
  integrity_verdict verdict;
  for (const cipher_family family : all_cipher_families) {
    const auto found = examine(family, host.get(), alter);
    if (!found)
      return tl::unexpected{found.error()};
    if (*found == finding::unsound)
      verdict.unsound.insert(family);
    else if (*found == finding::unusable)
      verdict.unusable.insert(family);
  }
  // Where no cipher can be used, it is not for the ciphers.
  if (verdict.unusable.size() == all_cipher_families.size())
    return no_session();
  return verdict;
}

result<integrity_verdict> integrity_of_libssh() {
  static std::mutex mutex;
  static std::optional<integrity_verdict> known;
  const std::lock_guard lock{mutex};
  if (known)
    return *known;
  auto verdict = check_integrity();
  if (verdict)
    known = *verdict;
  return verdict;
}

} // namespace sshexec::ssh
