#pragma once

#include "sshexec/ssh/file_descriptor.hpp"

#include <spdlog/details/null_mutex.h>
#include <spdlog/sinks/base_sink.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string_view>

namespace sshexec {

/// A file that only ever grows, and goes by another name when it is full: "journal.log" becomes
/// "journal.1.log", that one "journal.2.log", and so on. No line that was written is lost, but for
/// those of the oldest file. Where a file cannot be renamed or opened, the one at hand is written
/// on, and the next line tries again. Several processes may write to one file.
class journal_file final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
public:
  /// Throws `spdlog::spdlog_ex` when the file cannot be opened.
  journal_file(std::filesystem::path path, std::uint64_t max_size, std::uint32_t max_files);

  /// Goes on in the file that has the name now. Throws `spdlog::spdlog_ex` and stays with the one
  /// at hand when that cannot be opened.
  void reopen();

private:
  /// Throws `spdlog::spdlog_ex` when the line cannot be written.
  void sink_it_(const spdlog::details::log_msg& record) override;

  void flush_() override {}

  /// Whether the file is to be rotated before it takes so many bytes more.
  [[nodiscard]] bool is_full(std::size_t more) const;
  void rotate();
  /// Gives each old file the name of the next older one; false when one cannot have it.
  [[nodiscard]] bool make_room() const;
  [[nodiscard]] std::filesystem::path old_file(std::uint32_t age) const;
  void write(std::string_view text);

  std::filesystem::path path_;
  std::uint64_t max_size_;
  std::uint32_t max_files_;
  ssh::file_descriptor file_;
  /// Only a part of the last line was taken.
  bool is_torn_ = false;
};

} // namespace sshexec
