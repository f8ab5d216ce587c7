#include "sshexec/testing/wake_event.hpp"

#include <sys/eventfd.h>

#include <system_error>

namespace sshexec::testing {

wake_event::wake_event() : event_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (!event_)
    throw std::system_error(errno, std::system_category(), "eventfd");
}

void wake_event::notify() const {
  ::eventfd_write(event_.get(), 1);
}

void wake_event::clear() const {
  eventfd_t ignored = 0;
  ::eventfd_read(event_.get(), &ignored);
}

} // namespace sshexec::testing
