#include "journal_pipe.hpp"

#include "task.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace sshexec::soak {

journal_pipe::journal_pipe(const std::string& path) {
  if (::mkfifo(path.c_str(), S_IRUSR | S_IWUSR) != 0)
    throw std::system_error(errno, std::generic_category(), path);
  // Otherwise it would wait for the executor, and the executor for it.
  pipe_ = ssh::file_descriptor{::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
  ::fcntl(pipe_.get(), F_SETFL, O_RDONLY);
}

journal_pipe::~journal_pipe() {
  if (thread_.joinable())
    thread_.join();
}

void journal_pipe::start() {
  thread_ = std::thread{[this] { read_lines(); }};
}

void journal_pipe::expect(std::uint64_t first_task, std::uint64_t count) {
  const std::lock_guard lock{mutex_};
  first_task_ = first_task;
  seen_.assign(count, false);
  missing_ = count;
}

std::optional<std::string> journal_pipe::objection(std::chrono::seconds bound) {
  std::unique_lock lock{mutex_};
  changed_.wait_for(lock, bound, [this] { return missing_ == 0; });
  if (missing_ > 0)
    return std::to_string(missing_) + " commands have no line in the journal";
  return unexpected_;
}

void journal_pipe::read_lines() {
  std::array<char, 65'536> buffer{};
  std::string line;
  for (ssize_t size = 1; size > 0;) {
    size = ::read(pipe_.get(), buffer.data(), buffer.size());
    for (ssize_t i = 0; i < size; ++i) {
      line += buffer[static_cast<std::size_t>(i)];
      if (line.back() != '\n')
        continue;
      count(line);
      line.clear();
    }
  }
}

void journal_pipe::count(const std::string& line) {
  const auto number = number_in(line);
  const std::lock_guard lock{mutex_};
  const std::uint64_t place = number.value_or(0) - first_task_;
  if (!number || place >= seen_.size() || seen_[place]) {
    unexpected_ = "one line too many in the journal: " + line;
    return;
  }
  seen_[place] = true;
  if (--missing_ == 0)
    changed_.notify_all();
}

} // namespace sshexec::soak
