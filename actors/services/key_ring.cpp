#include "sshexec/actors/services/key_ring.hpp"

#include "sshexec/actors/runtime/service_error.hpp"
#include "sshexec/actors/services/home.hpp"
#include "sshexec/ssh/crypto_state.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <memory>
#include <system_error>
#include <utility>

namespace sshexec {

namespace {

using ssh::error_kind;

/// A longer one is read as well, but leaves parts of itself in freed memory.
constexpr std::size_t longest_passphrase = 1024;

/// `what` the file holds, for people.
ssh::result<ssh::secret> read_first_line(const char* what, const std::filesystem::path& file) {
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
                 what + (" file " + file.string())
                   + " cannot be read: " + std::system_category().message(code)}};
  }
  if (line.ends_with('\r'))
    line.pop_back();
  return ssh::secret{std::move(line)};
}

ssh::result<ssh::secret> passphrase_of(const key_in_memory& source) {
  return source.passphrase;
}

ssh::result<ssh::secret> passphrase_of(const key_file& source) {
  if (!source.passphrase.empty() || source.passphrase_file.empty())
    return source.passphrase;
  return read_first_line("Passphrase", expand_home(source.passphrase_file));
}

ssh::result<ssh::secret> read_password(const std::filesystem::path& file) {
  std::error_code ignored;
  // It is read for each login, and a pipe would be waited for.
  if (std::filesystem::exists(file, ignored) && !std::filesystem::is_regular_file(file, ignored))
    return tl::unexpected{
      ssh::error{error_kind::file, "Password file " + file.string() + " is not a regular file"}};
  return read_first_line("Password", file);
}

ssh::result<ssh::secret> text_of(const login_password& source) {
  const bool is_in_file = source.text.empty() && !source.file.empty();
  const auto file = expand_home(source.file);
  auto text = is_in_file ? read_password(file) : ssh::result<ssh::secret>{source.text};
  const auto objection = [&](const char* what) {
    return tl::unexpected{ssh::error{
      error_kind::file, (is_in_file ? "Password file " + file.string() : "The password") + what}};
  };
  if (text && text->empty())
    return objection(" is empty");
  // libssh would send what stands before it.
  if (text && text->text().find('\0') != std::string::npos)
    return objection(" holds a NUL byte");
  return text;
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

auto derivation_from(const key_in_memory& source, const ssh::secret& passphrase) {
  return [text = source.text, passphrase, certificate = source.certificate] {
    return ssh::read_private_key(text.text(), passphrase.text(), certificate);
  };
}

auto derivation_from(const key_file& source, const ssh::secret& passphrase) {
  return [path = expand_home(source.path), passphrase] {
    return ssh::load_private_key(path, passphrase.text());
  };
}

bool is_file(const credential& x) {
  return std::holds_alternative<key_file>(x);
}

bool is_agent(const credential& x) {
  return std::holds_alternative<key_agent>(x);
}

/// They stand where the first one stood, and have its passphrase.
void replace_files(std::vector<credential>& sources, const std::vector<std::string>& paths) {
  const auto first = std::find_if(sources.begin(), sources.end(), is_file);
  const auto place = first - sources.begin();
  const auto like = first == sources.end() ? key_file{} : std::get<key_file>(*first);
  std::erase_if(sources, is_file);
  std::vector<credential> files;
  files.reserve(paths.size());
  for (const std::string& path : paths)
    files.emplace_back(key_file{path, like.passphrase, like.passphrase_file});
  sources.insert(sources.begin() + place, files.begin(), files.end());
}

void replace_agents(std::vector<credential>& sources, const std::string& socket) {
  std::erase_if(sources, is_agent);
  if (!socket.empty())
    sources.emplace_back(key_agent{socket});
}

/// Changes where keys come from, and says what is left out.
std::string follow(const login_wishes& wishes, std::vector<credential>& sources) {
  if (wishes.identity_files)
    replace_files(sources, *wishes.identity_files);
  if (wishes.agent)
    replace_agents(sources, *wishes.agent);
  if (!wishes.leaves_agents_out || std::erase_if(sources, is_agent) == 0)
    return {};
  return "IdentitiesOnly leaves the keys of the SSH agent out";
}

kept_keys::outcome derive_safely(const std::function<kept_keys::outcome()>& derive) {
  try {
    return derive();
  } catch (const std::exception& reason) {
    return tl::unexpected{ssh::error{
      error_kind::shortage, std::string{"A private key cannot be read: "} + reason.what()}};
  }
}

} // namespace

caf::result<ssh::login> key_ring_state::load(const machine& target, login_wishes wishes) {
  auto promise = self->make_response_promise<ssh::login>();
  auto asker
    = std::make_shared<question>(question{self->clock().now(), reply<ssh::login>{promise}});
  self->request(store, caf::infinite, load_atom_v, target)
    .then(
      [this, asker, wishes = std::move(wishes)](credentials& found) {
        asker->found = std::move(found);
        asker->left_out = follow(wishes, asker->found.sources);
        read(asker);
      },
      [asker](caf::error& reason) { asker->answer.fail(std::move(reason)); });
  return promise;
}

void key_ring_state::read(const std::shared_ptr<question>& asker) {
  const auto& sources = asker->found.sources;
  asker->keys.resize(sources.size());
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (const auto* in_memory = std::get_if<key_in_memory>(&sources[i]))
      read_source({asker, i}, *in_memory);
    else if (const auto* file = std::get_if<key_file>(&sources[i]))
      read_source({asker, i}, *file);
  }
  if (asker->underived == 0)
    answer(*asker);
  start_next();
}

template <class Source>
void key_ring_state::read_source(const waiter& who, const Source& source) {
  source_mark where{source};
  outcome& key = who.asker->keys[who.index];
  if (auto known = keys.find(where)) {
    key = std::move(*known);
    return;
  }
  if (derivation* const open = derivation_of(where)) {
    open->waiters.push_back(who);
    ++who.asker->underived;
    return;
  }
  const auto passphrase = passphrase_of(source);
  if (passphrase && !passphrase->empty()) {
    waiting.push_back({std::move(where), source, derivation_from(source, *passphrase), {who}});
    ++who.asker->underived;
    return;
  }
  // Nothing is slow about a key without a passphrase.
  key = keys.keep(std::move(where), source, passphrase.and_then([&](const ssh::secret& none) {
    return derivation_from(source, none)();
  }));
}

key_ring_state::derivation* key_ring_state::derivation_of(const source_mark& where) {
  const auto is_meant = [&](const derivation& x) { return !x.is_outdated && x.where.is(where); };
  for (auto& [number, x] : running) {
    if (is_meant(x))
      return &x;
  }
  const auto found = std::find_if(waiting.begin(), waiting.end(), is_meant);
  return found != waiting.end() ? &*found : nullptr;
}

void key_ring_state::start_next() {
  while (!waiting.empty() && running.size() < settings.max_derivations) {
    derivation next = std::move(waiting.front());
    waiting.pop_front();
    if (!is_wanted(next)) {
      settle(next, tl::unexpected{
                     ssh::error{error_kind::timed_out, "the key of " + next.where.name()
                                                         + " could not be derived in time"}});
    } else if (start(next)) {
      continue;
    } else if (!running.empty()) {
      // Each derivation that ends tries again.
      waiting.push_front(std::move(next));
      return;
    } else {
      settle(next, tl::unexpected{ssh::error{
                     error_kind::shortage, "There is no thread at the moment to derive the key of "
                                             + next.where.name()}});
    }
  }
}

bool key_ring_state::is_wanted(const derivation& x) const {
  return std::any_of(x.waiters.begin(), x.waiters.end(),
                     [this](const waiter& who) { return !has_given_up(*who.asker); });
}

bool key_ring_state::start(derivation& x) {
  const auto number = ++last_number;
  const bool started = settings.start(
    self->system(), [ring = deriving_key_ring_actor{self}, number, derive = x.derive] {
      caf::anon_send(ring, done_atom::value, number, derive_safely(derive));
      ssh::free_crypto_state();
    });
  if (started)
    running.emplace(number, std::move(x));
  return started;
}

void key_ring_state::finish(std::uint64_t number, outcome& made) {
  const auto ended = running.extract(number);
  const derivation& done = ended.mapped();
  if (!done.is_outdated)
    made = keys.keep(done.where, done.source, std::move(made));
  if (made) {
    keys.hold(*made, self->clock().now() + settings.hold);
    self->delayed_send(self, settings.hold, tick_atom::value);
  }
  settle(done, made);
  start_next();
}

void key_ring_state::settle(const derivation& ended, const outcome& made) {
  for (const auto& [asker, index] : ended.waiters) {
    asker->keys[index] = made;
    if (--asker->underived == 0)
      answer(*asker);
  }
}

bool key_ring_state::has_given_up(const question& x) const {
  return self->clock().now() - x.asked_at >= settings.patience;
}

void key_ring_state::answer(question& x) {
  if (has_given_up(x))
    return x.answer.fail(
      to_caf_error({error_kind::timed_out, "the keys could not be read in time"}));
  auto login = to_login(x);
  if (!login)
    return x.answer.fail(to_caf_error(login.error()));
  keys.claim(login->keys);
  x.answer.deliver(std::move(*login));
}

ssh::result<ssh::login> key_ring_state::to_login(const question& x) {
  const credentials& found = x.found;
  ssh::login usable;
  usable.username = found.username;
  std::string objections = x.left_out;
  std::optional<ssh::error> shortage;
  const auto note = [&](const ssh::error& objection) {
    if (objection.kind == error_kind::shortage)
      shortage = objection;
    objections += (objections.empty() ? "" : "; ") + objection.text;
  };
  for (std::size_t i = 0; i < found.sources.size(); ++i) {
    if (const auto* agent = std::get_if<key_agent>(&found.sources[i]))
      socket_of(*agent)
        .map([&](std::string path) { usable.agents.push_back(std::move(path)); })
        .map_error(note);
    else if (const auto* password = std::get_if<login_password>(&found.sources[i]))
      text_of(*password)
        .map([&](const ssh::secret& text) {
          if (usable.password.empty())
            usable.password = text;
        })
        .map_error(note);
    else
      x.keys[i]
        .map([&](const ssh::private_key& key) { usable.keys.push_back(key); })
        .map_error(note);
  }
  // The key that cannot be read for the moment may be the one that the machine takes.
  if (shortage)
    return tl::unexpected{std::move(*shortage)};
  if (!usable.keys.empty() || !usable.agents.empty() || !usable.password.empty()) {
    usable.passed_over = std::move(objections);
    return usable;
  }
  const char* agent = std::getenv("SSH_AUTH_SOCK");
  if (agent != nullptr && *agent != '\0' && !objections.empty() && found.sources.size() != 1
      && x.left_out.empty())
    objections += "; to use the SSH agent that SSH_AUTH_SOCK names, set identity-agent";
  if (found.sources.size() != 1)
    objections = "No private key to use" + (objections.empty() ? "" : "; " + objections);
  return tl::unexpected{ssh::error{error_kind::file, std::move(objections)}};
}

void key_ring_state::forget_all() {
  keys.clear();
  for (derivation& x : waiting)
    x.is_outdated = true;
  for (auto& [number, x] : running)
    x.is_outdated = true;
}

deriving_key_ring_actor::behavior_type
key_ring(deriving_key_ring_actor::stateful_pointer<key_ring_state> self, credential_store store,
         key_ring_settings settings) {
  auto& state = self->state;
  state.store = std::move(store);
  state.settings = std::move(settings);
  self->attach_functor(ssh::free_crypto_state);
  return {
    [&state](load_atom, const machine& target) { return state.load(target, {}); },
    [&state](load_atom, const machine& target, login_wishes& wishes) {
      return state.load(target, std::move(wishes));
    },
    [&state](changed_atom) { state.forget_all(); },
    [&state](done_atom, std::uint64_t number, kept_keys::outcome& made) {
      state.finish(number, made);
    },
    [&state](tick_atom) { state.keys.let_go(state.self->clock().now()); },
  };
}

} // namespace sshexec
