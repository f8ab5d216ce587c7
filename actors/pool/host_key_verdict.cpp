#include "sshexec/actors/pool/host_key_verdict.hpp"

#include <algorithm>
#include <vector>

namespace sshexec {

namespace {

bool contains(const std::vector<ssh::host_key>& keys, const ssh::host_key& key) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

std::string describe(const ssh::host_key& key) {
  return key.type + ' ' + ssh::fingerprint(key);
}

std::string place_of(const ssh::known_keys& known) {
  return known.file.empty()
           ? ""
           : " (recorded in " + known.file + ':' + std::to_string(known.line) + ')';
}

} // namespace

host_key_verdict judge(host_key_policy policy, const ssh::known_keys& known,
                       const ssh::host_key& key) {
  using kind = host_key_verdict::kind;
  if (policy == host_key_policy::off)
    return {kind::trust, {}};
  if (contains(known.revoked, key))
    return {kind::refuse, "the host key is revoked: seen " + describe(key)};
  if (contains(known.trusted, key))
    return {kind::trust, {}};
  // ssh(1) takes the key of the usual port for one that has none of its own.
  if (known.trusted.empty() && contains(known.at_usual_port, key))
    return {kind::trust, {}};
  if (!known.trusted.empty())
    return {kind::refuse, "the host key changed: expected " + describe(known.trusted.front())
                            + place_of(known) + ", seen " + describe(key)};
  if (policy == host_key_policy::strict)
    return {kind::refuse, "the host key is unknown: expected one on record, seen " + describe(key)};
  return {kind::remember, {}};
}

} // namespace sshexec
