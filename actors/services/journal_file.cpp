#include "sshexec/actors/services/journal_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

namespace sshexec {

namespace {

namespace fs = std::filesystem;

ssh::file_descriptor open_file(const fs::path& path) {
  // Commands may hold secrets, whatever the umask says.
  return ssh::file_descriptor{
    ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR)};
}

[[noreturn]] void fail(const std::string& what) {
  spdlog::throw_spdlog_ex(what, errno);
}

bool is_same_file(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/// Whether the path is a name of the open file.
bool is_name_of(const fs::path& path, int file) {
  struct stat named {};

  struct stat opened {};

  return ::stat(path.c_str(), &named) == 0 && ::fstat(file, &opened) == 0
         && is_same_file(named, opened);
}

/// Whether the file has the new name, or was not there.
bool rename_file(const fs::path& from, const fs::path& to) {
  return ::rename(from.c_str(), to.c_str()) == 0 || errno == ENOENT;
}

} // namespace

journal_file::journal_file(fs::path path, std::uint64_t max_size, std::uint32_t max_files)
  : path_(std::move(path)), max_size_(max_size), max_files_(max_files), file_(open_file(path_)) {
  if (!file_)
    fail("cannot be opened");
}

void journal_file::reopen() {
  auto opened = open_file(path_);
  if (!opened)
    fail(path_.string() + " cannot be opened");
  is_torn_ = is_torn_ && is_name_of(path_, file_.get());
  file_ = std::move(opened);
}

void journal_file::sink_it_(const spdlog::details::log_msg& record) {
  spdlog::memory_buf_t line;
  formatter_->format(record, line);
  if (is_full(line.size()))
    rotate();
  write({line.data(), line.size()});
}

bool journal_file::is_full(std::size_t more) const {
  struct stat status {};

  // A pipe or a device takes what it takes.
  if (::fstat(file_.get(), &status) != 0 || !S_ISREG(status.st_mode))
    return false;
  // One that was removed, as by another process that rotates it, keeps no line.
  const bool is_removed = status.st_nlink == 0;
  return is_removed
         || (status.st_size > 0 && static_cast<std::uint64_t>(status.st_size) + more > max_size_);
}

void journal_file::rotate() {
  // Whoever else writes to this file finds it full, too. One of all renames it, and all others find
  // that its name is another file's by then.
  if (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0)
    return;
  const bool has_left = !is_name_of(path_, file_.get()) || make_room();
  auto opened = has_left ? open_file(path_) : ssh::file_descriptor{};
  ::flock(file_.get(), LOCK_UN);
  if (!opened)
    return;
  file_ = std::move(opened);
  is_torn_ = false;
}

bool journal_file::make_room() const {
  if (max_files_ == 0)
    return ::unlink(path_.c_str()) == 0;
  // Up to the first gap, which an earlier try may have left: no file is moved twice for nothing.
  std::uint32_t gap = 1;
  while (gap < max_files_ && fs::exists(old_file(gap)))
    ++gap;
  for (std::uint32_t age = gap - 1; age > 0; --age)
    if (!rename_file(old_file(age), old_file(age + 1)))
      return false;
  return rename_file(path_, old_file(1));
}

fs::path journal_file::old_file(std::uint32_t age) const {
  fs::path name = path_.stem();
  name += '.' + std::to_string(age);
  name += path_.extension();
  return path_.parent_path() / name;
}

void journal_file::write(std::string_view text) {
  // A line of its own for this one, too.
  const std::string behind_torn = is_torn_ ? '\n' + std::string{text} : std::string{};
  std::string_view rest = is_torn_ ? std::string_view{behind_torn} : text;
  while (!rest.empty()) {
    const auto written = ::write(file_.get(), rest.data(), rest.size());
    if (written > 0) {
      is_torn_ = true;
      rest.remove_prefix(static_cast<std::size_t>(written));
    } else if (written == 0 || errno != EINTR) {
      fail("a line cannot be written");
    }
  }
  is_torn_ = false;
}

} // namespace sshexec
