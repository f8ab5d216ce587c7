#include "sshexec/ssh/error.hpp"

#include <cerrno>
#include <system_error>

namespace sshexec::ssh {

namespace {

error_kind kind_of(int code) {
  switch (code) {
    case ECONNREFUSED:
      return error_kind::refused;
    case ETIMEDOUT:
      return error_kind::timed_out;
    case ECONNRESET:
    case ECONNABORTED:
    case ENETRESET:
    case EPIPE:
      return error_kind::dropped;
    default:
      // No route, no address of ours, no permission, no descriptor left: no way to the host now.
      return error_kind::unreachable;
  }
}

} // namespace

error from_errno(int code) {
  return {kind_of(code), std::system_category().message(code)};
}

bool is_shortage(int code) {
  switch (code) {
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
    case EAGAIN:
    case EIO:
      return true;
    default:
      return false;
  }
}

error_kind file_error_kind(int code) {
  return is_shortage(code) ? error_kind::shortage : error_kind::file;
}

} // namespace sshexec::ssh
