#pragma once

#include <tl/expected.hpp>

#include <cstdint>
#include <string>

namespace sshexec::ssh {

/// What went wrong, as far as the executor's reaction depends on it.
enum class error_kind : std::uint8_t {
  name_not_found,
  refused,
  unreachable,
  timed_out,
  /// An established connection ended.
  dropped,
  /// The peer broke the protocol, or shares no algorithm with us.
  protocol,
  /// The server refuses what it was asked for, whoever asks.
  forbidden,
  /// The server takes none of the keys; the text names the methods it offers.
  authentication,
  /// A file on our side cannot be used; the text names it.
  file,
  /// Something on our side is short for the moment, or fails for a moment: descriptors, memory, a
  /// disk. Never final, and never remembered.
  shortage,
};

/// An error as a value; its text says what happened, for people, without the host's name.
struct error {
  error_kind kind = error_kind::protocol;
  std::string text;
};

template <class T>
using result = tl::expected<T, error>;

/// The error for a failed socket call with this `errno` value.
error from_errno(int code);

/// Whether a call that failed with this `errno` value may work a moment later, and tells nothing of
/// what it was called for.
bool is_shortage(int code);

/// The kind of an error for a file, or the socket of an agent, that could not be reached for this
/// `errno` value: a shortage is no verdict about the file.
error_kind file_error_kind(int code);

} // namespace sshexec::ssh
