#pragma once

#include "sshexec/app/descriptors.hpp"
#include "sshexec/messages/output_chunk.hpp"

#include <unistd.h>

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <system_error>

namespace sshexec::app {

/// stdout and stderr, with a last line on the terminal that tells the progress and is never in the
/// way of what is written.
class screen {
public:
  /// `stop` ends waits for whoever reads; what they do not take by then is dropped.
  explicit screen(const stop_switch& stop, int out = STDOUT_FILENO, int err = STDERR_FILENO)
    : stop_(&stop), out_(out), err_(err) {}

  /// Writes whole lines.
  std::error_code write(output_stream stream, std::string_view lines);

  /// Whether something was dropped.
  [[nodiscard]] bool was_cut() const { return was_cut_; }

  /// Draws the last line anew; without a word if there is no room for it.
  void show(const std::string& line);

  void erase();

  /// The same, from any thread, for a process that ends at once: nobody draws any more.
  void leave() const;

  /// Characters in a line of the terminal.
  [[nodiscard]] std::size_t width() const;

private:
  void draw(const std::string& text) const;
  /// Does not wait for whoever reads.
  void put(const std::string& text) const;

  const stop_switch* stop_;
  int out_;
  int err_;
  /// Of all copies.
  std::shared_ptr<std::mutex> drawing_ = std::make_shared<std::mutex>();
  bool is_shown_ = false;
  bool was_cut_ = false;
};

} // namespace sshexec::app
