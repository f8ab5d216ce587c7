#pragma once

#include "sshexec/messages/output_chunk.hpp"
#include "sshexec/ssh/file_descriptor.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <system_error>

namespace sshexec::app {

/// A file name for any name: what might mean something to a shell or a file system is written as
/// in addresses of the web ("%2F"). Two names never have the same one.
std::string file_name_of(const std::string& name);

/// The output of many machines in a directory: NAME.stdout and NAME.stderr of each. Files are open
/// while their machine is at work.
class output_files {
public:
  /// Makes the directory, and throws a `std::system_error` that names it if it cannot.
  explicit output_files(std::filesystem::path directory);

  /// An attempt after the first begins the files anew.
  std::error_code write(const std::string& machine, output_stream stream, std::uint32_t attempt,
                        std::string_view data);

  /// The machine has written all. It has both files then, be they empty.
  std::error_code finish(const std::string& machine);

  /// What an earlier run may have left of the machine is not taken for its output. Throws a
  /// `std::system_error` that names the file if it cannot be removed.
  void remove(const std::string& machine) const;

  /// The machine writes no more, and gets no files if it has none.
  void close(const std::string& machine) { open_.erase(machine); }

  /// Which file could not be written, after an error.
  [[nodiscard]] const std::filesystem::path& failed_path() const { return failed_path_; }

private:
  struct files {
    std::uint32_t attempt = 0;
    std::array<ssh::file_descriptor, 2> streams;
  };

  /// Opens a machine's files, and empties what was there.
  std::error_code begin(const std::string& machine, files& x);

  [[nodiscard]] std::filesystem::path path_of(const std::string& machine, std::size_t stream) const;

  std::filesystem::path directory_;
  std::map<std::string, files> open_;
  std::filesystem::path failed_path_;
};

} // namespace sshexec::app
