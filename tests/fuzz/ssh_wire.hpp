#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// The data types and the packet of the SSH protocol, as far as a server of fuzz targets needs
/// them.
namespace sshexec::fuzz {

/// RFC 4251 §5, uint32.
inline std::string to_uint32(std::size_t x) {
  std::string result;
  for (const int shift : {24, 16, 8, 0})
    result += static_cast<char>(x >> shift);
  return result;
}

/// RFC 4251 §5, string.
inline std::string to_string(std::string_view text) {
  return to_uint32(text.size()).append(text);
}

/// RFC 4251 §5, mpint, of a positive number in big-endian bytes.
inline std::string to_mpint(std::string_view number) {
  number.remove_prefix(std::min(number.find_first_not_of('\0'), number.size()));
  const bool looks_negative = !number.empty() && (number.front() & 0x80) != 0;
  return to_string((looks_negative ? std::string(1, '\0') : std::string{}).append(number));
}

/// The length, the length of the padding, the payload and the padding of a packet (RFC 4253 §6).
/// `aligned_from` bytes at the front do not count for the padding: none of an unencrypted packet,
/// the length itself of one in AES-GCM (RFC 5647 §7.3).
inline std::string to_packet(std::string_view payload, std::size_t block,
                             std::size_t aligned_from = 0) {
  constexpr std::size_t smallest_padding = 4;
  const std::size_t least = 4 + 1 + payload.size() + smallest_padding - aligned_from;
  const std::size_t padding = smallest_padding + (block - least % block) % block;
  std::string result = to_uint32(1 + payload.size() + padding);
  result += static_cast<char>(padding);
  return result.append(payload).append(padding, '\0');
}

} // namespace sshexec::fuzz
