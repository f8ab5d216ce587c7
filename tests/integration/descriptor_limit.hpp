#pragma once

#include <sys/resource.h>

namespace sshexec::test {

/// This process gets no descriptor with this number or a higher one meanwhile, but EMFILE.
class descriptor_limit {
public:
  explicit descriptor_limit(rlim_t limit) {
    ::getrlimit(RLIMIT_NOFILE, &former_);
    const rlimit lower{limit, former_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &lower);
  }

  descriptor_limit(const descriptor_limit&) = delete;
  descriptor_limit& operator=(const descriptor_limit&) = delete;

  ~descriptor_limit() { ::setrlimit(RLIMIT_NOFILE, &former_); }

private:
  rlimit former_{};
};

} // namespace sshexec::test
