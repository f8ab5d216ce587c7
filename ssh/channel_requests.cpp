#include "sshexec/ssh/channel_requests.hpp"

#include <cstdio>

namespace sshexec::ssh {

channel_refusal last_refusal(ssh_session session) {
  channel_refusal result;
  const std::string told = ssh_get_error(session);
  unsigned channel = 0;
  int length = 0;
  // libssh tells it in its error text only.
  // NOLINTNEXTLINE(cert-err34-c): a text without these numbers leaves the reason at 0.
  std::sscanf(told.c_str(), "Channel opening failure: channel %u error (%u) %n", &channel,
              &result.reason, &length);
  result.text = told.substr(static_cast<std::size_t>(length));
  return result;
}

} // namespace sshexec::ssh
