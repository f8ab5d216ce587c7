#include "sshexec/actors/fleet/expand_line.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace sshexec;

namespace {

machine some_machine() {
  machine result;
  result.hostname = "web-7";
  result.port = 2222;
  result.username = "admin";
  return result;
}

struct expansion {
  std::string line;
  std::string wanted;
};

const std::vector<expansion> table{
  {"uptime", "uptime"},
  {"%h", "web-7"},
  {"%u@%h:%p is %n", "admin@web-7:2222 is 3"},
  {"100%%", "100%"},
  {"%%h", "%h"},
  {"%%%h%%", "%web-7%"},
  {"", ""},
};

} // namespace

BOOST_AUTO_TEST_SUITE(expand_line_test)

BOOST_AUTO_TEST_CASE(each_token_is_replaced) {
  for (const expansion& x : table) {
    BOOST_TEST(!complaint_about_tokens(x.line));
    BOOST_TEST(expand_line(x.line, some_machine(), 3) == x.wanted);
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_token_is_told_with_its_place) {
  BOOST_TEST(complaint_about_tokens("date +%s").value()
             == "'%s' at character 7 of the command is none of %h %u %p %n %%");
  BOOST_TEST(complaint_about_tokens("%h %").value()
             == "'%' at character 4 of the command is none of %h %u %p %n %%");
  BOOST_TEST(complaint_about_tokens("%%%x").has_value());
}

BOOST_AUTO_TEST_CASE(a_machine_without_a_port_has_the_usual_one) {
  machine target = some_machine();
  target.port = 0;
  BOOST_TEST(expand_line("%p", target, 1) == "22");
}

BOOST_AUTO_TEST_CASE(a_value_is_not_expanded_again) {
  machine target = some_machine();
  target.hostname = "%u";
  BOOST_TEST(expand_line("%h", target, 1) == "%u");
}

BOOST_AUTO_TEST_SUITE_END()
