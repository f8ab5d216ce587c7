#include "sshexec/actors/execution_journal.hpp"

#include "sshexec/actors/escape.hpp"
#include "sshexec/actors/home.hpp"
#include "sshexec/actors/service_error.hpp"
#include "sshexec/ssh/file_descriptor.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <fcntl.h>
#include <fmt/chrono.h>
#include <nlohmann/json.hpp>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <sys/stat.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

namespace sshexec {

namespace {

using line_formatter = std::string (*)(const execution_record&);

struct execution_journal_state {
  static inline const char* name = "sshexec.execution_journal";
};

/// ISO 8601, in UTC, with milliseconds.
std::string to_iso_string(caf::timestamp time) {
  using namespace std::chrono;
  const auto milliseconds_part = duration_cast<milliseconds>(time - floor<seconds>(time)).count();
  return fmt::format("{:%FT%T}.{:03}Z", fmt::gmtime(system_clock::to_time_t(floor<seconds>(time))),
                     milliseconds_part);
}

std::string to_outcome(const execution_record& x) {
  return x.outcome == error_code::none ? "ok" : to_string(x.outcome);
}

double to_milliseconds(caf::timespan duration) {
  return std::chrono::duration<double, std::milli>{duration}.count();
}

/// How the remote command ended, for the one that did.
std::string to_exit_field(const execution_record& x) {
  if (x.outcome != error_code::none)
    return {};
  if (!x.exit_signal.empty())
    return fmt::format(" signal=\"{}\"", escape(x.exit_signal));
  return fmt::format(" exit={}", x.exit_code);
}

std::string to_message_field(const execution_record& x) {
  return x.message.empty() ? std::string{} : fmt::format(" message=\"{}\"", escape(x.message));
}

std::string to_plain_line(const execution_record& x) {
  return fmt::format("{} id=\"{}\" machine=\"{}\" outcome={}{} duration_ms={:.3f} attempts={} "
                     "reused={}{} command=\"{}\"",
                     to_iso_string(x.time), escape(x.machine.id), escape(to_address(x.machine)),
                     to_outcome(x), to_exit_field(x), to_milliseconds(x.duration), x.attempts,
                     x.reused_connection, to_message_field(x), escape(x.command_line));
}

std::string to_json_line(const execution_record& x) {
  nlohmann::ordered_json line{
    {"time", to_iso_string(x.time)},
    {"id", escape(x.machine.id)},
    {"machine", escape(to_address(x.machine))},
    {"outcome", to_outcome(x)},
    {"duration_ms", to_milliseconds(x.duration)},
    {"attempts", x.attempts},
    {"reused", x.reused_connection},
  };
  if (x.outcome == error_code::none && x.exit_signal.empty())
    line["exit"] = x.exit_code;
  if (!x.exit_signal.empty())
    line["signal"] = escape(x.exit_signal);
  if (!x.message.empty())
    line["message"] = escape(x.message);
  line["command"] = escape(x.command_line);
  return line.dump();
}

/// Creates the file before spdlog does, which would leave its mode to the umask.
void create_private_file(const spdlog::filename_t& file) {
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path{file}.parent_path(), ignored);
  const ssh::file_descriptor created{
    ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR)};
}

/// Throws `spdlog::spdlog_ex` when the file cannot be opened.
spdlog::sink_ptr open_sink(const settings& config) {
  if (config.journal == "stderr")
    return std::make_shared<spdlog::sinks::stderr_sink_st>();
  spdlog::file_event_handlers handlers;
  handlers.before_open = create_private_file;
  return std::make_shared<spdlog::sinks::rotating_file_sink_st>(
    expand_home(config.journal).string(), config.journal_max_size, config.journal_max_files, false,
    handlers);
}

std::shared_ptr<spdlog::logger> make_logger(spdlog::sink_ptr sink) {
  auto logger = std::make_shared<spdlog::logger>("sshexec.journal", std::move(sink));
  logger->set_formatter(std::make_unique<spdlog::pattern_formatter>("%v"));
  logger->flush_on(spdlog::level::info);
  logger->set_error_handler([told = false](const std::string& reason) mutable {
    if (!std::exchange(told, true))
      std::fprintf(stderr, "sshexec: cannot write to the journal: %s\n", reason.c_str());
  });
  return logger;
}

journal_actor::behavior_type
execution_journal(journal_actor::stateful_pointer<execution_journal_state>,
                  std::shared_ptr<spdlog::logger> logger, line_formatter to_line) {
  return {
    [logger = std::move(logger), to_line](const execution_record& x) { logger->info(to_line(x)); },
  };
}

journal_actor::behavior_type
silent_journal(journal_actor::stateful_pointer<execution_journal_state>) {
  return {[](const execution_record&) {}};
}

} // namespace

caf::expected<journal_actor> spawn_journal(caf::actor_system& system, const settings& config) {
  if (config.journal == "none")
    return system.spawn(silent_journal);
  const auto to_line = config.journal_format == "json" ? to_json_line : to_plain_line;
  try {
    return system.spawn<caf::detached>(execution_journal, make_logger(open_sink(config)), to_line);
  } catch (const spdlog::spdlog_ex& reason) {
    return make_service_error(error_code::configuration_error,
                              "Journal " + config.journal + ": " + reason.what());
  }
}

} // namespace sshexec
