#include "sshexec/ssh/proxy_programs.hpp"

#include "sshexec/ssh/child_process.hpp"
#include "sshexec/ssh/file_descriptor.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <iterator>
#include <list>
#include <mutex>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace sshexec::ssh {

namespace {

/// Of what a program writes to stderr, so many bytes are kept, the last ones.
constexpr std::size_t most_complaint = 1024;

/// So many pieces of it are read before others have their turn.
constexpr int most_reads = 16;

void set_blocking(int descriptor, bool blocks) {
  const int flags = ::fcntl(descriptor, F_GETFL);
  ::fcntl(descriptor, F_SETFL, blocks ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
}

std::string end_of(int status) {
  if (status != -1 && WIFEXITED(status))
    return "it ended with exit code " + std::to_string(WEXITSTATUS(status));
  if (status != -1 && WIFSIGNALED(status))
    return "it was ended by signal " + std::to_string(WTERMSIG(status));
  return "it ended";
}

/// The lines of a text as one, without what is blank at its end.
std::string in_one_line(std::string_view text) {
  std::string result;
  for (const char x : text.substr(0, text.find_last_not_of(" \t\r\n") + 1)) {
    if (x == '\n')
      result += "; ";
    else if (x != '\r')
      result += x;
  }
  return result;
}

/// A program, what it complains of, and the end of its stream that it has as well: held until its
/// end is noted, so that nobody finds the stream ended without a reason.
struct proxy_program {
  child_process process;
  file_descriptor errors;
  file_descriptor stream;
  std::shared_ptr<carrier_note> note;
  std::string complaint = {};

  /// All that can be read now, unless it is much.
  void read_errors() {
    std::array<char, 4096> buffer{};
    ssize_t got = 1;
    for (int i = 0; i < most_reads && got > 0; ++i) {
      got = ::read(errors.get(), buffer.data(), buffer.size());
      complaint.append(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
      if (complaint.size() > most_complaint)
        complaint.erase(0, complaint.size() - most_complaint);
    }
    if (got == 0)
      errors = {};
  }

  /// Whatever it left behind would keep the stream open.
  void note_end() {
    process.kill_group();
    const std::string end = end_of(process.wait());
    if (errors)
      read_errors();
    const std::string why = in_one_line(complaint);
    note->write({error_kind::dropped, why.empty() ? end : end + ": " + why});
  }
};

} // namespace

/// The thread that looks after programs.
class proxy_programs::keeper {
public:
  keeper() : news_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!news_)
      throw std::system_error(errno, std::system_category(), "eventfd");
    thread_ = std::thread{[this] { run(); }};
  }

  keeper(const keeper&) = delete;
  keeper& operator=(const keeper&) = delete;

  ~keeper() {
    {
      const std::lock_guard lock{mutex_};
      is_over_ = true;
    }
    ::eventfd_write(news_.get(), 1);
    thread_.join();
  }

  void keep(proxy_program program) {
    {
      const std::lock_guard lock{mutex_};
      arrived_.push_back(std::move(program));
    }
    ::eventfd_write(news_.get(), 1);
  }

private:
  void run() {
    std::list<proxy_program> programs;
    while (take_arrived(programs))
      serve(programs);
  }

  /// False when it is over.
  bool take_arrived(std::list<proxy_program>& programs) {
    const std::lock_guard lock{mutex_};
    programs.splice(programs.end(), arrived_);
    return !is_over_;
  }

  /// Waits for news, and lets go of those that have ended, or whose stream has.
  void serve(std::list<proxy_program>& programs) const {
    std::vector<pollfd> watched{{news_.get(), POLLIN, 0}};
    for (const proxy_program& x : programs) {
      watched.push_back({x.errors.get(), POLLIN, 0});
      watched.push_back({x.process.end().get(), POLLIN, 0});
      watched.push_back({x.stream.get(), 0, 0});
    }
    if (::poll(watched.data(), watched.size(), -1) < 0)
      return;
    eventfd_t count = 0;
    ::eventfd_read(news_.get(), &count);
    auto seen = watched.begin();
    for (auto i = programs.begin(); i != programs.end();) {
      const bool wrote = (++seen)->revents != 0;
      const bool has_ended = (++seen)->revents != 0;
      const bool is_abandoned = (++seen)->revents != 0;
      if (wrote)
        i->read_errors();
      if (has_ended)
        i->note_end();
      i = has_ended || is_abandoned ? programs.erase(i) : std::next(i);
    }
  }

  file_descriptor news_;
  std::mutex mutex_;
  std::list<proxy_program> arrived_;
  bool is_over_ = false;
  std::thread thread_;
};

proxy_programs::proxy_programs() = default;
proxy_programs::~proxy_programs() = default;

result<std::shared_ptr<carried_stream>> proxy_programs::start(const std::string& line) {
  const auto short_of = [](int code) {
    return tl::unexpected{
      error{is_shortage(code) ? error_kind::shortage : error_kind::file,
            "ProxyCommand cannot be started: " + std::system_category().message(code)}};
  };
  try {
    if (!keeper_)
      keeper_ = std::make_unique<keeper>();
  } catch (const std::system_error& reason) {
    return short_of(reason.code().value());
  }
  auto ends = make_socket_pair();
  if (!ends.first)
    return short_of(errno);
  auto errors = make_pipe();
  if (!errors.reading)
    return short_of(errno);
  set_blocking(ends.second.get(), true);
  set_blocking(errors.reading.get(), false);
  const char* shell = std::getenv("SHELL");
  auto process = child_process::start(
    {shell != nullptr && *shell != '\0' ? shell : "/bin/sh", "-c", "exec " + line},
    {ends.second.get(), ends.second.get(), errors.writing.get()});
  if (!process)
    return short_of(process.error());
  auto note = std::make_shared<carrier_note>();
  keeper_->keep({std::move(*process), std::move(errors.reading), std::move(ends.second), note});
  return std::make_shared<carried_stream>(
    carried_stream{std::move(ends.first), std::move(note), "ProxyCommand"});
}

} // namespace sshexec::ssh
