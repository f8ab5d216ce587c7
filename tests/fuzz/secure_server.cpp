#include "secure_server.hpp"

#include "fuzz.hpp"
#include "ssh_wire.hpp"

#include <openssl/evp.h>
#include <sys/socket.h>

#include <memory>
#include <utility>
#include <vector>

namespace sshexec::fuzz {

namespace {

// RFC 4253 §12 and RFC 5656 §7.1.
constexpr char msg_kexinit = 20;
constexpr char msg_newkeys = 21;
constexpr char msg_kex_ecdh_reply = 31;

constexpr std::size_t plain_block = 8;
constexpr std::size_t aes_block = 16;
constexpr std::size_t tag_size = 16;

const std::string banner = "SSH-2.0-garbage";
const std::string host_key_type = "ssh-ed25519";
const std::string host_secret(32, 'h');
const std::string exchange_secret(32, 'x');

using pkey = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

const std::uint8_t* bytes_of(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

std::uint8_t* bytes_of(std::string& text) {
  return reinterpret_cast<std::uint8_t*>(text.data());
}

pkey private_key(int type, const std::string& secret) {
  return {EVP_PKEY_new_raw_private_key(type, nullptr, bytes_of(secret), secret.size()),
          EVP_PKEY_free};
}

std::string public_key(const pkey& key) {
  std::string result(32, '\0');
  std::size_t size = result.size();
  require(EVP_PKEY_get_raw_public_key(key.get(), bytes_of(result), &size) == 1, "a key is public");
  return result;
}

std::string sha256(std::string_view text) {
  std::string result(32, '\0');
  require(EVP_Digest(text.data(), text.size(), bytes_of(result), nullptr, EVP_sha256(), nullptr)
            == 1,
          "text has a hash");
  return result;
}

std::string sign(std::string_view text) {
  const pkey key = private_key(EVP_PKEY_ED25519, host_secret);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free};
  std::string result(64, '\0');
  std::size_t size = result.size();
  const bool signed_
    = EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1
      && EVP_DigestSign(context.get(), bytes_of(result), &size, bytes_of(text), text.size()) == 1;
  require(signed_, "text is signed");
  return result;
}

/// The secret that both sides of an X25519 exchange share.
std::string shared_secret(const pkey& own, const std::string& foreign) {
  const pkey peer{
    EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, bytes_of(foreign), foreign.size()),
    EVP_PKEY_free};
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context{
    EVP_PKEY_CTX_new(own.get(), nullptr), EVP_PKEY_CTX_free};
  std::string result(32, '\0');
  std::size_t size = result.size();
  const bool derived = EVP_PKEY_derive_init(context.get()) == 1
                       && EVP_PKEY_derive_set_peer(context.get(), peer.get()) == 1
                       && EVP_PKEY_derive(context.get(), bytes_of(result), &size) == 1;
  require(derived, "keys are exchanged");
  return result;
}

/// A packet in aes128-gcm@openssh.com: its length stays readable, a tag follows.
std::string encrypt(const std::string& packet, const std::string& key, const std::string& iv) {
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context{
    EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free};
  std::string result = packet + std::string(tag_size, '\0');
  std::uint8_t* out = bytes_of(result);
  constexpr int clear = 4;
  const int size = static_cast<int>(packet.size()) - clear;
  int length = 0;
  const bool encrypted
    = EVP_EncryptInit_ex(context.get(), EVP_aes_128_gcm(), nullptr, bytes_of(key), bytes_of(iv))
        == 1
      && EVP_EncryptUpdate(context.get(), nullptr, &length, bytes_of(packet), clear) == 1
      && EVP_EncryptUpdate(context.get(), out + clear, &length, bytes_of(packet) + clear, size) == 1
      && EVP_EncryptFinal_ex(context.get(), out, &length) == 1
      && EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, tag_size, out + packet.size())
           == 1;
  require(encrypted, "a packet is encrypted");
  return result;
}

/// The number of packets is the last part of the IV.
void count_up(std::string& iv) {
  for (auto digit = iv.rbegin(); digit != iv.rend() && ++*digit == 0; ++digit) {
  }
}

std::string kexinit() {
  std::string result(1, msg_kexinit);
  result.append(16, 'c');
  const std::string cipher = "aes128-gcm@openssh.com";
  const std::string mac = "hmac-sha2-256";
  for (const std::string& names : std::vector<std::string>{
         "curve25519-sha256", host_key_type, cipher, cipher, mac, mac, "none", "none", "", ""})
    result += to_string(names);
  return result.append(1 + 4, '\0');
}

std::string host_key() {
  return to_string(host_key_type)
         + to_string(public_key(private_key(EVP_PKEY_ED25519, host_secret)));
}

/// Takes the unencrypted packet that begins at `at`; its payload, or nothing if it is not all
/// there.
std::string take_packet(const std::string& bytes, std::size_t& at) {
  std::size_t length = 0;
  for (std::size_t i = at; i < at + 4 && i < bytes.size(); ++i)
    length = length * 256 + static_cast<std::uint8_t>(bytes[i]);
  if (bytes.size() < at + 5 || bytes.size() < at + 4 + length)
    return {};
  const std::size_t padding = static_cast<std::uint8_t>(bytes[at + 4]);
  const std::string payload = bytes.substr(at + 5, length - 1 - padding);
  at += 4 + length;
  return payload;
}

} // namespace

secure_server::secure_server(ssh::file_descriptor socket) : socket_(std::move(socket)) {
  write(banner + "\r\n");
  write(to_packet(kexinit(), plain_block));
}

void secure_server::exchange_keys() {
  read();
  std::size_t at = received_.find("\r\n") + 2;
  if (at < 2)
    return;
  const std::string client_banner = received_.substr(0, at - 2);
  const std::string client_kexinit = take_packet(received_, at);
  const std::string client_init = take_packet(received_, at);
  // The number of the message and the length of the key stand in front of it (RFC 5656 §4).
  if (!client_init.empty())
    answer(client_banner, client_kexinit, client_init.substr(5));
}

void secure_server::read() {
  std::array<char, 4096> buffer{};
  ssize_t count = 0;
  while ((count = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT)) > 0)
    received_.append(buffer.data(), static_cast<std::size_t>(count));
}

void secure_server::answer(const std::string& client_banner, const std::string& client_kexinit,
                           const std::string& client_key) {
  const pkey own = private_key(EVP_PKEY_X25519, exchange_secret);
  const std::string secret = to_mpint(shared_secret(own, client_key));
  // RFC 5656 §4.
  const std::string hash = sha256(
    to_string(client_banner) + to_string(banner) + to_string(client_kexinit) + to_string(kexinit())
    + to_string(host_key()) + to_string(client_key) + to_string(public_key(own)) + secret);
  const std::string signature = to_string(host_key_type) + to_string(sign(hash));
  write(to_packet(msg_kex_ecdh_reply + to_string(host_key()) + to_string(public_key(own))
                    + to_string(signature),
                  plain_block));
  write(to_packet(std::string(1, msg_newkeys), plain_block));
  // RFC 4253 §7.2.
  iv_ = sha256(secret + hash + 'B' + hash).substr(0, 12);
  key_ = sha256(secret + hash + 'D' + hash).substr(0, 16);
  secure_ = true;
}

void secure_server::send(std::string_view payload) {
  constexpr std::size_t length_size = 4;
  write(encrypt(to_packet(payload, aes_block, length_size), key_, iv_));
  count_up(iv_);
}

void secure_server::hang_up() {
  ::shutdown(socket_.get(), SHUT_WR);
}

void secure_server::write(std::string_view bytes) {
  // A client that hung up meanwhile hears nothing more.
  ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  bytes_sent_ += bytes.size();
}

} // namespace sshexec::fuzz
