#pragma once

#include "sshexec/actors/runtime/reply.hpp"
#include "sshexec/actors/runtime/system_thread.hpp"
#include "sshexec/actors/services/inner_services.hpp"
#include "sshexec/ssh/integrity_check.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace sshexec {

struct cipher_check_settings {
  /// Run on a thread of its own.
  std::function<ssh::result<ssh::integrity_verdict>()> check = ssh::integrity_of_libssh;
  thread_starter start = start_thread;
  /// Told once, on that thread, which ciphers are not offered, and why; for people.
  std::function<void(const std::string&)> tell = [](const std::string&) {};
};

using thorough_cipher_check_actor = cipher_check_actor::extend<
  /// The check has ended.
  caf::reacts_to<done_atom, ssh::integrity_verdict>, caf::reacts_to<done_atom, caf::error>>;

/// Knows which ciphers can be trusted with the libssh at hand. The first one who asks, which is the
/// first connection, has them checked; all who ask meanwhile wait for the same verdict. A check
/// that failed says nothing, and is not remembered.
struct cipher_check_state {
  static inline const char* name = "sshexec.cipher_check";

  explicit cipher_check_state(thorough_cipher_check_actor::pointer self_ptr) : self(self_ptr) {}

  caf::result<ssh::cipher_families> find_out();
  void finish(const ssh::integrity_verdict& verdict);
  void fail(const caf::error& reason);

  thorough_cipher_check_actor::pointer self;
  cipher_check_settings settings;
  std::optional<ssh::integrity_verdict> known;
  /// Not empty while a check is under way.
  std::vector<reply<ssh::cipher_families>> waiting;
};

/// To be spawned without a thread of its own. When none can be had for the check, those who ask are
/// told of a shortage.
thorough_cipher_check_actor::behavior_type
cipher_check(thorough_cipher_check_actor::stateful_pointer<cipher_check_state> self,
             cipher_check_settings settings);

} // namespace sshexec
