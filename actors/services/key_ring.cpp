#include "sshexec/actors/services/key_ring.hpp"

#include "sshexec/actors/runtime/reply.hpp"
#include "sshexec/actors/runtime/service_error.hpp"
#include "sshexec/actors/services/home.hpp"
#include "sshexec/ssh/crypto_state.hpp"

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
  if (!std::getline(in, line) && !in.eof()) {
    const int code = errno;
    return tl::unexpected{
      ssh::error{ssh::is_shortage(code) ? error_kind::shortage : error_kind::file,
                 "Passphrase file " + file.string()
                   + " cannot be read: " + std::system_category().message(code)}};
  }
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

/// A key that its holders hold together with the secrets it was made from: while one of them lives,
/// others that ask for the same key share it.
std::shared_ptr<ssh_key_struct> with_source(const ssh::private_key& key, const credential& source) {
  const auto both = std::make_shared<const std::pair<ssh::private_key, credential>>(key, source);
  return {both, key.get()};
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
  std::optional<ssh::error> shortage;
  const auto note = [&](const ssh::error& objection) {
    if (objection.kind == error_kind::shortage)
      shortage = objection;
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
  // The key that cannot be read for the moment may be the one that the machine takes.
  if (shortage)
    return tl::unexpected{std::move(*shortage)};
  if (!usable.keys.empty() || !usable.agents.empty()) {
    usable.passed_over = std::move(objections);
    return usable;
  }
  const char* agent = std::getenv("SSH_AUTH_SOCK");
  if (agent != nullptr && *agent != '\0' && !objections.empty() && found.sources.size() != 1)
    objections += "; to use the SSH agent that SSH_AUTH_SOCK names, set identity-agent";
  if (found.sources.size() != 1)
    objections = "No private key to use" + (objections.empty() ? "" : "; " + objections);
  return tl::unexpected{ssh::error{error_kind::file, std::move(objections)}};
}

ssh::result<ssh::private_key> key_ring_state::key_of(const key_in_memory& source) {
  for (const kept_key& x : keys) {
    if (auto known = x.source.is(source) ? x.get() : std::nullopt)
      return std::move(*known);
  }
  return keep(source, {source_mark{source}, {}, {}, {}, {}},
              ssh::read_private_key(source.text.text(), source.passphrase.text()));
}

ssh::result<ssh::private_key> key_ring_state::key_of(const key_file& source) {
  const auto path = expand_home(source.path);
  const auto key_stamp = ssh::stamp_of(path);
  const auto passphrase_stamp = ssh::stamp_of(expand_home(source.passphrase_file));
  for (const kept_key& x : keys) {
    // A file that cannot be reached has no stamp to compare.
    const bool is_same = key_stamp && x.key_stamp == key_stamp
                         && x.passphrase_stamp == passphrase_stamp && x.source.is(source);
    if (auto known = is_same ? x.get() : std::nullopt)
      return std::move(*known);
  }
  auto key = passphrase_of(source).and_then(
    [&](const ssh::secret& passphrase) { return ssh::load_private_key(path, passphrase.text()); });
  return keep(source, {source_mark{source}, key_stamp, passphrase_stamp, {}, {}}, std::move(key));
}

template <class Source>
ssh::result<ssh::private_key> key_ring_state::keep(const Source& source, kept_key where,
                                                   ssh::result<ssh::private_key> key) {
  // What nobody holds any more need not be known: a hub's keys in memory may be many.
  std::erase_if(keys, [&](const kept_key& x) { return x.expired() || x.source.is(source); });
  if (key) {
    *key = {with_source(*key, source), where.source.name()};
    where.key = *key;
  } else if (key.error().kind == error_kind::shortage) {
    return key;
  } else {
    where.failure = key.error();
  }
  keys.push_back(std::move(where));
  return key;
}

key_ring_state::source_mark::source_mark(const key_in_memory& x)
  : text(x.text), passphrase(x.passphrase) {}

key_ring_state::source_mark::source_mark(const key_file& x)
  : path(x.path), passphrase_file(x.passphrase_file), passphrase(x.passphrase) {}

std::string key_ring_state::source_mark::name() const {
  return path.value_or("a key in memory");
}

bool key_ring_state::source_mark::is(const key_in_memory& x) const {
  return !path && text.is(x.text) && passphrase.is(x.passphrase);
}

bool key_ring_state::source_mark::is(const key_file& x) const {
  return path == x.path && passphrase_file == x.passphrase_file && passphrase.is(x.passphrase);
}

std::optional<ssh::result<ssh::private_key>> key_ring_state::kept_key::get() const {
  if (failure)
    return tl::unexpected{*failure};
  if (auto held = key.lock())
    return ssh::private_key{std::move(held), source.name()};
  return std::nullopt;
}

key_ring_actor::behavior_type key_ring(key_ring_actor::stateful_pointer<key_ring_state> self,
                                       credential_store store) {
  self->state.store = std::move(store);
  self->attach_functor(ssh::free_crypto_state);
  return {
    [self](load_atom, const machine& target) { return self->state.load(target); },
    [self](changed_atom) { self->state.keys.clear(); },
  };
}

} // namespace sshexec
