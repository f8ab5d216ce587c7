#include "sshexec/app/descriptors.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>

namespace sshexec::app {

namespace {

std::error_code last_error() {
  return {errno, std::system_category()};
}

/// Returns when the descriptor is ready, or in error, which the next call on it tells.
std::error_code wait_for(int descriptor, short events, int stop) {
  std::array<pollfd, 2> watched{{{descriptor, events, 0}, {stop, POLLIN, 0}}};
  while (::poll(watched.data(), watched.size(), -1) < 0) {
    if (errno != EINTR)
      return last_error();
  }
  if (watched[0].revents == 0)
    return std::make_error_code(std::errc::operation_canceled);
  return {};
}

bool is_passing(int error) {
  return error == EAGAIN || error == EINTR;
}

} // namespace

stop_switch::stop_switch() : event_(::eventfd(0, EFD_CLOEXEC)) {
  if (!event_)
    throw std::system_error(last_error(), "eventfd");
}

void stop_switch::set() const {
  constexpr std::uint64_t one = 1;
  [[maybe_unused]] const auto size = ::write(event_.get(), &one, sizeof(one));
}

void occupy_standard_descriptors() {
  // The lowest descriptor that is free is taken. What is said on a stderr that is not there is for
  // nobody; output that goes nowhere is an error.
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(descriptor, F_GETFD) < 0)
      ::open("/dev/null", descriptor == STDERR_FILENO ? O_WRONLY : O_RDONLY);
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return;
  limit.rlim_cur = limit.rlim_max;
  // As many as there were before will do where the kernel allows no more.
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

std::error_code write_all(int descriptor, std::string_view data, int stop) {
  while (!data.empty()) {
    if (const auto error = wait_for(descriptor, POLLOUT, stop))
      return error;
    // A pipe that is writable has room for so much (pipe(7)), so the call does not wait.
    const auto written
      = ::write(descriptor, data.data(), std::min(data.size(), std::size_t{PIPE_BUF}));
    if (written >= 0)
      data.remove_prefix(static_cast<std::size_t>(written));
    else if (!is_passing(errno))
      return last_error();
  }
  return {};
}

tl::expected<std::string, std::error_code> read_some(int descriptor, std::size_t size, int stop) {
  std::string data(size, '\0');
  while (true) {
    if (const auto error = wait_for(descriptor, POLLIN, stop))
      return tl::unexpected{error};
    const auto got = ::read(descriptor, data.data(), data.size());
    if (got >= 0) {
      data.resize(static_cast<std::size_t>(got));
      return data;
    }
    if (!is_passing(errno))
      return tl::unexpected{last_error()};
  }
}

} // namespace sshexec::app
