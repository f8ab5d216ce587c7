#pragma once

#include "sshexec/app/rollout/gathered_outputs.hpp"
#include "sshexec/app/rollout/labelled_lines.hpp"
#include "sshexec/app/rollout/output_files.hpp"
#include "sshexec/app/rollout/rollout_account.hpp"
#include "sshexec/app/rollout/rollout_request.hpp"
#include "sshexec/app/rollout/screen.hpp"
#include "sshexec/app/rollout/slow_machines.hpp"
#include "sshexec/messages/output_chunk.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

namespace sshexec::app {

/// What a terminal at stdout and at stderr allows.
struct terminal_manners {
  bool colours_out = false;
  bool colours_err = false;
  bool shows_progress = false;
};

/// Of this process, for what was asked.
terminal_manners manners_of(const rollout_request& request);

/// Prints what many machines write, and what becomes of them. Waits for whoever reads stdout and
/// stderr, so it is for a thread of its own.
class rollout_output {
public:
  /// The request must stay. Throws `std::system_error` when the directory for output cannot be
  /// made, or holds something of these machines that cannot be removed.
  rollout_output(const rollout_request& request, const terminal_manners& manners, screen on);

  /// `on_failure` is called once, when nothing more can be written.
  void on_failure(std::function<void()> on_failure) { on_failure_ = std::move(on_failure); }

  void take(const output_chunk& chunk);
  void take(const machine_outcome& x);

  /// Whether it wants to be shown how far the rollout is, while it runs.
  [[nodiscard]] bool wants_progress() const {
    return manners_.shows_progress || request_->is_verbose;
  }

  /// Draws the progress, and names who is slow, as far as this is wanted.
  void show(const rollout_progress& now);
  /// After the first Ctrl-C.
  void tell_what_is_left(const rollout_progress& now);
  void tell_who_runs(const rollout_progress& now);

  /// For the sudden end of the process, from any thread: no progress stays on the terminal.
  void leave_terminal() const;

  /// What is printed at the end.
  void finish(const rollout_summary& summary);

  [[nodiscard]] const rollout_account& account() const { return account_; }

  /// Why something could not be written, if so.
  [[nodiscard]] std::error_code error() const { return error_; }

  /// Whether the reader was too slow for some of it, and it had to stop.
  [[nodiscard]] bool was_cut() const { return screen_.was_cut(); }

  /// What could not be written then, for people.
  [[nodiscard]] std::string failed_place() const;

private:
  /// One machine that writes lines.
  struct writer {
    labelled_lines out;
    labelled_lines err;
    std::uint32_t attempt = 0;
    bool has_written = false;
  };

  [[nodiscard]] bool prints_lines() const;
  [[nodiscard]] bool gathers() const;
  void tell_who_is_slow(const rollout_progress& now);
  [[nodiscard]] std::string names_at(const std::vector<std::uint64_t>& places) const;
  writer& writer_of(std::size_t place, const machine& who);
  void print_lines(std::size_t place, const output_chunk& chunk);
  void end_lines(writer& x);
  void end_files(const machine_outcome& x);
  /// Says something about a machine, behind its name.
  void tell_of(std::size_t place, const machine& who, const std::string& text);
  void tell(const std::string& text);
  void write(output_stream stream, const std::string& lines);
  void keep(std::error_code error);
  [[nodiscard]] std::string label(std::size_t place, const machine& who, bool coloured) const;

  const rollout_request* request_;
  terminal_manners manners_;
  screen screen_;
  std::optional<output_files> files_;
  std::function<void()> on_failure_;
  std::error_code error_;
  std::chrono::steady_clock::time_point begun_at_ = std::chrono::steady_clock::now();
  std::map<std::size_t, writer> writers_;
  gathered_outputs gathered_;
  rollout_account account_;
  slow_machines slow_;
};

} // namespace sshexec::app
