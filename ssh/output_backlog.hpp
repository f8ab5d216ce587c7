#pragma once

#include "sshexec/ssh/connection.hpp"

#include <cstddef>
#include <cstdint>
#include <list>
#include <string_view>
#include <vector>

namespace sshexec::ssh {

/// Output of a streamed command that waits to be told: no more of it is told than the owner
/// granted.
class output_backlog {
public:
  /// Behind what came before; joined with it if that is of the same stream.
  void add(std::string_view data, bool is_stderr);

  /// So many bytes more may be told than `stream_window`.
  void grant(std::uint64_t bytes) { granted_ += bytes; }

  /// Appends to `events` what may be told now.
  void tell(exec_id id, std::vector<connection_event>& events);

  [[nodiscard]] bool empty() const { return chunks_.empty(); }

  /// Whether more waits than may be told.
  [[nodiscard]] bool full() const { return memory_ >= granted_; }

private:
  std::list<event::output> chunks_;
  /// What the chunks take, so that many small ones count as what they are.
  std::size_t memory_ = 0;
  std::uint64_t granted_ = stream_window;
};

} // namespace sshexec::ssh
