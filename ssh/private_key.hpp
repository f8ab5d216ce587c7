#pragma once

#include "sshexec/ssh/certificate.hpp"
#include "sshexec/ssh/error.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

struct ssh_key_struct;

namespace sshexec::ssh {

/// A private key in memory. It is never changed, so any number of connections on any threads may
/// authenticate with it at the same time; libssh wipes it when the last of them lets go.
struct private_key : std::shared_ptr<ssh_key_struct> {
  using std::shared_ptr<ssh_key_struct>::shared_ptr;

  private_key() = default;

  private_key(std::shared_ptr<ssh_key_struct> key, std::string known_as)
    : shared_ptr(std::move(key)), name(std::move(known_as)) {}

  /// What people know it by, such as the path of its file; may be empty.
  std::string name;
  /// The same key with a certificate, to be offered before the key alone; null: it has none.
  std::shared_ptr<ssh_key_struct> certified;
  /// What that certificate says.
  std::optional<ssh::certificate> certificate;
  /// Why a certificate that is there is not used; for people.
  std::string objection;
};

/// Keys to be offered one after another.
using private_keys = std::vector<private_key>;

/// Reads a key file in any format that libssh reads, and its certificate, if there is one. Blocks:
/// file access, and for an encrypted key a key derivation that is slow by intent. An empty
/// passphrase never prompts: an encrypted key then is an error. Errors are of kind `file` and name
/// the path. What is read is wiped.
result<private_key> load_private_key(const std::filesystem::path& file,
                                     const std::string& passphrase);

/// The same for the text of such files; an empty one is no certificate.
result<private_key> read_private_key(const std::string& text, const std::string& passphrase,
                                     const std::string& certificate = {});

/// Where the certificate of a key file is, if it has one.
std::filesystem::path certificate_file_of(const std::filesystem::path& key_file);

} // namespace sshexec::ssh
