#include "sshexec/actors/services/execution_journal.hpp"

#include "sshexec/actors/runtime/service_error.hpp"
#include "sshexec/actors/runtime/stderr_line.hpp"
#include "sshexec/actors/services/home.hpp"
#include "sshexec/actors/services/journal_file.hpp"
#include "sshexec/actors/services/journal_line.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/timestamp.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace sshexec {

namespace {

struct execution_journal_state {
  static inline const char* name = "sshexec.execution_journal";
};

/// Writes records as lines.
class line_writer {
public:
  /// Throws `spdlog::spdlog_ex` when the journal cannot be opened.
  explicit line_writer(const settings& config) : is_json_(config.journal_format == "json") {
    if (config.journal != "stderr")
      file_ = std::make_shared<journal_file>(expand_home(config.journal), config.journal_max_size,
                                             config.journal_max_files);
    spdlog::sink_ptr sink = file_;
    if (!file_)
      sink = std::make_shared<spdlog::sinks::stderr_sink_st>();
    logger_ = std::make_unique<spdlog::logger>("sshexec.journal", std::move(sink));
    logger_->set_formatter(std::make_unique<spdlog::pattern_formatter>("%v"));
    logger_->flush_on(spdlog::level::info);
    logger_->set_error_handler([this](const std::string& reason) { note_missing(reason); });
  }

  line_writer(const line_writer&) = delete;
  line_writer& operator=(const line_writer&) = delete;

  void write(const execution_record& x) {
    write_line(is_json_ ? to_json_line(x) : to_plain_line(x));
  }

  void write_notice(const std::string& text) {
    if (file_)
      write_line(is_json_ ? to_json_line(text, caf::make_timestamp())
                          : to_plain_line(text, caf::make_timestamp()));
  }

  void reopen() {
    try {
      if (file_)
        file_->reopen();
    } catch (const spdlog::spdlog_ex& reason) {
      print_to_stderr(std::string{"cannot reopen the journal: "} + reason.what());
    }
  }

private:
  void write_line(const std::string& line) {
    const auto missing = missing_;
    logger_->info(line);
    if (missing == 0 || missing_ != missing)
      return;
    print_to_stderr(
      fmt::format("the journal is written again; records that are missing: {}", missing));
    missing_ = 0;
  }

  /// A disk that is full would say so for each record.
  void note_missing(const std::string& reason) {
    if (missing_++ == 0)
      print_to_stderr("cannot write to the journal: " + reason);
  }

  bool is_json_;
  /// None: the journal is stderr.
  std::shared_ptr<journal_file> file_;
  std::unique_ptr<spdlog::logger> logger_;
  /// Records that could not be written since the last one that was.
  std::uint64_t missing_ = 0;
};

execution_journal_actor::behavior_type
execution_journal(execution_journal_actor::stateful_pointer<execution_journal_state>,
                  const std::shared_ptr<line_writer>& lines) {
  return {
    [lines](const execution_record& x) { lines->write(x); },
    [lines](reopen_atom) { lines->reopen(); },
    [lines](notice_atom, const std::string& text) { lines->write_notice(text); },
  };
}

} // namespace

caf::expected<execution_journal_actor> spawn_journal(caf::actor_system& system,
                                                     const settings& config) {
  if (config.journal == "none")
    return execution_journal_actor{};
  try {
    return system.spawn<caf::detached>(execution_journal, std::make_shared<line_writer>(config));
  } catch (const spdlog::spdlog_ex& reason) {
    return make_service_error(error_code::configuration_error,
                              "Journal " + config.journal + ": " + reason.what());
  }
}

} // namespace sshexec
