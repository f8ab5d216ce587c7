#include "sshexec/actors/services/execution_journal.hpp"

#include "sshexec/actors/runtime/service_error.hpp"
#include "sshexec/actors/services/home.hpp"
#include "sshexec/actors/services/journal_line.hpp"
#include "sshexec/ssh/file_descriptor.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <fcntl.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <sys/stat.h>

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

void reopen(spdlog::logger& logger, const settings& config) {
  try {
    auto sink = open_sink(config);
    sink->set_formatter(std::make_unique<spdlog::pattern_formatter>("%v"));
    logger.sinks().front() = std::move(sink);
  } catch (const spdlog::spdlog_ex& reason) {
    std::fprintf(stderr, "sshexec: cannot reopen the journal: %s\n", reason.what());
  }
}

execution_journal_actor::behavior_type
execution_journal(execution_journal_actor::stateful_pointer<execution_journal_state>,
                  const std::shared_ptr<spdlog::logger>& logger, const settings& config) {
  const line_formatter to_line = config.journal_format == "json" ? to_json_line : to_plain_line;
  return {
    [logger, to_line](const execution_record& x) { logger->info(to_line(x)); },
    [logger, config](reopen_atom) { reopen(*logger, config); },
  };
}

} // namespace

caf::expected<execution_journal_actor> spawn_journal(caf::actor_system& system,
                                                     const settings& config) {
  if (config.journal == "none")
    return execution_journal_actor{};
  try {
    return system.spawn<caf::detached>(execution_journal, make_logger(open_sink(config)), config);
  } catch (const spdlog::spdlog_ex& reason) {
    return make_service_error(error_code::configuration_error,
                              "Journal " + config.journal + ": " + reason.what());
  }
}

} // namespace sshexec
