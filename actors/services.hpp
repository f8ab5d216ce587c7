#pragma once

#include "sshexec/messages/executor.hpp"
#include "sshexec/ssh/address.hpp"
#include "sshexec/ssh/known_hosts.hpp"
#include "sshexec/ssh/private_key.hpp"

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/replies_to.hpp>
#include <caf/timestamp.hpp>
#include <caf/typed_actor.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

/// The small services that supervisors ask, each an actor that may block on a thread of its own.
/// Errors are of category "sshexec"; their `failure` holds a message only.
namespace sshexec {

using resolve_atom = caf::atom_constant<caf::atom("resolve")>;
using load_atom = caf::atom_constant<caf::atom("load")>;
using look_up_atom = caf::atom_constant<caf::atom("lookup")>;
using remember_atom = caf::atom_constant<caf::atom("remember")>;

/// One line of the journal: a request and how it ended.
struct execution_record {
  caf::timestamp time;
  sshexec::machine machine;
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

using resolver_actor = caf::typed_actor<
  /// All addresses of a host name and port, to be tried in this order.
  caf::replies_to<resolve_atom, std::string, std::uint16_t>::with<std::vector<ssh::address>>>;

using credential_store = caf::typed_actor<
  /// The keys to offer to a machine, best first, never none.
  caf::replies_to<load_atom, machine>::with<ssh::private_keys>>;

using host_key_store = caf::typed_actor<
  /// What is on record for a host name and port.
  caf::replies_to<look_up_atom, std::string, std::uint16_t>::with<ssh::known_keys>,
  /// Records a key of a host that has none, and answers with that key once it is safely stored;
  /// fails with `host_key_error` when another one was recorded meanwhile.
  caf::replies_to<remember_atom, std::string, std::uint16_t, ssh::host_key>::with<ssh::host_key>>;

using journal_actor = caf::typed_actor<caf::reacts_to<execution_record>>;

} // namespace sshexec

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sshexec::execution_record)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sshexec::ssh::host_key)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sshexec::ssh::known_keys)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sshexec::ssh::private_keys)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::vector<sshexec::ssh::address>)
