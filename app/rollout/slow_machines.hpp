#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace sshexec::app {

/// Tells machines that are under way for much longer than the others took. A machine is slow once
/// it is under way for three times as long as half of those that are done took at the most, but for
/// five seconds at least; and as long as more are under way than are done, nobody is.
class slow_machines {
public:
  using clock = std::chrono::steady_clock;

  static constexpr int times_the_median = 3;
  static constexpr auto least = std::chrono::seconds{5};

  /// A machine is done, and took so long.
  void done(clock::duration took) { took_.push_back(took); }

  struct finding {
    /// Places of the machines that are slow and have not been told before.
    std::vector<std::uint64_t> places;
    /// For how long each of them has been under way at the least.
    clock::duration under_way{0};
    /// Half of those that are done took that long at the most.
    clock::duration median{0};
  };

  /// Who became slow, of those that are under way now. A machine's time begins when it is first
  /// seen here.
  std::optional<finding> look(const std::vector<std::uint64_t>& running, clock::time_point now);

private:
  struct sighting {
    clock::time_point since;
    bool is_told = false;
  };

  /// Forgets who is not under way any more.
  void note(const std::vector<std::uint64_t>& running, clock::time_point now);
  [[nodiscard]] clock::duration median();

  std::vector<clock::duration> took_;
  std::map<std::uint64_t, sighting> running_;
};

} // namespace sshexec::app
