#include "sshexec/ssh/certificate.hpp"

#include "sshexec/ssh/wire_format.hpp"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <sstream>
#include <utility>

namespace sshexec::ssh {

namespace {

constexpr std::uint32_t user_certificate = 1;

/// How many strings the public key takes in a certificate of this type.
std::optional<int> parts_of_key(std::string_view type) {
  constexpr std::array<std::pair<std::string_view, int>, 7> types{{
    {"ssh-ed25519-cert-v01@openssh.com", 1},
    {"ssh-rsa-cert-v01@openssh.com", 2},
    {"ecdsa-sha2-nistp256-cert-v01@openssh.com", 2},
    {"ecdsa-sha2-nistp384-cert-v01@openssh.com", 2},
    {"ecdsa-sha2-nistp521-cert-v01@openssh.com", 2},
    {"sk-ssh-ed25519-cert-v01@openssh.com", 2},
    {"sk-ecdsa-sha2-nistp256-cert-v01@openssh.com", 3},
  }};
  const auto* found
    = std::find_if(types.begin(), types.end(), [&](const auto& x) { return x.first == type; });
  return found != types.end() ? std::optional{found->second} : std::nullopt;
}

/// Empty if it is none.
std::string decode_base64(const std::string& text) {
  std::string bytes(text.size() / 4 * 3, '\0');
  const int length = ::EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                       reinterpret_cast<const unsigned char*>(text.data()),
                                       static_cast<int>(text.size()));
  const auto padding = std::min<std::ptrdiff_t>(2, std::count(text.begin(), text.end(), '='));
  bytes.resize(length > padding ? static_cast<std::size_t>(length - padding) : 0);
  return bytes;
}

std::optional<std::uint64_t> take_uint64(std::string_view& from) {
  const auto high = take_uint32(from);
  const auto low = take_uint32(from);
  return high && low ? std::optional{(std::uint64_t{*high} << 32) | *low} : std::nullopt;
}

/// Takes so many strings; false when there are fewer.
bool skip_strings(std::string_view& from, int count) {
  for (; count > 0; --count)
    if (!take_string(from))
      return false;
  return true;
}

/// "SHA256:…" as OpenSSH prints it.
std::string fingerprint_of(std::string_view key) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
  ::SHA256(reinterpret_cast<const unsigned char*>(key.data()), key.size(), hash.data());
  std::array<unsigned char, 64> text{};
  const int length = ::EVP_EncodeBlock(text.data(), hash.data(), static_cast<int>(hash.size()));
  std::string result{reinterpret_cast<const char*>(text.data()), static_cast<std::size_t>(length)};
  result.erase(result.find('='));
  return "SHA256:" + result;
}

/// What somebody else wrote, as far as it can be shown.
std::string plain(std::string_view text) {
  constexpr std::size_t longest = 128;
  std::string result{text.substr(0, longest)};
  std::replace_if(
    result.begin(), result.end(), [](unsigned char x) { return x < ' ' || x > '~'; }, '?');
  return result;
}

std::string time_text(std::uint64_t seconds) {
  const auto time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  std::array<char, 32> text{};
  if (::gmtime_r(&time, &parts) == nullptr
      || std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &parts) == 0)
    return std::to_string(seconds);
  return text.data();
}

std::string validity(const certificate& x, std::time_t now) {
  const auto seconds = static_cast<std::uint64_t>(now);
  if (seconds >= x.valid_before)
    return "expired " + time_text(x.valid_before);
  if (seconds < x.valid_after)
    return "not valid before " + time_text(x.valid_after);
  if (x.valid_before == std::numeric_limits<std::uint64_t>::max())
    return "valid for ever";
  return "valid until " + time_text(x.valid_before);
}

} // namespace

std::optional<certificate> read_certificate(const std::string& text) {
  certificate result;
  if (!(std::istringstream{text} >> result.type >> result.base64))
    return std::nullopt;
  const std::string bytes = decode_base64(result.base64);
  std::string_view blob = bytes;
  const auto type = take_string(blob);
  const auto parts = type ? parts_of_key(*type) : std::nullopt;
  // Behind the nonce.
  if (!parts || result.type != *type || !skip_strings(blob, 1))
    return std::nullopt;
  result.key = blob;
  if (!skip_strings(blob, *parts))
    return std::nullopt;
  result.key.resize(result.key.size() - blob.size());
  // Behind the serial number.
  if (!take_uint64(blob) || take_uint32(blob) != user_certificate)
    return std::nullopt;
  const auto key_id = take_string(blob);
  auto principals = take_string(blob);
  const auto valid_after = take_uint64(blob);
  const auto valid_before = take_uint64(blob);
  // Critical options, extensions, and what is reserved.
  if (!valid_before || !skip_strings(blob, 3))
    return std::nullopt;
  const auto authority = take_string(blob);
  if (!key_id || !principals || !valid_after || !authority)
    return std::nullopt;
  result.key_id = plain(*key_id);
  result.authority = fingerprint_of(*authority);
  result.valid_after = *valid_after;
  result.valid_before = *valid_before;
  while (const auto name = take_string(*principals))
    result.principals.push_back(plain(*name));
  return result;
}

bool is_of(const certificate& x, const std::string& public_key) {
  const std::string bytes = decode_base64(public_key);
  std::string_view key = bytes;
  return take_string(key) && key == x.key;
}

std::string describe(const certificate& x, std::time_t now) {
  std::string users;
  for (const std::string& name : x.principals)
    users += (users.empty() ? " for " : ", ") + name;
  return "certificate \"" + x.key_id + '"' + users + ", signed by " + x.authority + ", "
         + validity(x, now);
}

} // namespace sshexec::ssh
