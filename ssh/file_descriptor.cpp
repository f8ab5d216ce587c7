#include "sshexec/ssh/file_descriptor.hpp"

#include <sys/resource.h>

#include <algorithm>

namespace sshexec::ssh {

bool is_one_of_the_last(int descriptor, std::uint64_t limit) {
  constexpr std::uint64_t most_kept_free = 64;
  const std::uint64_t kept_free = std::min(most_kept_free, limit / 8);
  return static_cast<std::uint64_t>(descriptor) >= limit - kept_free;
}

bool is_one_of_the_last(int descriptor) {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 && is_one_of_the_last(descriptor, limit.rlim_cur);
}

} // namespace sshexec::ssh
