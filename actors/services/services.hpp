#pragma once

#include "sshexec/actors/services/credentials.hpp"
#include "sshexec/messages/executor.hpp"
#include "sshexec/ssh/known_keys.hpp"

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/replies_to.hpp>
#include <caf/timestamp.hpp>
#include <caf/typed_actor.hpp>

#include <cstdint>
#include <string>

/// The services that a hub may have of its own (`executor_services`). Errors are of category
/// "sshexec"; their `failure` holds a message only.
namespace sshexec {

using load_atom = caf::atom_constant<caf::atom("load")>;
using look_up_atom = caf::atom_constant<caf::atom("lookup")>;
using remember_atom = caf::atom_constant<caf::atom("remember")>;
inline constexpr auto load_atom_v = load_atom{};
inline constexpr auto look_up_atom_v = look_up_atom{};
inline constexpr auto remember_atom_v = remember_atom{};

/// One line of the journal: a request and how it ended.
struct execution_record {
  caf::timestamp time;
  sshexec::machine machine;
  /// `command::id`, or the one that was made.
  std::string request_id;
  std::string command_line;
  /// `none` for a command that ran to its end.
  error_code outcome = error_code::none;
  /// The error's message, empty for a command that ran to its end.
  std::string message;
  std::int32_t exit_code = 0;
  std::string exit_signal;
  caf::timespan duration{0};
  std::uint32_t attempts = 0;
  bool reused_connection = false;
};

/// It is asked for each attempt to connect, and says by `changed_atom` to the executor that it
/// would answer differently now. It may block only if it has a thread of its own.
using credential_store = caf::typed_actor<
  /// How to log in to a machine.
  caf::replies_to<load_atom, machine>::with<credentials>>;

/// It may block under the same condition.
using host_key_store = caf::typed_actor<
  /// What is on record for a host name and port.
  caf::replies_to<look_up_atom, std::string, std::uint16_t>::with<ssh::known_keys>,
  /// Records a key of a host that has none, and answers with that key once it is safely stored;
  /// fails with `host_key_error` when another one was recorded meanwhile.
  caf::replies_to<remember_atom, std::string, std::uint16_t, ssh::host_key>::with<ssh::host_key>>;

using journal_actor = caf::typed_actor<caf::reacts_to<execution_record>>;

} // namespace sshexec

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sshexec::credentials)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sshexec::execution_record)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sshexec::ssh::host_key)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sshexec::ssh::known_keys)
