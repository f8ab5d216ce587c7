#include "sshexec/app/run/standard_input.hpp"

#include <caf/sec.hpp>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <utility>

namespace sshexec::app {

namespace {

constexpr std::size_t max_piece = std::size_t{256} << 10;

/// What goes with the command is kept as long as it runs.
constexpr std::size_t max_fed = std::size_t{1} << 20;

/// Whether it is a pipe without a name: one with a name that is opened anew does not tell that its
/// writers are gone already.
bool is_pipe(int descriptor) {
  struct statfs where {};

  return ::fstatfs(descriptor, &where) == 0 && where.f_type == PIPEFS_MAGIC;
}

} // namespace

standard_input::standard_input() {
  // Others may read the same pipe or terminal, and take what made it readable: a read must not wait
  // then. Only a description of our own can be non-blocking without theirs being so.
  if (::isatty(STDIN_FILENO) == 1 || is_pipe(STDIN_FILENO))
    own_ = ssh::file_descriptor{
      ::open("/proc/self/fd/0", O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)};
}

bool standard_input::is_ours() {
  // nohup(1) opens it for writing alone.
  if ((::fcntl(STDIN_FILENO, F_GETFL) & O_ACCMODE) == O_WRONLY)
    return false;
  return ::isatty(STDIN_FILENO) == 0 || ::tcgetpgrp(STDIN_FILENO) == ::getpgrp();
}

tl::expected<std::string, std::error_code> standard_input::read(const stop_switch& stop) const {
  return read_some(descriptor(), max_piece, stop.descriptor());
}

std::error_code standard_input::feed(command& what) const {
  stop_switch without_waiting;
  without_waiting.set();
  what.stdin_open = true;
  while (what.stdin_open && what.stdin_data.size() < max_fed) {
    const auto data = read(without_waiting);
    if (!data)
      return data.error() == std::errc::operation_canceled ? std::error_code{} : data.error();
    what.stdin_data += *data;
    what.stdin_open = !data->empty();
  }
  return {};
}

input_reader_actor::behavior_type input_reader(input_reader_actor::pointer,
                                               const standard_input* input, const stop_switch* stop,
                                               std::error_code* error) {
  return {
    [=](read_atom) -> caf::result<std::string> {
      auto data = input->read(*stop);
      if (data)
        return std::move(*data);
      if (data.error() != std::errc::operation_canceled)
        *error = data.error();
      return caf::sec::runtime_error;
    },
  };
}

} // namespace sshexec::app
