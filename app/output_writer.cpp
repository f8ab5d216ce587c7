#include "sshexec/app/output_writer.hpp"

#include "sshexec/app/report.hpp"

#include <memory>
#include <utility>

namespace sshexec::app {

namespace {

class writing {
public:
  writing(output_writer_settings settings, output_account* account)
    : settings_(std::move(settings)), account_(account) {}

  /// Once it failed, drops the output: the command gets its chance to end in order.
  void take(const output_chunk& chunk) {
    if (has_failed_)
      return;
    settings_.on_output();
    if (chunk.attempt != attempt_ && !begin(chunk.attempt))
      return fail();
    const bool is_stdout = chunk.stream == output_stream::stdout_stream;
    const auto error = write_all(is_stdout ? STDOUT_FILENO : STDERR_FILENO, chunk.data,
                                 settings_.stop->descriptor());
    if (error == std::errc::operation_canceled)
      return;
    account_->error = error;
    if (error)
      return fail();
    (is_stdout ? account_->stdout_bytes : account_->stderr_bytes) += chunk.data.size();
  }

private:
  bool begin(std::uint32_t attempt) {
    attempt_ = attempt;
    if (account_->stdout_bytes + account_->stderr_bytes == 0)
      return true;
    account_->stdout_bytes = 0;
    account_->stderr_bytes = 0;
    account_->begun_anew = true;
    if (settings_.may_begin_anew)
      complain("the connection was lost: the command runs again, and its output begins anew");
    return settings_.may_begin_anew;
  }

  void fail() {
    has_failed_ = true;
    settings_.on_failure();
  }

  output_writer_settings settings_;
  output_account* account_;
  std::uint32_t attempt_ = 0;
  bool has_failed_ = false;
};

} // namespace

output_writer_actor::behavior_type output_writer(output_writer_actor::pointer,
                                                 output_writer_settings settings,
                                                 output_account* account) {
  auto state = std::make_shared<writing>(std::move(settings), account);
  return {
    [state](const output_chunk& chunk) { state->take(chunk); },
    // Messages are handled one after another.
    [](flush_atom) {},
  };
}

} // namespace sshexec::app
