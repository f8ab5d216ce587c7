#pragma once

#include "sshexec/actors/services/services.hpp"
#include "sshexec/actors/settings.hpp"

#include <caf/actor_system.hpp>
#include <caf/expected.hpp>

#include <string>

namespace sshexec {

using notice_atom = caf::atom_constant<caf::atom("notice")>;
using reopen_atom = caf::atom_constant<caf::atom("reopen")>;
inline constexpr auto notice_atom_v = notice_atom{};
inline constexpr auto reopen_atom_v = reopen_atom{};

using execution_journal_actor = journal_actor::extend<
  /// Opens the journal's file anew, so that what rotates log files can move it away; all records
  /// that came before are in the old one. When it cannot be opened, the old one is written on.
  caf::reacts_to<reopen_atom>,
  /// Writes a line that is about no request, unless the journal is stderr, where such are told
  /// anyway.
  caf::reacts_to<notice_atom, std::string>>;

/// Starts the journal: one line for each record, on a thread of its own, so that a slow disk or a
/// blocked terminal holds up nobody, and nothing is lost. Each line is with the operating system
/// before the next one is begun. A journal file is made readable by its owner alone, because
/// commands may hold secrets; its folder has to be there. Fails with `configuration_error` when the
/// file cannot be opened. What fails later is told on stderr, once until it works again, and each
/// record tries anew.
///
///     2025-01-31T12:00:00.123Z id="web-1" machine="root@web-1:22" outcome=ok exit=0
///         duration_ms=12.345 attempts=1 reused=true request="#9-1" command="uptime"
///
/// (one line). Text is escaped (see `escape`); in the JSON format by JSON's own rules.
///
/// It ends with an exit message, after all records that were sent before. The journal "none" is
/// nobody: what is sent to it goes nowhere, and wakes no thread.
caf::expected<execution_journal_actor> spawn_journal(caf::actor_system& system,
                                                     const settings& config);

} // namespace sshexec
