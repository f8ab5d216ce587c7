#include "shown_options.hpp"
#include "sshexec/ssh/config/config_values.hpp"
#include "sshexec/ssh/config/jump_list.hpp"
#include "sshexec/ssh/pattern.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace {

using namespace sshexec;

struct value_case {
  std::string text;
  std::string expected;
};

std::string seconds(const std::string& text) {
  const auto value = ssh::to_seconds(text);
  return value ? std::to_string(value->count()) : "error";
}

std::string bytes(const std::string& text) {
  const auto value = ssh::to_bytes(text);
  return value ? std::to_string(*value) : "error";
}

std::string count(const std::string& text) {
  const auto value = ssh::to_count(text);
  return value ? std::to_string(*value) : "error";
}

std::string port(const std::string& text) {
  const auto value = ssh::to_port(text);
  return value ? std::to_string(*value) : "error";
}

std::string flag(const std::string& text) {
  const auto value = ssh::to_flag(text);
  return value ? (*value ? "yes" : "no") : "error";
}

std::string jumps(const std::string& text) {
  const auto value = ssh::parse_jumps(text);
  return value ? test::to_text(*value) : "error";
}

void check(std::string (*read)(const std::string&), const std::vector<value_case>& cases) {
  for (const value_case& x : cases)
    BOOST_TEST(read(x.text) == x.expected, x.text << " -> " << read(x.text));
}

struct pattern_case {
  std::string text;
  std::string pattern;
  bool matches = true;
};

} // namespace

BOOST_AUTO_TEST_SUITE(config_values_test)

BOOST_AUTO_TEST_CASE(times_are_read_as_sshd_config_says) {
  check(seconds, {{"0", "0"},
                  {"90", "90"},
                  {"90s", "90"},
                  {"1h30m", "5400"},
                  {"1H30M", "5400"},
                  {"1w2d", "777600"},
                  {"10m5", "605"},
                  {"2147483647", "2147483647"},
                  {"2147483648", "error"},
                  {"3551w", "error"},
                  {"2147483647s1", "error"},
                  {"", "error"},
                  {"-1", "error"},
                  {"m", "error"},
                  {"1x", "error"},
                  {"1 m", "error"}});
}

BOOST_AUTO_TEST_CASE(numbers_of_bytes_have_units) {
  check(bytes, {{"0", "0"},
                {"16", "16"},
                {"1K", "1024"},
                {"2m", "2097152"},
                {"1G", "1073741824"},
                {"1.5G", "1610612736"},
                {"1.5", "1"},
                {"1b", "1"},
                {"7E", "8070450532247928832"},
                {"8E", "error"},
                {"9223372036854775808", "error"},
                {"1KB", "error"},
                {"1x", "error"},
                {"-1", "error"},
                {"", "error"},
                {"K", "error"}});
}

BOOST_AUTO_TEST_CASE(numbers_ports_and_flags_have_their_bounds) {
  check(count, {{"0", "0"},
                {"2147483647", "2147483647"},
                {"2147483648", "error"},
                {"-1", "error"},
                {"1a", "error"},
                {"", "error"},
                {"0x10", "error"}});
  check(port, {{"1", "1"},
               {"65535", "65535"},
               {"0", "error"},
               {"65536", "error"},
               {"ssh", "error"},
               {"", "error"},
               {"99999999999999999999", "error"}});
  check(flag, {{"yes", "yes"},
               {"No", "no"},
               {"TRUE", "yes"},
               {"false", "no"},
               {"1", "error"},
               {"", "error"}});
}

BOOST_AUTO_TEST_CASE(jumps_are_hosts_or_urls) {
  check(jumps, {{"a", "a"},
                {"me@a:2222", "me@a:2222"},
                {"a,b:1,c@d", "a,b:1,c@d"},
                {"none", "none"},
                {"NONE # no jump", "none"},
                {"a # b", "a"},
                {"[2001:db8::1]:22", "[2001:db8::1]:22"},
                {"me@[::1]", "me@[::1]"},
                {"a:", "a"},
                {"DOM@me@a", "DOM@me@a"},
                {"ssh://me@a:22", "me@a:22"},
                {"ssh://a/", "a"},
                {"ssh://m%40e;x=y@a", "m@e@a"},
                {"", "error"},
                {"a,", "error"},
                {"a,,b", "error"},
                {"@a", "error"},
                {"a:0", "error"},
                {"a:x", "error"},
                {"2001:db8::1", "error"},
                {"[::1", "error"},
                {"[::1]x", "error"},
                {"[]", "error"},
                {"a/b", "error"},
                {"ssh://a/b", "error"},
                {"ssh://", "error"},
                {"ssh://%4@a", "error"},
                {"ssh://%00@a", "error"},
                {"ssh://%zz@a", "error"}});
}

BOOST_AUTO_TEST_CASE(patterns_match_as_the_manual_says) {
  for (const pattern_case& x : std::vector<pattern_case>{{"a.co.uk", "*.co.uk"},
                                                         {"co.uk", "*.co.uk", false},
                                                         {"192.168.0.7", "192.168.0.?"},
                                                         {"192.168.0.77", "192.168.0.?", false},
                                                         {"abc", "*"},
                                                         {"", "*"},
                                                         {"", "?", false},
                                                         {"abc", "a**c"},
                                                         {"ab", "a*?b", false},
                                                         {"axb", "a*?b"},
                                                         {"Abc", "abc", false}})
    BOOST_TEST(ssh::matches_pattern(x.text, x.pattern) == x.matches, x.text << ' ' << x.pattern);
  for (const pattern_case& x : std::vector<pattern_case>{{"host3", "!host1,!host2", false},
                                                         {"host3", "!host1,!host2,*"},
                                                         {"host1", "*,!host1", false},
                                                         {"a", "b,,a"},
                                                         {"a", "", false},
                                                         {"a", "!", false}})
    BOOST_TEST(ssh::matches_list(x.text, x.pattern) == x.matches, x.text << ' ' << x.pattern);
}

BOOST_AUTO_TEST_CASE(a_pattern_of_many_stars_costs_little) {
  // By trying every way this would take longer than anybody waits.
  std::string pattern;
  for (int i = 0; i < 500; ++i)
    pattern += "*a";
  BOOST_TEST(!ssh::matches_pattern(std::string(1000, 'a'), pattern + "b"));
}

BOOST_AUTO_TEST_SUITE_END()
