#include "sshexec/actors/services/kept_keys.hpp"

#include "sshexec/actors/services/home.hpp"

#include <algorithm>
#include <utility>

namespace sshexec {

namespace {

/// While one of its holders lives, others that ask for the same key share it.
ssh::private_key with_source(const ssh::private_key& key, const credential& source,
                             std::string name) {
  const auto both = std::make_shared<const std::pair<ssh::private_key, credential>>(key, source);
  ssh::private_key result{{both, key.get()}, std::move(name)};
  if (key.certified)
    result.certified = {both, key.certified.get()};
  result.certificate = key.certificate;
  result.objection = key.objection;
  return result;
}

} // namespace

source_mark::source_mark(const key_in_memory& x)
  : certificate_(x.certificate), text_(x.text), passphrase_(x.passphrase) {}

source_mark::source_mark(const key_file& x)
  : path_(x.path),
    passphrase_file_(x.passphrase_file),
    passphrase_(x.passphrase),
    key_stamp_(ssh::stamp_of(expand_home(x.path))),
    passphrase_stamp_(ssh::stamp_of(expand_home(x.passphrase_file))),
    certificate_stamp_(ssh::stamp_of(ssh::certificate_file_of(expand_home(x.path)))) {}

std::string source_mark::name() const {
  return path_.value_or("a key in memory");
}

bool source_mark::names_same(const source_mark& x) const {
  return path_ == x.path_ && passphrase_file_ == x.passphrase_file_
         && certificate_ == x.certificate_ && text_.is(x.text_) && passphrase_.is(x.passphrase_);
}

bool source_mark::is(const source_mark& x) const {
  const bool can_be_compared = !path_ || key_stamp_;
  return can_be_compared && key_stamp_ == x.key_stamp_ && passphrase_stamp_ == x.passphrase_stamp_
         && certificate_stamp_ == x.certificate_stamp_ && names_same(x);
}

std::optional<kept_keys::outcome> kept_keys::find(const source_mark& source) const {
  for (const kept_key& x : keys_) {
    if (!x.source.is(source))
      continue;
    if (x.failure)
      return tl::unexpected{*x.failure};
    if (auto held = x.key.lock()) {
      ssh::private_key result{std::move(held), x.source.name()};
      result.certified = x.certified.lock();
      result.certificate = x.certificate;
      result.objection = x.objection;
      return result;
    }
  }
  return std::nullopt;
}

kept_keys::outcome kept_keys::keep(source_mark where, const credential& source, outcome made) {
  // What nobody holds any more need not be known: a hub's keys in memory may be many.
  std::erase_if(keys_,
                [&](const kept_key& x) { return x.expired() || x.source.names_same(where); });
  if (made) {
    *made = with_source(*made, source, where.name());
    keys_.push_back({std::move(where), *made, made->certified, made->certificate, made->objection});
  } else if (made.error().kind != ssh::error_kind::shortage) {
    keys_.push_back({std::move(where), {}, {}, {}, {}, made.error()});
  }
  return made;
}

void kept_keys::hold(const ssh::private_key& key, time_point until) {
  for (kept_key& x : keys_) {
    if (auto held = x.key.lock(); held == key) {
      x.unclaimed = std::move(held);
      x.held_until = until;
    }
  }
}

void kept_keys::claim(const ssh::private_keys& got) {
  for (kept_key& x : keys_) {
    if (x.unclaimed && std::find(got.begin(), got.end(), x.unclaimed) != got.end())
      x.unclaimed = nullptr;
  }
}

void kept_keys::let_go(time_point now) {
  for (kept_key& x : keys_) {
    if (now >= x.held_until)
      x.unclaimed = nullptr;
  }
}

} // namespace sshexec
