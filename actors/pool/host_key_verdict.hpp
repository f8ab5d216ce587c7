#pragma once

#include "sshexec/actors/settings.hpp"
#include "sshexec/ssh/host_key.hpp"
#include "sshexec/ssh/known_hosts.hpp"

#include <cstdint>
#include <string>

namespace sshexec {

/// What to do about the host key that a server presented.
struct host_key_verdict {
  enum class kind : std::uint8_t {
    trust,
    /// Trust it once it is on record.
    remember,
    refuse,
  };

  kind what = kind::refuse;
  /// Why it is refused, for people: the expected and the seen fingerprint.
  std::string reason;
};

/// Judges a key by what is on record for its host.
host_key_verdict judge(host_key_policy policy, const ssh::known_keys& known,
                       const ssh::host_key& key);

} // namespace sshexec
