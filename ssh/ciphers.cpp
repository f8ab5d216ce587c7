#include "sshexec/ssh/ciphers.hpp"

#include <utility>

namespace sshexec::ssh {

namespace {

const char* ciphers_of(cipher_family family) {
  switch (family) {
    case cipher_family::aes_gcm:
      return "aes128-gcm@openssh.com,aes256-gcm@openssh.com";
    case cipher_family::chacha20_poly1305:
      return "chacha20-poly1305@openssh.com";
    case cipher_family::aes_ctr:
      return "aes256-ctr,aes192-ctr,aes128-ctr";
  }
  return "";
}

bool aes_is_fast_here() {
#if defined(__x86_64__)
  static const bool result = __builtin_cpu_supports("aes") != 0;
  return result;
#elif defined(__ARM_FEATURE_AES)
  return true;
#else
  return false;
#endif
}

} // namespace

const char* name_of(cipher_family family) {
  switch (family) {
    case cipher_family::aes_gcm:
      return "AES-GCM";
    case cipher_family::chacha20_poly1305:
      return "ChaCha20-Poly1305";
    case cipher_family::aes_ctr:
      return "AES-CTR";
  }
  return "";
}

std::string ciphers_to_offer(bool aes_is_fast, const cipher_families& left_out) {
  std::array by_speed{cipher_family::aes_gcm, cipher_family::chacha20_poly1305,
                      cipher_family::aes_ctr};
  if (!aes_is_fast)
    std::swap(by_speed[0], by_speed[1]);
  std::string result;
  for (const cipher_family family : by_speed) {
    if (!left_out.contains(family))
      result += (result.empty() ? "" : ",") + std::string{ciphers_of(family)};
  }
  return result;
}

std::string ciphers_to_offer(const cipher_families& left_out) {
  return ciphers_to_offer(aes_is_fast_here(), left_out);
}

} // namespace sshexec::ssh
