#pragma once

#include "sshexec/actors/remote/tls_files.hpp"
#include "sshexec/actors/remote/wire/tls_context.hpp"

#include <caf/expected.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace sshexec {

/// A hub's TLS as its files say, which may be replaced while it serves. For one thread, which may
/// read files.
class live_tls {
public:
  using clock = std::chrono::steady_clock;
  /// Told in one line what an operator should know.
  using notice_function = std::function<void(const std::string&)>;

  static constexpr std::chrono::seconds between_looks{1};

  /// Fails as `load_tls` does.
  static caf::expected<live_tls> load(tls_files files, notice_function on_notice);

  [[nodiscard]] const tls_context& context() const { return context_; }

  /// When it wants to look at the files again.
  [[nodiscard]] clock::time_point next_look() const { return next_look_; }

  /// Looks at the files if it is time. True when the context is another one now. Files that changed
  /// are read once they have stayed as they are for a look, because they are replaced one by one.
  /// While they cannot be used, the context stays, which is told, and they are tried again.
  bool look(clock::time_point now);

private:
  /// Of each file: device, inode, size, and times of change.
  using state = std::vector<std::array<std::int64_t, 5>>;

  live_tls(tls_files files, notice_function on_notice);

  [[nodiscard]] state look_at_files() const;
  bool load_again(clock::time_point now);
  void tell(const std::string& notice) const;
  void warn_of_end(clock::time_point now);

  tls_files files_;
  tls_context context_;
  notice_function on_notice_;
  clock::time_point next_look_;
  clock::time_point next_warning_;
  /// What was loaded, and what was there at the last look.
  state loaded_;
  state seen_;
  /// Why they cannot be used, as far as that was told, and when they are tried again.
  std::string complaint_;
  clock::time_point next_try_;
};

} // namespace sshexec
