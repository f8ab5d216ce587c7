#pragma once

#include "sshexec/messages/command.hpp"
#include "sshexec/messages/command_result.hpp"
#include "sshexec/messages/executor_status.hpp"
#include "sshexec/messages/failure.hpp"
#include "sshexec/messages/latency_distribution.hpp"
#include "sshexec/messages/machine.hpp"
#include "sshexec/messages/output_chunk.hpp"
#include "sshexec/messages/pool_event.hpp"
#include "sshexec/messages/rollout.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/atom.hpp>
#include <caf/error.hpp>
#include <caf/type_id.hpp>
#include <caf/typed_actor.hpp>

/// The first of sshexec's type ids. A hub whose own collide defines another one for all of its
/// code; no library has to be rebuilt: with CAF 0.17 ids exist at compile time only, types go by
/// name.
#ifndef SSHEXEC_FIRST_TYPE_ID
#define SSHEXEC_FIRST_TYPE_ID (caf::first_custom_type_id + 400)
#endif

CAF_BEGIN_TYPE_ID_BLOCK(sshexec, SSHEXEC_FIRST_TYPE_ID)

  CAF_ADD_TYPE_ID(sshexec, (sshexec::machine))
  CAF_ADD_TYPE_ID(sshexec, (sshexec::command))
  CAF_ADD_TYPE_ID(sshexec, (sshexec::command_output))
  CAF_ADD_TYPE_ID(sshexec, (sshexec::phase_times))
  CAF_ADD_TYPE_ID(sshexec, (sshexec::command_result))
  CAF_ADD_TYPE_ID(sshexec, (sshexec::failure))
  CAF_ADD_TYPE_ID(sshexec, (sshexec::output_chunk))
  CAF_ADD_TYPE_ID(sshexec, (sshexec::pool_event))
  CAF_ADD_TYPE_ID(sshexec, (sshexec::observer_actor))
  CAF_ADD_TYPE_ID(sshexec, (sshexec::latency_percentiles))
  CAF_ADD_TYPE_ID(sshexec, (sshexec::latency_distribution))
  CAF_ADD_TYPE_ID(sshexec, (sshexec::machine_status))
  CAF_ADD_TYPE_ID(sshexec, (sshexec::executor_status))
  CAF_ADD_TYPE_ID(sshexec, (sshexec::rollout))
  CAF_ADD_TYPE_ID(sshexec, (sshexec::machine_outcome))
  CAF_ADD_TYPE_ID(sshexec, (sshexec::rollout_progress))
  CAF_ADD_TYPE_ID(sshexec, (sshexec::rollout_summary))

  // An atom's text has at most ten characters (CAF 0.17, `caf/atom.hpp`).
  CAF_ADD_ATOM(sshexec, sshexec, execute_atom, "execute")
  CAF_ADD_ATOM(sshexec, sshexec, cancel_atom, "cancel")
  CAF_ADD_ATOM(sshexec, sshexec, input_atom, "input")
  CAF_ADD_ATOM(sshexec, sshexec, status_atom, "status")
  CAF_ADD_ATOM(sshexec, sshexec, changed_atom, "changed")

CAF_END_TYPE_ID_BLOCK(sshexec)

namespace sshexec {

// CAF has these among its own.
using caf::subscribe_atom;
using caf::subscribe_atom_v;
using caf::unsubscribe_atom;
using caf::unsubscribe_atom_v;

} // namespace sshexec

CAF_ERROR_CODE_ENUM(sshexec::error_code, "sshexec")
