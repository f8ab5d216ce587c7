#pragma once

#include "hub.hpp"
#include "sshexec/testing/scripted_server.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sshexec::test {

/// Where on the way of a command something goes wrong.
enum class place : std::uint8_t {
  name_resolution,
  connect,
  banner,
  key_exchange,
  host_key,
  authentication,
  authenticated,
  channel_open,
  exec_request,
  output,
  exit_status,
  close,
  idle_in_the_pool,
  being_retired,
};

/// What goes wrong.
enum class fault : std::uint8_t {
  /// The connection ends (FIN).
  end,
  /// The connection is reset (RST).
  reset,
  /// Nothing comes any more.
  silence,
  /// The server takes its leave (RFC 4253 §11.1).
  disconnect,
  /// The server says no.
  refusal,
  /// The server leaves this one thing out.
  omission,
  /// The server says something else.
  garbage,
};

/// Whether only the first one meets the fault, or each one until the fault is gone.
enum class persistence : std::uint8_t { once, always };

/// One cell of the matrix.
struct fault_cell {
  place where;
  fault what;
  persistence how_often;
  /// So many wait for the connection together.
  std::size_t commands;
};

/// All cells that there can be.
std::vector<fault_cell> all_fault_cells();

std::string to_string(place x);
std::string to_string(fault x);
std::string to_string(const fault_cell& x);

/// What a caller must be told.
struct expectation {
  error_code code = error_code::none;
  connection_fault fault = connection_fault::none;
  sshexec::progress progress = progress::not_started;
  std::uint32_t attempts = 1;
};

/// A reset may overtake what was sent before it, so it cannot be told how much arrives.
bool overtakes(const fault_cell& cell);

/// Whether what happens there meets a pooled connection. A command sent on it before that is known
/// takes a second attempt.
bool is_in_the_pool(place x);

/// By the rules of the design, for a command that is alone.
expectation expected(const fault_cell& cell);

/// What happened in one cell.
struct cell_outcome {
  /// The answers to the commands that met the fault.
  std::vector<answer> answers;
  /// The answer to a command after the fault was gone.
  answer afterwards;
  std::size_t requests = 0;
  std::size_t journal_lines = 0;
};

/// Plays one cell with servers and an executor of its own.
cell_outcome play(const fault_cell& cell);

} // namespace sshexec::test
