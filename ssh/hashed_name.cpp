// The new interface of OpenSSL costs ten times what it takes to hash a name.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "sshexec/ssh/hashed_name.hpp"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <string>

namespace sshexec::ssh {

namespace {

using digest = std::array<unsigned char, hashed_name::hash_size>;

static_assert(std::tuple_size_v<digest> == SHA_DIGEST_LENGTH);

/// The digest that a text in base64 stands for.
std::optional<digest> decode(std::string_view base64) {
  // Of 28 characters, the last is padding.
  constexpr std::size_t coded_size = 28;
  std::array<unsigned char, coded_size / 4 * 3> bytes{};
  if (base64.size() != coded_size || base64.back() != '='
      || ::EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>(base64.data()),
                           coded_size)
           != static_cast<int>(bytes.size()))
    return std::nullopt;
  digest result{};
  std::copy_n(bytes.begin(), result.size(), result.begin());
  return result;
}

/// SHA-1 behind the first block of HMAC (RFC 2104 §2): the key, each byte changed by this one.
SHA_CTX begin(const digest& key, unsigned char pad) {
  std::array<unsigned char, SHA_CBLOCK> block{};
  std::copy(key.begin(), key.end(), block.begin());
  std::transform(block.begin(), block.end(), block.begin(),
                 [pad](unsigned char x) { return static_cast<unsigned char>(x ^ pad); });
  SHA_CTX result;
  ::SHA1_Init(&result);
  ::SHA1_Update(&result, block.data(), block.size());
  return result;
}

digest end(SHA_CTX begun, const void* data, std::size_t size) {
  digest result{};
  ::SHA1_Update(&begun, data, size);
  ::SHA1_Final(result.data(), &begun);
  return result;
}

} // namespace

std::optional<hashed_name> hashed_name::parse(std::string_view text) {
  constexpr std::string_view mark = "|1|";
  const std::size_t bar = text.rfind('|');
  if (!text.starts_with(mark) || bar < mark.size())
    return std::nullopt;
  const auto salt = decode(text.substr(mark.size(), bar - mark.size()));
  const auto hash = decode(text.substr(bar + 1));
  if (!salt || !hash)
    return std::nullopt;
  constexpr unsigned char inner_pad = 0x36;
  constexpr unsigned char outer_pad = 0x5C;
  return hashed_name{begin(*salt, inner_pad), begin(*salt, outer_pad), *hash};
}

bool hashed_name::is(std::string_view name) const {
  const digest inner = end(inner_, name.data(), name.size());
  return end(outer_, inner.data(), inner.size()) == hash_;
}

} // namespace sshexec::ssh
