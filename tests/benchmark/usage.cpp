#include "usage.hpp"

#include <malloc.h>
#include <sys/resource.h>
#include <sys/time.h>

#include <fstream>
#include <string>

namespace sshexec::bench {

namespace {

std::chrono::microseconds to_duration(const timeval& x) {
  return std::chrono::seconds{x.tv_sec} + std::chrono::microseconds{x.tv_usec};
}

usage usage_of(int whom) {
  rusage used{};
  ::getrusage(whom, &used);
  return {to_duration(used.ru_utime) + to_duration(used.ru_stime), used.ru_nvcsw + used.ru_nivcsw};
}

} // namespace

usage usage_now() {
  return usage_of(RUSAGE_SELF);
}

usage usage_of_other_threads() {
  return usage_of(RUSAGE_SELF) - usage_of(RUSAGE_THREAD);
}

std::int64_t private_memory() {
  ::malloc_trim(0);
  std::ifstream status{"/proc/self/smaps_rollup"};
  std::int64_t kilobytes = 0;
  for (std::string word; status >> word;) {
    if (word == "Private_Clean:" || word == "Private_Dirty:") {
      std::int64_t value = 0;
      status >> value;
      kilobytes += value;
    }
  }
  return kilobytes * 1024;
}

} // namespace sshexec::bench
