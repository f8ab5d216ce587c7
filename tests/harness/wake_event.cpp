#include "sshexec/testing/wake_event.hpp"

#include <sys/eventfd.h>

#include <system_error>

namespace sshexec::testing {

namespace {

ssh::file_descriptor make_event() {
  return ssh::file_descriptor{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
}

} // namespace

wake_event::wake_event() : event_(make_event()) {
  if (!event_)
    throw std::system_error(errno, std::system_category(), "eventfd");
}

std::optional<wake_event> wake_event::make() {
  auto event = make_event();
  if (!event)
    return std::nullopt;
  return wake_event{std::move(event)};
}

void wake_event::notify() const {
  ::eventfd_write(event_.get(), 1);
}

void wake_event::clear() const {
  eventfd_t ignored = 0;
  ::eventfd_read(event_.get(), &ignored);
}

} // namespace sshexec::testing
