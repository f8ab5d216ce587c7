#pragma once

#include "sshexec/ssh/secret.hpp"

#include <string>
#include <variant>
#include <vector>

/// What a credential store answers with. It stays within the process: it is no message that a
/// network could carry, and its text forms hold no secret.
namespace sshexec {

/// A private key as the text of a key file, in any format that libssh reads.
struct key_in_memory {
  ssh::secret text;
  /// Empty: the key is not encrypted.
  ssh::secret passphrase;
  /// The key's certificate as the text of such a file; empty: it has none.
  std::string certificate = {};

  friend bool operator==(const key_in_memory&, const key_in_memory&) = default;
};

/// A private key in a file, and its certificate, if it lies beside it (PATH-cert.pub). A "~/" in
/// front of a path is replaced by the home directory.
struct key_file {
  std::string path;
  ssh::secret passphrase;
  /// Holds the passphrase in its first line, if there is none above; empty: no such file.
  std::string passphrase_file;

  friend bool operator==(const key_file&, const key_file&) = default;
};

/// All keys of an SSH agent, which signs with them itself (draft-miller-ssh-agent).
struct key_agent {
  /// Path of its socket; empty: the value of SSH_AUTH_SOCK.
  std::string socket;

  friend bool operator==(const key_agent&, const key_agent&) = default;
};

/// A password, for a server that asks for one and for which no key is enough.
struct login_password {
  ssh::secret text;
  /// Holds it in its first line, if there is none above. A "~/" in front is replaced as in key
  /// files.
  std::string file;

  friend bool operator==(const login_password&, const login_password&) = default;
};

using credential = std::variant<key_in_memory, key_file, key_agent, login_password>;

/// How to log in to a machine.
struct credentials {
  /// Empty: the machine's own user name.
  std::string username;
  /// Where keys come from, best first; keys of agents are offered after all others, and behind them
  /// the first password. A source that cannot be used is passed over, unless none can.
  std::vector<credential> sources;
};

/// What it is, without its secrets.
std::string to_string(const credential& x);
std::string to_string(const credentials& x);

} // namespace sshexec
