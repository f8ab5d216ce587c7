#include "sshexec/actors/services/file_host_key_store.hpp"

#include "sshexec/actors/runtime/service_error.hpp"
#include "sshexec/actors/runtime/stderr_line.hpp"
#include "sshexec/actors/services/home.hpp"
#include "sshexec/ssh/crypto_state.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace sshexec {

namespace {

/// A name can be made of a machine's, and there is no end of machines.
constexpr std::size_t most_files = 1000;

constexpr const char* system_known_hosts_file = "/etc/ssh/ssh_known_hosts";

known_hosts_choice usual_files(const std::string& user_file) {
  if (user_file.empty())
    return {{"~/.ssh/known_hosts"}, {system_known_hosts_file}};
  return {{user_file}, {}};
}

bool contains(const std::vector<ssh::host_key>& keys, const ssh::host_key& key) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

void append(std::vector<ssh::host_key>& keys, const std::vector<ssh::host_key>& more) {
  keys.insert(keys.end(), more.begin(), more.end());
}

std::string describe(const ssh::host_key& key) {
  return ssh::fingerprint(key) + " (" + key.type + ')';
}

} // namespace

ssh::known_hosts_file& file_host_key_store_state::open(const std::string& path) {
  if (files.size() >= most_files && !files.contains(path))
    files.clear();
  return files.try_emplace(path, expand_home(path)).first->second;
}

ssh::result<ssh::known_keys> file_host_key_store_state::find(const std::string& host,
                                                             std::uint16_t port,
                                                             const known_hosts_choice& where) {
  ssh::known_keys all;
  for (const auto* paths : {&where.of_user, &where.global}) {
    for (const std::string& path : *paths) {
      auto found = open(path).find(host, port);
      if (!found)
        return found;
      if (all.trusted.empty()) {
        all.file = std::move(found->file);
        all.line = found->line;
      }
      append(all.trusted, found->trusted);
      append(all.revoked, found->revoked);
    }
  }
  return all;
}

ssh::result<ssh::known_keys> file_host_key_store_state::look_up(const std::string& host,
                                                                std::uint16_t port,
                                                                const known_hosts_choice& where) {
  auto all = find(host, port, where);
  if (!all || !all->trusted.empty() || port == ssh::default_port)
    return all;
  auto at_usual_port = find(host, ssh::default_port, where);
  if (!at_usual_port)
    return at_usual_port;
  all->at_usual_port = std::move(at_usual_port->trusted);
  append(all->revoked, at_usual_port->revoked);
  return all;
}

caf::result<ssh::host_key> file_host_key_store_state::remember(const std::string& host,
                                                               std::uint16_t port,
                                                               const ssh::host_key& key,
                                                               const known_hosts_choice& where) {
  const auto known = look_up(host, port, where);
  if (!known)
    return to_caf_error(known.error());
  if (contains(known->revoked, key))
    return make_service_error(error_code::host_key_error,
                              "Host key " + describe(key) + " of " + host + " is revoked");
  if (contains(known->trusted, key) || contains(known->at_usual_port, key))
    return key;
  if (!known->trusted.empty())
    return make_service_error(error_code::host_key_error,
                              "Host key of " + host + " was recorded as "
                                + describe(known->trusted.front()) + " meanwhile, but seen is "
                                + describe(key));
  if (where.of_user.empty())
    return key;
  const auto written = open(where.of_user.front()).append(host, port, key);
  if (written)
    return key;
  // A shortage may pass, and whether a name can be recorded is no matter of the file.
  if (written.error().kind != ssh::error_kind::file || !ssh::can_be_recorded(host))
    return to_caf_error(written.error());
  warn(written.error().text);
  return key;
}

void file_host_key_store_state::warn(const std::string& why) {
  if (!std::exchange(has_warned, true))
    print_to_stderr("host keys are accepted but not recorded: " + why);
}

host_key_files_actor::behavior_type
file_host_key_store(host_key_files_actor::stateful_pointer<file_host_key_store_state> self,
                    const std::string& known_hosts_file) {
  self->state.usual = usual_files(known_hosts_file);
  self->attach_functor(ssh::free_crypto_state);
  return {
    [self](look_up_atom, const std::string& host, std::uint16_t port) {
      return to_answer(self->state.look_up(host, port, self->state.usual));
    },
    [self](look_up_atom, const std::string& host, std::uint16_t port,
           const known_hosts_choice& where) {
      return to_answer(self->state.look_up(host, port, where));
    },
    [self](remember_atom, const std::string& host, std::uint16_t port, const ssh::host_key& key) {
      return self->state.remember(host, port, key, self->state.usual);
    },
    [self](remember_atom, const std::string& host, std::uint16_t port, const ssh::host_key& key,
           const known_hosts_choice& where) {
      return self->state.remember(host, port, key, where);
    },
  };
}

} // namespace sshexec
