#define BOOST_TEST_MODULE sshexec fault tests
#include <boost/test/unit_test.hpp>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <thread>

namespace {

/// ThreadSanitizer starts a thread of its own with the first that a program starts. It has to be
/// there before a test counts threads.
struct first_thread {
  first_thread() {
    std::filesystem::path place;
    std::thread{[&place] { place = "/proc/self/task/" + std::to_string(::gettid()); }}.join();
    // The kernel counts a thread for a moment after it was joined.
    while (std::filesystem::exists(place))
      std::this_thread::yield();
  }
};

} // namespace

BOOST_TEST_GLOBAL_FIXTURE(first_thread);
