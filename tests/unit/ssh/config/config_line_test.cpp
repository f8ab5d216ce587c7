#include "sshexec/ssh/config/config_line.hpp"
#include "sshexec/ssh/config/match_rule.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace {

using namespace sshexec;

/// The keyword and the arguments with '|' between them, or what is wrong.
std::string split(const std::string& text) {
  const auto line = ssh::parse_config_line(text, {"file", 7, {}});
  if (!line)
    return to_text(line.error());
  if (!*line)
    return "nothing";
  std::string result = (*line)->keyword;
  for (const std::string& x : (*line)->arguments)
    result += '|' + x;
  return result;
}

struct line_case {
  std::string text;
  std::string expected;
};

const std::vector<line_case> line_cases{
  {"Port 22", "port|22"},
  {"  \t Port \t 22 \t ", "port|22"},
  {"Port=22", "port|22"},
  {"Port = 22", "port|22"},
  {"Port= 22", "port|22"},
  {"Port =22", "port|22"},
  {"Port == 22", "port|=|22"},
  {"PORT 22\r", "port|22"},
  {"Port 22\f", "port|22"},
  {"\"Port\" 22", "port|22"},
  {"Host a b  c", "host|a|b|c"},
  {"User \"a b\" c", "user|a b|c"},
  {"User 'a b'c", "user|a bc"},
  {"User a\\ b", "user|a b"},
  {R"(User "a \"b\" c")", R"(user|a "b" c)"},
  {R"(User a\\b\c)", R"(user|a\b\c)"},
  {R"(User DOMAIN\me)", R"(user|DOMAIN\me)"},
  {"User \"\"", "user|"},
  {"User a # b", "user|a"},
  {"User a#b", "user|a#b"},
  {"User \"# a\"", "user|# a"},
  {"User # a", "user"},
  {"SetEnv A=b C=\"d e\"", "setenv|A=b|C=d e"},
  {"", "nothing"},
  {"  \t", "nothing"},
  {"# Port 22", "nothing"},
  {"   #\"Port", "nothing"},
  {"Port", "file:7: Port: an argument is missing"},
  {"Port=", "file:7: Port: an argument is missing"},
  {"User \"a", "file:7: User: a quotation does not end"},
  {"User 'a", "file:7: User: a quotation does not end"},
  {"User \"a\\\"", "file:7: User: a quotation does not end"},
  {"\"Port 22", "file:7: a keyword is missing"},
  {"= 22", "file:7: a keyword is missing"},
  {std::string{"User a\0b", 8}, "file:7: the line holds a byte of value 0"}};

/// Conditions as "!subject(argument)", or what is wrong.
std::string match(const std::string& rest) {
  static const std::vector<std::string> names{"all",  "canonical", "final", "host",  "originalhost",
                                              "user", "localuser", "exec",  "tagged"};
  const auto criteria = ssh::parse_match(rest);
  if (!criteria)
    return criteria.error();
  std::string result;
  for (const ssh::match_criterion& x : *criteria)
    result += (result.empty() ? "" : " ") + std::string{x.is_negated ? "!" : ""}
              + names.at(static_cast<std::size_t>(x.subject)) + '(' + x.argument + ')';
  return result;
}

const std::vector<line_case> match_cases{
  {"all", "all()"},
  {"ALL # or not", "all()"},
  {"!all", "!all()"},
  {"final all", "final() all()"},
  {"host a,b", "host(a,b)"},
  {"host=a user = b", "host(a) user(b)"},
  {"!host a !final", "!host(a) !final()"},
  {"exec \"test -f /x # y\" localuser me", "exec(test -f /x # y) localuser(me)"},
  {"originalhost a # user b", "originalhost(a)"},
  {"tagged x", "tagged(x)"},
  {"host a all", "host(a) all()"},
  {"host a user b all", "'all' stands alone, or behind canonical or final"},
  {"all host a", "'all' stands alone, or behind canonical or final"},
  {"host", "'host' needs an argument"},
  {"host # a", "'host' needs an argument"},
  {"host \"\"", "'host' needs an argument"},
  {"# host a", "a condition is missing"},
  {"host a = = b", "there is too much at the end of the line"},
  {"localnetwork 10.0.0.0/8",
   "'localnetwork' is none of all, canonical, final, host, originalhost, user, localuser, exec, "
   "tagged"}};

} // namespace

BOOST_AUTO_TEST_SUITE(config_line_test)

BOOST_AUTO_TEST_CASE(a_line_is_split_as_ssh_does) {
  for (const line_case& x : line_cases)
    BOOST_TEST(split(x.text) == x.expected, x.text << " -> " << split(x.text));
}

BOOST_AUTO_TEST_CASE(the_rest_of_a_line_stays_as_it_was_written) {
  const auto line = ssh::parse_config_line("ProxyCommand  nc \"%h\"  %p # x ", {});
  BOOST_REQUIRE((line && *line));
  BOOST_TEST((*line)->rest == "nc \"%h\"  %p # x");
}

BOOST_AUTO_TEST_CASE(lines_are_numbered) {
  const auto lines = ssh::parse_config("# one\n\nHost a\n  Port 1\n\nPort 2", "file");
  BOOST_REQUIRE(lines);
  BOOST_REQUIRE(lines->size() == 3U);
  BOOST_TEST(lines->at(0).place.line == 3U);
  BOOST_TEST(lines->at(1).place.line == 4U);
  BOOST_TEST(lines->at(2).place.line == 6U);
  BOOST_TEST(lines->at(2).place.file == "file");
  BOOST_TEST(lines->at(2).place.keyword == "Port");
}

BOOST_AUTO_TEST_CASE(the_line_of_an_error_is_told) {
  const auto lines = ssh::parse_config("Port 1\nUser 'a\n", "file");
  BOOST_REQUIRE(!lines);
  BOOST_TEST(to_text(lines.error()) == "file:2: User: a quotation does not end");
}

BOOST_AUTO_TEST_CASE(conditions_of_a_match_are_split_as_ssh_does) {
  for (const line_case& x : match_cases)
    BOOST_TEST(match(x.text) == x.expected, x.text << " -> " << match(x.text));
}

BOOST_AUTO_TEST_SUITE_END()
