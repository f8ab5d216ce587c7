#include "sshexec/ssh/session_setup.hpp"

#include "sshexec/ssh/ciphers.hpp"

#include <libssh/callbacks.h>
#include <libssh/server.h>

#include <string>
#include <utility>
#include <vector>

namespace sshexec::ssh {

namespace {

/// The algorithms to offer for the host key, those of keys on record first, so that a server with
/// several keys shows the one we know.
std::string host_key_algorithms(const std::vector<std::string>& known_types) {
  std::string result;
  for (const std::string& type : known_types) {
    if (type == "ssh-rsa")
      result += "rsa-sha2-512,rsa-sha2-256,";
    else
      result += type + ',';
  }
  return result
         + "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,"
           "rsa-sha2-512,rsa-sha2-256";
}

/// Leaves a channel or a request that the server wants from us to libssh's own answer: a refusal.
int decline(ssh_session, ssh_message, void*) {
  return 1;
}

} // namespace

session_handle make_session(int socket, const connection_settings& settings) {
  session_handle session{socket <= largest_socket ? ssh_new() : nullptr};
  if (!session)
    return session;
  ssh_set_blocking(session.get(), 0);
  // Without one, libssh collects what the server asks for until the session ends.
  ssh_set_message_callback(session.get(), decline, nullptr);
  const bool no = false;
  const std::string host_keys = host_key_algorithms(settings.preferred_host_key_types);
  const std::string ciphers = ciphers_to_offer(settings.ciphers_left_out);
  const auto set = [&session](ssh_options_e option, const void* value) {
    return ssh_options_set(session.get(), option, value) == SSH_OK;
  };
  // libssh would look the name of this process's user up, and takes not every name here; the calls
  // of ssh_userauth_ get the true one.
  constexpr const char* unused_username = "unused";
  // Neither configuration nor known_hosts files, nor the home directory to find them: libssh would
  // read them on this thread.
  const bool all_set
    = set(SSH_OPTIONS_PROCESS_CONFIG, &no) && set(SSH_OPTIONS_SSH_DIR, "/dev/null")
      && set(SSH_OPTIONS_KNOWNHOSTS, "/dev/null") && set(SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null")
      && set(SSH_OPTIONS_USER, unused_username) && set(SSH_OPTIONS_HOSTKEYS, host_keys.c_str())
      && set(SSH_OPTIONS_CIPHERS_C_S, ciphers.c_str())
      && set(SSH_OPTIONS_CIPHERS_S_C, ciphers.c_str()) && set(SSH_OPTIONS_FD, &socket);
  return all_set ? std::move(session) : session_handle{};
}

} // namespace sshexec::ssh
