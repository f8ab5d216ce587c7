#include "sshexec/ssh/secret.hpp"

#include <string.h> // NOLINT(modernize-deprecated-headers): explicit_bzero is not C++'s.

namespace sshexec::ssh {

void wipe(std::string& text) {
  // What lies behind the end may have been text before.
  text.resize(text.capacity());
  ::explicit_bzero(text.data(), text.size());
  text.clear();
}

secret::secret(std::string text)
  : text_(new std::string(text), [](std::string* last) {
      wipe(*last);
      delete last;
    }) {
  wipe(text);
}

const std::string& secret::text() const {
  static const std::string none;
  return text_ ? *text_ : none;
}

bool weak_secret::is(const weak_secret& x) const {
  if (is_empty_ || x.is_empty_)
    return is_empty_ && x.is_empty_;
  const auto mine = text_.lock();
  const auto other = x.text_.lock();
  return mine && other && *mine == *other;
}

} // namespace sshexec::ssh
