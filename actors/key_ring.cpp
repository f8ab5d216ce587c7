#include "sshexec/actors/key_ring.hpp"

#include "sshexec/actors/home.hpp"
#include "sshexec/actors/reply.hpp"
#include "sshexec/actors/service_error.hpp"

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <system_error>
#include <utility>

namespace sshexec {

namespace {

using ssh::error_kind;

/// A longer one is read as well, but leaves parts of itself in freed memory.
constexpr std::size_t longest_passphrase = 1024;

ssh::result<ssh::secret> read_first_line(const std::filesystem::path& file) {
  std::ifstream in;
  // What a buffer of its own held would stay behind in freed memory.
  in.rdbuf()->pubsetbuf(nullptr, 0);
  in.open(file);
  std::string line;
  line.reserve(longest_passphrase);
  if (!std::getline(in, line) && !in.eof())
    return tl::unexpected{ssh::error{error_kind::file, "Passphrase file " + file.string()
                                                         + " cannot be read: "
                                                         + std::system_category().message(errno)}};
  if (line.ends_with('\r'))
    line.pop_back();
  return ssh::secret{std::move(line)};
}

ssh::result<ssh::secret> passphrase_of(const key_file& source) {
  if (!source.passphrase.empty() || source.passphrase_file.empty())
    return source.passphrase;
  return read_first_line(expand_home(source.passphrase_file));
}

ssh::result<std::string> socket_of(const key_agent& source) {
  if (!source.socket.empty())
    return expand_home(source.socket).string();
  const char* path = std::getenv("SSH_AUTH_SOCK");
  if (path == nullptr || *path == '\0')
    return tl::unexpected{
      ssh::error{error_kind::file, "There is no SSH agent: SSH_AUTH_SOCK is not set"}};
  return path;
}

} // namespace

caf::result<ssh::login> key_ring_state::load(const machine& target) {
  auto promise = self->make_response_promise<ssh::login>();
  // Both handlers need it, and CAF keeps handlers as copyable objects.
  auto answer = std::make_shared<reply<ssh::login>>(promise);
  self->request(store, caf::infinite, load_atom::value, target)
    .then(
      [this, answer](const credentials& found) {
        auto outcome = read(found);
        if (outcome)
          answer->deliver(std::move(*outcome));
        else
          answer->fail(to_caf_error(outcome.error()));
      },
      [answer](caf::error& reason) { answer->fail(std::move(reason)); });
  return promise;
}

ssh::result<ssh::login> key_ring_state::read(const credentials& found) {
  ssh::login usable;
  usable.username = found.username;
  std::string objections;
  const auto note = [&](const ssh::error& objection) {
    objections += (objections.empty() ? "" : "; ") + objection.text;
  };
  for (const credential& source : found.sources) {
    if (const auto* agent = std::get_if<key_agent>(&source)) {
      socket_of(*agent)
        .map([&](std::string path) { usable.agents.push_back(std::move(path)); })
        .map_error(note);
      continue;
    }
    const auto key = std::holds_alternative<key_file>(source)
                       ? key_of(std::get<key_file>(source))
                       : key_of(std::get<key_in_memory>(source));
    key.map([&](const ssh::private_key& x) { usable.keys.push_back(x); }).map_error(note);
  }
  if (!usable.keys.empty() || !usable.agents.empty())
    return usable;
  if (found.sources.size() != 1)
    objections = "No private key to use" + (objections.empty() ? "" : "; " + objections);
  return tl::unexpected{ssh::error{error_kind::file, std::move(objections)}};
}

ssh::result<ssh::private_key> key_ring_state::key_of(const key_in_memory& source) {
  if (const auto kept = keys.find(source); kept != keys.end()) {
    if (auto known = kept->second.get())
      return std::move(*known);
  }
  return keep(source, {}, ssh::read_private_key(source.text.text(), source.passphrase.text()));
}

ssh::result<ssh::private_key> key_ring_state::key_of(const key_file& source) {
  const auto path = expand_home(source.path);
  const auto key_stamp = ssh::stamp_of(path);
  const auto passphrase_stamp = ssh::stamp_of(expand_home(source.passphrase_file));
  const auto kept = keys.find(source);
  // A file that cannot be reached has no stamp to compare.
  if (key_stamp && kept != keys.end() && kept->second.key_stamp == key_stamp
      && kept->second.passphrase_stamp == passphrase_stamp) {
    if (auto known = kept->second.get())
      return std::move(*known);
  }
  auto key = passphrase_of(source).and_then(
    [&](const ssh::secret& passphrase) { return ssh::load_private_key(path, passphrase.text()); });
  return keep(source, {key_stamp, passphrase_stamp, {}, {}}, std::move(key));
}

ssh::result<ssh::private_key> key_ring_state::keep(const credential& source, kept_key where,
                                                   ssh::result<ssh::private_key> key) {
  // What nobody holds any more need not be known: a hub's keys in memory may be many.
  std::erase_if(keys, [](const auto& x) { return !x.second.failure && x.second.key.expired(); });
  if (key)
    where.key = *key;
  else
    where.failure = key.error();
  keys.insert_or_assign(source, std::move(where));
  return key;
}

std::optional<ssh::result<ssh::private_key>> key_ring_state::kept_key::get() const {
  if (failure)
    return tl::unexpected{*failure};
  if (auto held = key.lock())
    return held;
  return std::nullopt;
}

key_ring_actor::behavior_type key_ring(key_ring_actor::stateful_pointer<key_ring_state> self,
                                       credential_store store) {
  self->state.store = std::move(store);
  return {
    [self](load_atom, const machine& target) { return self->state.load(target); },
    [self](changed_atom) { self->state.keys.clear(); },
  };
}

} // namespace sshexec
