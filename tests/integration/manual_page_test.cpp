#include "preconditions.hpp"
#include "sshexec/testing/process.hpp"
#include "sshexec/testing/temporary_directory.hpp"

#include <boost/test/unit_test.hpp>

#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

using namespace sshexec;
using namespace sshexec::test;

namespace {

/// What a shell command line prints, in which $tool is the program; it must succeed.
std::string printed(const std::string& line) {
  const testing::temporary_directory directory;
  const std::string file = directory.path() / "out";
  testing::require_program(
    {"/bin/sh", "-c", "tool='" SSHEXEC_TOOL "'; { " + line + "; } > '" + file + "' 2>&1"});
  std::ifstream stream{file};
  return {std::istreambuf_iterator<char>{stream}, {}};
}

std::set<std::string> long_options_of(const std::string& text) {
  const std::regex option{"(^|[ ,])(--[a-z][a-z-]*)"};
  std::set<std::string> result;
  for (std::sregex_iterator i{text.begin(), text.end(), option}, end; i != end; ++i)
    result.insert((*i)[2]);
  return result;
}

} // namespace

BOOST_AUTO_TEST_SUITE(the_tools_page_of_the_manual,
                      *boost::unit_test::precondition(needs_program{"groff"}))

BOOST_AUTO_TEST_CASE(has_every_option_of_the_help) {
  const auto of_page = long_options_of(printed("$tool manual | groff -man -Tascii -P-c -P-b -P-u"));
  const auto of_help = long_options_of(
    printed("$tool --help; for i in run demo serve authority; do $tool $i --help; done"));
  BOOST_TEST(of_help.size() > 50U);
  for (const std::string& option : of_help)
    BOOST_TEST(of_page.contains(option), option);
}

BOOST_AUTO_TEST_CASE(is_nothing_that_groff_would_warn_of) {
  BOOST_TEST(printed("$tool manual | groff -ww -man -Tutf8 -z") == "");
}

BOOST_AUTO_TEST_SUITE_END()
