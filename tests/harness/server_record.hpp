#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace sshexec::testing {

/// What a server can notice.
enum class event : std::uint8_t {
  connection_accepted,
  /// Detail: the method. `none`, by which a client asks for the methods, is not noted.
  authentication_refused,
  authentication_accepted,
  channel_opened,
  channel_refused,
  /// Detail: the command line.
  exec_requested,
  /// Detail: the name without "SIG".
  signal_received,
  /// Both sides have closed the channel.
  channel_closed,
  /// The server breaks the connection; from here on it answers nothing.
  connection_broken,
  /// The connection is gone, whoever ended it.
  disconnected,
};

struct observation {
  event what{};
  /// Counts from 1.
  unsigned connection = 0;
  /// Counts from 1 in each connection; 0 where it is about no channel.
  unsigned channel = 0;
  std::string detail = {};

  bool operator==(const observation&) const = default;
};

using observations = std::vector<observation>;

/// How often something happened, with any detail.
std::size_t count(const observations& seen, event what);

/// How often something happened with this detail.
std::size_t count(const observations& seen, event what, std::string_view detail);

/// All observations of a server, in order. Functions may be called from any thread.
class server_record {
public:
  void add(observation seen);

  [[nodiscard]] observations all() const;

  /// Waits until the predicate holds; false if it does not within the bound.
  bool wait_for(const std::function<bool(const observations&)>& predicate,
                std::chrono::milliseconds bound) const;

private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  observations seen_;
};

} // namespace sshexec::testing
