#pragma once

#include <sys/resource.h>

namespace sshexec::test {

/// Whatever this process opens meanwhile fails with EMFILE.
class no_descriptors_left {
public:
  no_descriptors_left() {
    ::getrlimit(RLIMIT_NOFILE, &former_);
    const rlimit none{0, former_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
  }

  no_descriptors_left(const no_descriptors_left&) = delete;
  no_descriptors_left& operator=(const no_descriptors_left&) = delete;

  ~no_descriptors_left() { ::setrlimit(RLIMIT_NOFILE, &former_); }

private:
  rlimit former_{};
};

} // namespace sshexec::test
