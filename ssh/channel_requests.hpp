#pragma once

#include "sshexec/ssh/handles.hpp"

#include <libssh/callbacks.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

/// Requests of a channel to the server, and their answers.
namespace sshexec::ssh {

/// Tells whether the answer to a request may have come since it was last looked for: libssh calls
/// back for other packets only, and polls the socket at each look.
struct incoming_answers {
  ssh_counter_struct packets{};
  /// Packets that libssh called back for.
  std::uint64_t others = 0;
  /// Answers that were found, or that nobody waits for.
  std::uint64_t found = 0;
  /// That of the channel asked for last; libssh counts them from 43.
  std::uint32_t last_channel = 42;

  [[nodiscard]] std::uint64_t arrived() const { return packets.in_packets - others; }

  [[nodiscard]] bool all_found() const { return found == arrived(); }
};

/// The answer to the one request that a channel waits for.
class awaited_answer {
public:
  /// The count must outlive it.
  explicit awaited_answer(incoming_answers& all) : all_(all) {}

  /// Makes a request of libssh's, or looks for the answer if it may have come since the last look.
  template <class Request>
  int ask(Request request) {
    if (looked_at_ && (looked_at_ == all_.arrived() || all_.all_found()))
      return SSH_AGAIN;
    const int status = request();
    if (status == SSH_OK)
      ++all_.found;
    looked_at_ = status == SSH_AGAIN ? std::optional{all_.arrived()} : std::nullopt;
    return status;
  }

  /// Asks for a channel, which gets its number then.
  template <class Request>
  int ask_for_channel(Request request) {
    if (channel_ == 0)
      channel_ = ++all_.last_channel;
    return ask(std::move(request));
  }

  /// None before it was asked for.
  [[nodiscard]] std::uint32_t channel() const { return channel_; }

  /// It came, and was noticed without a look for it.
  void came() {
    ++all_.found;
    looked_at_ = std::nullopt;
  }

private:
  incoming_answers& all_;
  /// How many answers had arrived when this one was last looked for.
  std::optional<std::uint64_t> looked_at_;
  std::uint32_t channel_ = 0;
};

/// Why the server opened no channel (RFC 4254 §5.1).
struct channel_refusal {
  std::uint32_t reason = 0;
  /// The server's own words; may be empty.
  std::string text;
};

/// Of that channel. libssh keeps what it was told of the last one only: nothing is known of others.
channel_refusal refusal_of(std::uint32_t channel, ssh_session session);

} // namespace sshexec::ssh
