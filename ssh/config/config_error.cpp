#include "sshexec/ssh/config/config_error.hpp"

namespace sshexec::ssh {

std::string to_text(const config_error& x) {
  const config_place& place = x.place;
  std::string result;
  if (!place.file.empty())
    result = place.file + (place.line != 0 ? ':' + std::to_string(place.line) : "") + ": ";
  else if (!place.keyword.empty())
    result = "-o ";
  if (!place.keyword.empty())
    result += place.keyword + ": ";
  return result + x.reason;
}

} // namespace sshexec::ssh
