#include "sshexec/actors/services/file_credential_store.hpp"

#include <array>
#include <utility>

namespace sshexec {

namespace {

/// In the order of preference of ssh(1).
constexpr std::array default_key_files{"~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa"};

} // namespace

credentials file_credential_store_state::load(const machine& target) const {
  credentials result;
  const auto add = [&](const std::string& path) {
    result.sources.emplace_back(key_file{path, {}, passphrase_file});
  };
  const auto& chosen = target.identity_file.empty() ? identity_file : target.identity_file;
  if (!chosen.empty()) {
    add(chosen);
  } else {
    for (const char* path : default_key_files)
      add(path);
  }
  if (identity_agent == "SSH_AUTH_SOCK")
    result.sources.emplace_back(key_agent{});
  else if (!identity_agent.empty())
    result.sources.emplace_back(key_agent{identity_agent});
  if (password != login_password{})
    result.sources.emplace_back(password);
  return result;
}

credential_store::behavior_type
file_credential_store(credential_store::stateful_pointer<file_credential_store_state> self,
                      std::string identity_file, std::string passphrase_file,
                      std::string identity_agent, login_password password) {
  self->state.identity_file = std::move(identity_file);
  self->state.passphrase_file = std::move(passphrase_file);
  self->state.identity_agent = std::move(identity_agent);
  self->state.password = std::move(password);
  return {
    [self](load_atom, const machine& target) { return self->state.load(target); },
  };
}

} // namespace sshexec
