#pragma once

#include "sshexec/ssh/file_descriptor.hpp"

#include <boost/test/tools/assertion_result.hpp>
#include <boost/test/tree/test_unit.hpp>
#include <fcntl.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

namespace sshexec::test {

/// The precondition of tests that open a pseudo-terminal, by themselves or through a server: where
/// none can be had, as in a container without devpts, they are skipped.
inline boost::test_tools::assertion_result needs_terminals(boost::unit_test::test_unit_id) {
  const ssh::file_descriptor master{::posix_openpt(O_RDWR | O_NOCTTY)};
  const char* name = master && ::unlockpt(master.get()) == 0 ? ::ptsname(master.get()) : nullptr;
  const ssh::file_descriptor terminal{name == nullptr ? -1 : ::open(name, O_RDWR | O_NOCTTY)};
  boost::test_tools::assertion_result result{static_cast<bool>(terminal)};
  result.message() << "no pseudo-terminal can be opened here";
  return result;
}

/// The precondition of tests that look a name up: a bare container has no hosts file.
inline boost::test_tools::assertion_result needs_hosts_file(boost::unit_test::test_unit_id) {
  std::ifstream file{"/etc/hosts"};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  boost::test_tools::assertion_result result{text.find("localhost") != std::string::npos};
  result.message() << "/etc/hosts does not name localhost";
  return result;
}

/// The precondition of tests that run a program which is not among the packages of the tests.
struct needs_program {
  std::string name;

  boost::test_tools::assertion_result operator()(boost::unit_test::test_unit_id) const {
    const std::string line = "command -v " + name + " > /dev/null";
    boost::test_tools::assertion_result result{std::system(line.c_str()) == 0};
    result.message() << "there is no " << name << " here";
    return result;
  }
};

} // namespace sshexec::test
