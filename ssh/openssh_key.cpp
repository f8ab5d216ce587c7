#include "sshexec/ssh/openssh_key.hpp"

#include "sshexec/ssh/wire_format.hpp"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

namespace sshexec::ssh {

namespace {

constexpr std::string_view first_line = "-----BEGIN OPENSSH PRIVATE KEY-----";
constexpr std::string_view last_line = "-----END OPENSSH PRIVATE KEY-----";
constexpr std::string_view magic{"openssh-key-v1", sizeof("openssh-key-v1")};

/// In base64; the header of no key is longer.
constexpr std::size_t longest_header = 4096;

constexpr std::size_t ed25519_size = 32;

/// The front of a key's text, without its base64 coding.
std::string decode_front(std::string_view text) {
  text.remove_prefix(text.find(first_line) + first_line.size());
  std::string base64;
  // What grows leaves parts of itself behind.
  base64.reserve(longest_header);
  for (const char x : text.substr(0, text.find(last_line))) {
    constexpr std::string_view blanks = " \t\n\v\f\r";
    if (blanks.find(x) == std::string_view::npos)
      base64 += x;
    if (base64.size() == longest_header)
      break;
  }
  base64.resize(base64.size() / 4 * 4);
  std::string bytes(base64.size() / 4 * 3, '\0');
  const int length = ::EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                       reinterpret_cast<const unsigned char*>(base64.data()),
                                       static_cast<int>(base64.size()));
  wipe(base64);
  bytes.resize(static_cast<std::size_t>(std::max(length, 0)));
  return bytes;
}

std::optional<openssh_key_header> parse_header(std::string_view bytes) {
  if (!bytes.starts_with(magic))
    return std::nullopt;
  bytes.remove_prefix(magic.size());
  const auto cipher = take_string(bytes);
  const auto derivation = take_string(bytes);
  auto options = take_string(bytes);
  if (!cipher || !derivation || !options)
    return std::nullopt;
  openssh_key_header result{std::string{*cipher}, 0};
  // The salt comes first.
  if (take_string(*options))
    result.rounds = take_uint32(*options).value_or(0);
  return result;
}

using evp_key_handle = std::unique_ptr<EVP_PKEY, decltype(&::EVP_PKEY_free)>;

int give_passphrase(char* to, int size, int, void* passphrase) {
  const auto& text = *static_cast<const std::string*>(passphrase);
  if (text.size() > static_cast<std::size_t>(size))
    return -1;
  text.copy(to, text.size());
  return static_cast<int>(text.size());
}

evp_key_handle read_pem(const std::string& text, const std::string& passphrase) {
  const std::unique_ptr<BIO, decltype(&::BIO_free)> source{
    ::BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), ::BIO_free};
  // OpenSSL's interface has no const.
  return {::PEM_read_bio_PrivateKey(source.get(), nullptr, give_passphrase,
                                    const_cast<std::string*>(&passphrase)),
          ::EVP_PKEY_free};
}

/// The two halves of an ed25519 key.
struct ed25519_key {
  std::array<char, ed25519_size> seed{};
  std::array<char, ed25519_size> point{};
};

bool take_apart(const EVP_PKEY* key, ed25519_key& to) {
  std::size_t size = ed25519_size;
  const auto bytes_of = [](auto& x) { return reinterpret_cast<unsigned char*>(x.data()); };
  return ::EVP_PKEY_get_raw_private_key(key, bytes_of(to.seed), &size) == 1
         && ::EVP_PKEY_get_raw_public_key(key, bytes_of(to.point), &size) == 1;
}

/// The key as PROTOCOL.key of OpenSSH has it, before base64.
std::string compose(const ed25519_key& key) {
  constexpr std::size_t enough = 512;
  constexpr std::string_view type = "ssh-ed25519";
  constexpr std::size_t block = 8;
  const std::string_view seed{key.seed.data(), key.seed.size()};
  const std::string_view point{key.point.data(), key.point.size()};

  std::string public_part;
  append_string(public_part, type);
  append_string(public_part, point);

  std::string private_part;
  private_part.reserve(enough);
  // Two equal numbers, by which a wrong passphrase would be known.
  append_uint32(private_part, 0);
  append_uint32(private_part, 0);
  private_part += public_part;
  append_uint32(private_part, static_cast<std::uint32_t>(seed.size() + point.size()));
  private_part.append(seed).append(point);
  // No comment.
  append_string(private_part, {});
  for (char padding = 1; private_part.size() % block != 0; ++padding)
    private_part += padding;

  std::string whole;
  whole.reserve(enough);
  whole += magic;
  append_string(whole, "none");
  append_string(whole, "none");
  append_string(whole, {});
  append_uint32(whole, 1);
  append_string(whole, public_part);
  append_string(whole, private_part);
  wipe(private_part);
  return whole;
}

std::string to_text(std::string_view key) {
  std::string base64((key.size() + 2) / 3 * 4 + 1, '\0');
  ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(base64.data()),
                    reinterpret_cast<const unsigned char*>(key.data()),
                    static_cast<int>(key.size()));
  base64.pop_back();
  std::string text;
  text.reserve(base64.size() + 2 * first_line.size());
  text.append(first_line).append("\n").append(base64).append("\n").append(last_line).append("\n");
  wipe(base64);
  return text;
}

} // namespace

bool is_openssh_key(const std::string& text) {
  return text.find(first_line) != std::string::npos;
}

std::optional<openssh_key_header> read_openssh_key_header(const std::string& text) {
  std::string front = decode_front(text);
  auto header = parse_header(front);
  // A short key's header is followed by the key.
  wipe(front);
  return header;
}

secret ed25519_to_openssh_key(const std::string& text, const std::string& passphrase) {
  const auto pem = read_pem(text, passphrase);
  ed25519_key key;
  if (!pem || ::EVP_PKEY_id(pem.get()) != EVP_PKEY_ED25519 || !take_apart(pem.get(), key))
    return {};
  std::string bytes = compose(key);
  ::OPENSSL_cleanse(&key, sizeof(key));
  std::string result = to_text(bytes);
  wipe(bytes);
  return secret{std::move(result)};
}

} // namespace sshexec::ssh
