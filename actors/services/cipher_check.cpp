#include "sshexec/actors/services/cipher_check.hpp"

#include "sshexec/actors/runtime/service_error.hpp"
#include "sshexec/ssh/crypto_state.hpp"

#include <caf/expected.hpp>
#include <caf/send.hpp>

#include <utility>

namespace sshexec {

namespace {

std::string names_of(const ssh::cipher_families& families) {
  std::string result;
  for (const ssh::cipher_family x : families)
    result += (result.empty() ? "" : ", ") + std::string{ssh::name_of(x)};
  return result;
}

caf::expected<ssh::cipher_families> answer_for(const ssh::integrity_verdict& verdict) {
  auto left_out = verdict.left_out();
  if (left_out.size() < ssh::all_cipher_families.size())
    return left_out;
  return make_service_error(error_code::configuration_error,
                            "There is no cipher to offer: libssh does not notice altered data in "
                              + names_of(verdict.unsound) + "; update libssh");
}

/// The job of the check's thread, where a stderr that nobody reads may hold up what is told.
void run(const cipher_check_settings& settings, const thorough_cipher_check_actor& asker) {
  const auto verdict = settings.check();
  ssh::free_crypto_state();
  if (!verdict)
    return caf::anon_send(asker, done_atom::value, to_caf_error(verdict.error()));
  caf::anon_send(asker, done_atom::value, *verdict);
  if (!verdict->unsound.empty())
    settings.tell("libssh does not notice altered data in " + names_of(verdict->unsound)
                  + ", which is therefore not offered: update libssh");
}

} // namespace

caf::result<ssh::cipher_families> cipher_check_state::find_out() {
  if (known)
    return answer_for(*known);
  if (waiting.empty()) {
    const bool started = settings.start(
      self->system(),
      [settings = settings, asker = thorough_cipher_check_actor{self}] { run(settings, asker); });
    if (!started)
      return to_caf_error(
        {ssh::error_kind::shortage, "there is no thread to check libssh's ciphers at the moment"});
  }
  auto promise = self->make_response_promise<ssh::cipher_families>();
  waiting.emplace_back(promise);
  return promise;
}

void cipher_check_state::finish(const ssh::integrity_verdict& verdict) {
  known = verdict;
  const auto outcome = answer_for(verdict);
  for (auto& answer : std::exchange(waiting, {}))
    outcome ? answer.deliver(*outcome) : answer.fail(outcome.error());
}

void cipher_check_state::fail(const caf::error& reason) {
  for (auto& answer : std::exchange(waiting, {}))
    answer.fail(reason);
}

thorough_cipher_check_actor::behavior_type
cipher_check(thorough_cipher_check_actor::stateful_pointer<cipher_check_state> self,
             cipher_check_settings settings) {
  auto& state = self->state;
  state.settings = std::move(settings);
  return {
    [&state](check_atom) { return state.find_out(); },
    [&state](done_atom, const ssh::integrity_verdict& verdict) { state.finish(verdict); },
    [&state](done_atom, const caf::error& reason) { state.fail(reason); },
  };
}

} // namespace sshexec
