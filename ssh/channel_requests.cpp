#include "sshexec/ssh/channel_requests.hpp"

#include <cstdio>

namespace sshexec::ssh {

channel_refusal refusal_of(std::uint32_t channel, ssh_session session) {
  channel_refusal result;
  const std::string told = ssh_get_error(session);
  std::uint32_t told_of = 0;
  int length = 0;
  // libssh tells it in its error text only.
  // NOLINTNEXTLINE(cert-err34-c): a text without these numbers leaves the reason at 0.
  std::sscanf(told.c_str(), "Channel opening failure: channel %u error (%u) %n", &told_of,
              &result.reason, &length);
  if (told_of != channel)
    return {};
  result.text = told.substr(static_cast<std::size_t>(length));
  return result;
}

} // namespace sshexec::ssh
