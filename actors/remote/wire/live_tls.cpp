#include "sshexec/actors/remote/wire/live_tls.hpp"

#include "sshexec/messages/failure.hpp"

#include <sys/stat.h>

#include <utility>

namespace sshexec {

namespace {

constexpr std::chrono::hours between_warnings{24};

/// What is wrong may be a shortage, or a certificate that begins soon.
constexpr std::chrono::seconds between_tries{10};

} // namespace

live_tls::live_tls(tls_files files, notice_function on_notice)
  : files_(std::move(files)),
    on_notice_(std::move(on_notice)),
    loaded_(look_at_files()),
    seen_(loaded_) {}

caf::expected<live_tls> live_tls::load(tls_files files, notice_function on_notice) {
  // It looks at them before they are read, so that no change is missed.
  live_tls result{std::move(files), std::move(on_notice)};
  auto loaded = load_tls(result.files_, tls_role::server);
  if (!loaded)
    return std::move(loaded.error());
  result.context_ = std::move(*loaded);
  return result;
}

bool live_tls::look(clock::time_point now) {
  if (now < next_look_)
    return false;
  next_look_ = now + between_looks;
  warn_of_end(now);
  const state last = std::exchange(seen_, look_at_files());
  if (seen_ != last)
    next_try_ = now;
  else if (seen_ != loaded_ && now >= next_try_)
    return load_again(now);
  return false;
}

live_tls::state live_tls::look_at_files() const {
  state result;
  for (const auto* path :
       {&files_.certificate, &files_.key, &files_.authority, &files_.revocations}) {
    struct stat found {};

    // One that is not there is a state, too.
    if (::stat(path->c_str(), &found) != 0)
      found = {};
    result.push_back({static_cast<std::int64_t>(found.st_dev),
                      static_cast<std::int64_t>(found.st_ino), found.st_size,
                      found.st_mtim.tv_sec * 1'000'000'000 + found.st_mtim.tv_nsec,
                      found.st_ctim.tv_sec * 1'000'000'000 + found.st_ctim.tv_nsec});
  }
  return result;
}

bool live_tls::load_again(clock::time_point now) {
  auto loaded = load_tls(files_, tls_role::server);
  if (!loaded) {
    const std::string why = to_failure(loaded.error()).message;
    if (std::exchange(complaint_, why) != why)
      tell("the changed TLS files are not used: " + why);
    next_try_ = now + between_tries;
    return false;
  }
  context_ = std::move(*loaded);
  loaded_ = seen_;
  complaint_.clear();
  next_warning_ = {};
  tell("the TLS files changed and are used from now on");
  return true;
}

void live_tls::tell(const std::string& notice) const {
  if (on_notice_)
    on_notice_(notice);
}

void live_tls::warn_of_end(clock::time_point now) {
  if (now < next_warning_)
    return;
  next_warning_ = now + between_warnings;
  if (const auto end = end_in_sight(context_, files_))
    tell(*end);
}

} // namespace sshexec
