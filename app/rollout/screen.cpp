#include "sshexec/app/rollout/screen.hpp"

#include <sys/ioctl.h>

#include <utility>

namespace sshexec::app {

namespace {

/// To the line's begin, and erase to its end (ECMA-48 §8.3.41).
constexpr const char* erased_line = "\r\x1b[K";

} // namespace

std::error_code screen::write(output_stream stream, std::string_view lines) {
  erase();
  const auto error
    = write_all(stream == output_stream::stdout_stream ? out_ : err_, lines, stop_->descriptor());
  if (error != std::errc::operation_canceled)
    return error;
  was_cut_ = true;
  return {};
}

void screen::show(const std::string& line) {
  draw(erased_line + line);
  is_shown_ = true;
}

void screen::erase() {
  if (std::exchange(is_shown_, false))
    draw(erased_line);
}

void screen::leave() const {
  // For good: it is never unlocked.
  drawing_->lock();
  put(erased_line);
}

std::size_t screen::width() const {
  constexpr std::size_t usual = 80;
  winsize size{};
  const bool is_known = ::ioctl(err_, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return is_known ? size.ws_col : usual;
}

void screen::draw(const std::string& text) const {
  const std::lock_guard guard{*drawing_};
  put(text);
}

void screen::put(const std::string& text) const {
  stop_switch without_waiting;
  without_waiting.set();
  write_all(err_, text, without_waiting.descriptor());
}

} // namespace sshexec::app
