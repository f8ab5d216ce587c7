#include "sshexec/actors/file_credential_store.hpp"

#include "sshexec/actors/home.hpp"
#include "sshexec/actors/service_error.hpp"

#include <array>
#include <cerrno>
#include <fstream>
#include <system_error>
#include <utility>

namespace sshexec {

namespace {

/// Names in ~/.ssh, in the order of preference of ssh(1).
constexpr std::array default_key_names{"id_ed25519", "id_ecdsa", "id_rsa"};

ssh::result<std::string> read_first_line(const std::filesystem::path& file) {
  std::ifstream in{file};
  std::string line;
  if (!std::getline(in, line) && !in.eof())
    return tl::unexpected{
      ssh::error{ssh::error_kind::file, "Passphrase file " + file.string() + " cannot be read: "
                                          + std::system_category().message(errno)}};
  if (line.ends_with('\r'))
    line.pop_back();
  return line;
}

} // namespace

ssh::result<ssh::private_keys> file_credential_store_state::load(const machine& target) {
  const auto& chosen = target.identity_file.empty() ? identity_file : target.identity_file;
  if (chosen.empty())
    return load_default_keys();
  return load_key(expand_home(chosen)).map([](ssh::private_key key) {
    return ssh::private_keys{std::move(key)};
  });
}

ssh::result<ssh::private_keys> file_credential_store_state::load_default_keys() {
  const auto folder = home_directory() / ".ssh";
  ssh::private_keys usable;
  std::string looked_at;
  for (const char* key_name : default_key_names) {
    const auto file = folder / key_name;
    const auto key = load_key(file);
    if (key)
      usable.push_back(*key);
    else
      looked_at += "; " + key.error().text;
  }
  if (usable.empty())
    return tl::unexpected{ssh::error{ssh::error_kind::file, "No private key to use" + looked_at}};
  return usable;
}

ssh::result<ssh::private_key>
file_credential_store_state::load_key(const std::filesystem::path& file) {
  const auto key_stamp = ssh::stamp_of(file);
  const auto passphrase_stamp = ssh::stamp_of(passphrase_file);
  const auto known = keys.find(file);
  // A file that cannot be reached has no stamp to compare.
  if (key_stamp && known != keys.end() && known->second.key_stamp == key_stamp
      && known->second.passphrase_stamp == passphrase_stamp)
    return known->second.key;
  auto key = read_key(file);
  keys.insert_or_assign(file, cached_key{key_stamp, passphrase_stamp, key});
  return key;
}

ssh::result<ssh::private_key>
file_credential_store_state::read_key(const std::filesystem::path& file) const {
  if (passphrase_file.empty())
    return ssh::load_private_key(file, {});
  return read_first_line(passphrase_file).and_then([&](const std::string& passphrase) {
    return ssh::load_private_key(file, passphrase);
  });
}

credential_store::behavior_type
file_credential_store(credential_store::stateful_pointer<file_credential_store_state> self,
                      const std::string& identity_file, const std::string& passphrase_file) {
  self->state.identity_file = identity_file;
  self->state.passphrase_file = expand_home(passphrase_file);
  return {
    [self](load_atom, const machine& target) { return to_answer(self->state.load(target)); },
  };
}

} // namespace sshexec
