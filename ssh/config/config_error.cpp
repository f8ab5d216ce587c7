#include "sshexec/ssh/config/config_error.hpp"

#include <utility>

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

tl::unexpected<config_error> config_failure(config_place place, std::string reason) {
  return tl::unexpected{config_error{std::move(place), std::move(reason)}};
}

} // namespace sshexec::ssh
