#pragma once

#include "sshexec/actors/runtime/time.hpp"
#include "sshexec/actors/services/credentials.hpp"
#include "sshexec/ssh/error.hpp"
#include "sshexec/ssh/file_stamp.hpp"
#include "sshexec/ssh/private_key.hpp"
#include "sshexec/ssh/secret.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sshexec {

/// Where a key comes from, without what is secret of it, and which files it was made from.
class source_mark {
public:
  explicit source_mark(const key_in_memory& x);
  /// Looks at the files.
  explicit source_mark(const key_file& x);

  /// For people.
  [[nodiscard]] std::string name() const;

  /// Whether both name the same key; what is there may have changed between them.
  [[nodiscard]] bool names_same(const source_mark& x) const;

  /// Whether the same key comes of both. A file that cannot be reached is like no other.
  [[nodiscard]] bool is(const source_mark& x) const;

  /// Whether nobody holds its secrets any more.
  [[nodiscard]] bool expired() const { return text_.expired() || passphrase_.expired(); }

private:
  /// None: the key is in memory.
  std::optional<std::string> path_;
  std::string passphrase_file_;
  std::string certificate_;
  ssh::weak_secret text_;
  ssh::weak_secret passphrase_;
  std::optional<ssh::file_stamp> key_stamp_;
  std::optional<ssh::file_stamp> passphrase_stamp_;
  std::optional<ssh::file_stamp> certificate_stamp_;
};

/// What came of reading keys, the failures included, unless they say nothing of the key: deriving a
/// key from a wrong passphrase again for each of many machines would take as long as from the right
/// one. No secret lives longer for it than somebody needs it: a key is there as long as a
/// connection that authenticates holds it, or it is held here for whoever asks next; a failure, as
/// long as the store holds the secrets that led to it.
class kept_keys {
public:
  using outcome = ssh::result<ssh::private_key>;

  /// Nothing when the key is gone, which may happen at any moment.
  [[nodiscard]] std::optional<outcome> find(const source_mark& source) const;

  /// Remembers what came of a source, and returns it as it is to be handed out: a key that its
  /// holders hold together with the secrets it was made from.
  outcome keep(source_mark where, const credential& source, outcome made);

  /// Keeps a key that was kept before until somebody claims it, or until `until`.
  void hold(const ssh::private_key& key, time_point until);

  /// Leaves it to whoever got these keys how long they live.
  void claim(const ssh::private_keys& got);

  /// Lets go of what nobody claimed in time.
  void let_go(time_point now);

  void clear() { keys_.clear(); }

private:
  struct kept_key {
    source_mark source;
    std::weak_ptr<ssh::private_key::element_type> key;
    std::weak_ptr<ssh::private_key::element_type> certified;
    std::optional<ssh::certificate> certificate;
    std::string objection;
    std::optional<ssh::error> failure = std::nullopt;
    /// The key itself, as long as nobody has claimed it.
    std::shared_ptr<ssh::private_key::element_type> unclaimed = nullptr;
    time_point held_until = {};

    [[nodiscard]] bool expired() const { return failure ? source.expired() : key.expired(); }
  };

  std::vector<kept_key> keys_;
};

} // namespace sshexec
