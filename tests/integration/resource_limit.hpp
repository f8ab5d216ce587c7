#pragma once

#include <sys/resource.h>

namespace sshexec::test {

/// Lowers a soft limit of this process for a while (setrlimit(2)).
class resource_limit {
public:
  using resource = decltype(RLIMIT_NOFILE);

  resource_limit(resource what, rlim_t limit) : what_(what) {
    ::getrlimit(what_, &former_);
    const rlimit lower{limit, former_.rlim_max};
    ::setrlimit(what_, &lower);
  }

  resource_limit(const resource_limit&) = delete;
  resource_limit& operator=(const resource_limit&) = delete;

  ~resource_limit() { ::setrlimit(what_, &former_); }

private:
  resource what_;
  rlimit former_{};
};

} // namespace sshexec::test
