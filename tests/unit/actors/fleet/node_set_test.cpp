#include "files.hpp"
#include "sshexec/actors/fleet/node_set.hpp"
#include "sshexec/testing/temporary_directory.hpp"

#include <boost/test/unit_test.hpp>

#include <map>
#include <string>
#include <vector>

namespace {

using namespace sshexec;
using namespace sshexec::test;
using names = std::vector<std::string>;

std::string join(const names& x) {
  std::string result;
  for (const std::string& name : x)
    result.append(result.empty() ? "" : " ").append(name);
  return result;
}

group_lookup groups_of(std::map<std::string, std::string> groups) {
  return [groups = std::move(groups)](const std::string& name) {
    const auto found = groups.find(name);
    return found == groups.end() ? std::nullopt : std::optional{found->second};
  };
}

/// The names with a blank between them, or the error.
std::string expanded(const std::string& text, const node_set_sources& sources = {},
                     node_set_limits limits = {}) {
  const auto result = expand_node_set(text, sources, limits);
  return result ? join(*result) : result.error();
}

struct example {
  std::string text;
  std::string expected;
};

void check(const std::vector<example>& examples, const node_set_sources& sources = {}) {
  for (const auto& [text, expected] : examples)
    BOOST_TEST(expanded(text, sources) == expected, text << " is " << expanded(text, sources));
}

} // namespace

BOOST_AUTO_TEST_SUITE(node_set)

BOOST_AUTO_TEST_CASE(a_bracket_stands_for_its_numbers) {
  check({
    {"", ""},
    {"  ", ""},
    {"web-1", "web-1"},
    {"web-[1-3]", "web-1 web-2 web-3"},
    {"web-[3,1-2]", "web-3 web-1 web-2"},
    {"web-[01-03,30]", "web-01 web-02 web-03 web-30"},
    {"web-[08-11]", "web-08 web-09 web-10 web-11"},
    {"web-[8-11]", "web-8 web-9 web-10 web-11"},
    {"web-[0-10/5]", "web-0 web-5 web-10"},
    {"web-[0-11/5]", "web-0 web-5 web-10"},
    {"web-[000-010/5]", "web-000 web-005 web-010"},
    {"web-[ 1 - 3 , 7 ]", "web-1 web-2 web-3 web-7"},
    {"web-[1-2,2-3]", "web-1 web-2 web-3"},
    {"[1-2]", "1 2"},
    {"web[1-2]0", "web10 web20"},
    {"web1[2-3]", "web12 web13"},
    {"web-[0]", "web-0"},
    {"web-[00]", "web-00"},
    {"web-[999999999999999999]", "web-999999999999999999"},
  });
}

BOOST_AUTO_TEST_CASE(what_stands_around_a_bracket_stays) {
  check({
    {"dc[1-2]n[1-2]", "dc1n1 dc1n2 dc2n1 dc2n2"},
    {"a[1-2][3-4]", "a13 a14 a23 a24"},
    {"user@web-[1-2]:2222", "user@web-1:2222 user@web-2:2222"},
    {"10.0.[0-1].[1-2]", "10.0.0.1 10.0.0.2 10.0.1.1 10.0.1.2"},
    {"web-[1-2].example.org", "web-1.example.org web-2.example.org"},
    {"web:[22-23]", "web:22 web:23"},
    {"ssh://root@web-[1-2]", "ssh://root@web-1 ssh://root@web-2"},
    {"bücher-[1-2]", "bücher-1 bücher-2"},
  });
}

BOOST_AUTO_TEST_CASE(a_bracket_with_colons_is_an_address) {
  check({
    {"[2001:db8::1]", "[2001:db8::1]"},
    {"root@[2001:db8::1]:[22-23]", "root@[2001:db8::1]:22 root@[2001:db8::1]:23"},
    {"[fe80::1%eth0]:22", "[fe80::1%eth0]:22"},
    {"2001:db8::[1-2]", "2001:db8::1 2001:db8::2"},
    {"[::1],web", "[::1] web"},
  });
}

BOOST_AUTO_TEST_CASE(operators_are_applied_from_left_to_right) {
  check({
    {"a,b,a", "a b"},
    {"b a\tb\n c", "b a c"},
    {"a!b", "a"},
    {"a,b!b,c", "a c"},
    {"a!a,b", "b"},
    {"a,b&b,c", "b c"},
    {"a,b^b,c", "a c"},
    {"a^b", "a b"},
    {"a^a", ""},
    {"a^b[1,1]", "a b1"},
    {"a , b ! a", "b"},
    {"a,b !a", "b"},
    {"[1-9]![2-8]&[1-3]^[3-4]", "1 3 4"},
    {"c,a,b&[1-9]", ""},
    {"c,a,b&b,c", "b c"},
    {"c,a,b&a c", "a c"},
  });
}

/// ClusterShell's nodeset(1) and its manual's chapter "Node sets", as facts.
BOOST_AUTO_TEST_CASE(examples_of_clustershell) {
  check({
    {"node[160-163]", "node160 node161 node162 node163"},
    {"dc[1-2]n[2-6/2]", "dc1n2 dc1n4 dc1n6 dc2n2 dc2n4 dc2n6"},
    {"node[0-10]!node[8-10]", "node0 node1 node2 node3 node4 node5 node6 node7"},
    {"node[0-10]&node[5-13]", "node5 node6 node7 node8 node9 node10"},
    {"node[0-10]^node[5-13]", "node0 node1 node2 node3 node4 node11 node12 node13"},
    {"node[1-2],node[2-3]", "node1 node2 node3"},
    {"linux0[1-2]", "linux01 linux02"},
  });
  BOOST_TEST(expand_node_set("node[0-7,32-159]")->size() == 136);
  BOOST_TEST(expand_node_set("node[0-7,32-159],node[160-163]")->size() == 140);
  BOOST_TEST(expand_node_set("dc[1-2]n[100-199]")->size() == 200);
}

BOOST_AUTO_TEST_CASE(an_error_points_at_the_character) {
  check({
    {"web-[1-3", "'web-[1-3', character 5: a bracket is not closed"},
    {"a,web-]", "'a,web-]', character 7: a bracket is closed that was not opened"},
    {"a,,b", "'a,,b', character 3: a name is missing"},
    {",b", "',b', character 1: a name is missing"},
    {"&b", "'&b', character 1: a name is missing"},
    {"a!", "'a!', character 3: a name is missing"},
    {"a,@", "'a,@', character 3: a name is missing"},
    {"a,^", "'a,^', character 3: a name is missing"},
    {"a[]", "'a[]', character 3: a number is missing"},
    {"a[1,]", "'a[1,]', character 5: a number is missing"},
    {"a[1-]", "'a[1-]', character 3: a number is missing"},
    {"a[1-b]", "'a[1-b]', character 3: 'b' is no number"},
    {"a[1-2-3]", "'a[1-2-3]', character 3: '2-3' is no number"},
    {"a[1,3-2]", "'a[1,3-2]', character 5: a range must not go down"},
    {"a[1-9/0]", "'a[1-9/0]', character 3: a step is at least 1, and stands behind a range"},
    {"a[1/2]", "'a[1/2]', character 3: a step is at least 1, and stands behind a range"},
    {"a[01-100]", "'a[01-100]', character 3: both ends of a padded range must have the same "
                  "number of digits"},
    {"a[1-010]", "'a[1-010]', character 3: both ends of a padded range must have the same "
                 "number of digits"},
    {"a[1000000000000000000]", "'a[1000000000000000000]', character 3: a number has more than 18 "
                               "digits"},
    {"a[99999999999999999999]", "'a[99999999999999999999]', character 3: a number has more than "
                                "18 digits"},
    {"a[1:3]", "'a[1:3]', character 3: neither a range such as 1-20 nor an IPv6 address"},
    {"a[[1]]", "'a[[1]]', character 3: '[1' is no number"},
    {"a\x01", "'a\\u0001', character 2: a control character"},
    {"@web", "'@web', character 1: there is no group 'web'"},
    {"a,^hosts", "'a,^hosts', character 3: files are not read here"},
    {std::string(100, 'a') + "]" + std::string(100, 'b'),
     "'…" + std::string(30, 'a') + "]" + std::string(29, 'b')
       + "…', character 101: a bracket is closed that was not opened"},
    {std::string(100, 'a') + "[",
     "'…" + std::string(30, 'a') + "[', character 101: a bracket is not closed"},
  });
}

BOOST_AUTO_TEST_CASE(a_group_is_a_node_set) {
  const node_set_sources sources{groups_of({{"web", "web-[1-3]"},
                                            {"db", "db-1 db-2"},
                                            {"old", "web-2,db-1"},
                                            {"both", "@web,@db!@old"},
                                            {"rack1", "a"},
                                            {"rack2", "b,a"},
                                            {"none", ""},
                                            {"*", "@both,@old"},
                                            {"loop", "a,@loop2"},
                                            {"loop2", "@loop"},
                                            {"broken", "a[1"},
                                            {"lost", "@broken"}}),
                                 {}};
  check(
    {
      {"@web", "web-1 web-2 web-3"},
      {"@web!web-2,db-9", "web-1 web-3 db-9"},
      {"@both", "web-1 web-3 db-2"},
      {"@rack[1-2]", "a b"},
      {"@rack[2,1]!a", "b"},
      {"@none,x", "x"},
      {"@*", "web-1 web-3 db-2 web-2 db-1"},
      {"root@web", "root@web"},
      {"x,@rack[1-3]", "'x,@rack[1-3]', character 3: there is no group 'rack3'"},
      {"@a[1", "'@a[1', character 3: a bracket is not closed"},
      {"@loop", "'@loop', character 1: group 'loop': 'a,@loop2', character 3: group 'loop2': "
                "'@loop', character 1: group 'loop' names itself"},
      {"@lost", "'@lost', character 1: group 'lost': '@broken', character 1: group 'broken': "
                "'a[1', character 2: a bracket is not closed"},
    },
    sources);
}

BOOST_AUTO_TEST_CASE(a_file_holds_a_node_set_a_line) {
  const testing::temporary_directory folder;
  const auto file = [&](const std::string& name) { return (folder.path() / name).string(); };
  write_file(file("hosts"),
             "# all of them\nweb-[1-2] # the web\n\r\nb,web-9!b\r\n  db-1,db-2!db-2");
  write_file(file("broken"), "a\nb[");
  write_file(file("outer"), "^" + file("hosts") + "\nx");
  const node_set_sources sources{groups_of({{"g", "^" + file("hosts")}}), node_set_file};
  check(
    {
      {"^" + file("hosts"), "web-1 web-2 web-9 db-1"},
      {"@g!web-1", "web-2 web-9 db-1"},
      {"web-1^^" + file("hosts"), "web-2 web-9 db-1"},
      {"^" + file("outer"), "web-1 web-2 web-9 db-1 x"},
    },
    sources);
  BOOST_TEST(contains(expanded("^" + file("broken"), sources),
                      file("broken") + ", line 2: 'b[', character 2: a bracket is not closed"));
  BOOST_TEST(contains(expanded("^" + file("none"), sources),
                      "cannot read " + file("none") + ": No such file or directory"));
  BOOST_TEST(contains(expanded("^" + folder.path().string(), sources), "Is a directory"));
}

BOOST_AUTO_TEST_CASE(a_file_that_never_ends_is_too_large) {
  const auto text = node_set_file("/dev/zero");
  BOOST_REQUIRE(!text);
  BOOST_TEST(text.error() == "/dev/zero holds more than 16777216 bytes");
}

BOOST_AUTO_TEST_CASE(so_many_names_and_no_more) {
  BOOST_TEST(expand_node_set("a[1-100000]")->size() == 100'000);
  check({
    {"a[1-100001]", "'a[1-100001]', character 1: more than 100000 machines"},
    {"b,a[1-999999][1-999999]",
     "'b,a[1-999999][1-999999]', character 3: more than 100000 machines"},
    {"a[0-999999999999999999][0-999999999999999999][0-999999999999999999]",
     "'a[0-999999999999999999][0-999999999999999999][0-999999999999…', character 1: more than "
     "100000 machines"},
  });
  const node_set_limits three{3};
  BOOST_TEST(expanded("a[1-3],a[1-2]", {}, three) == "a1 a2 a3");
  BOOST_TEST(expanded("a[1-3]!a2,b", {}, three) == "a1 a3 b");
  BOOST_TEST(expanded("a[1-3],b", {}, three) == "'a[1-3],b', character 8: more than 3 machines");
  BOOST_TEST(expanded("a[1-3]^b", {}, three) == "'a[1-3]^b', character 8: more than 3 machines");
  const auto several = expand_node_sets({"a[1-3]", "b"}, {}, three);
  BOOST_REQUIRE(!several);
  BOOST_TEST(several.error() == "more than 3 machines");
}

BOOST_AUTO_TEST_CASE(a_name_is_not_longer_than_1024_characters) {
  const std::string longest(1023, 'a');
  BOOST_TEST(expanded(longest + "[1-2]") == longest + "1 " + longest + "2");
  BOOST_TEST(contains(expanded(longest + "[9-10]"), "a name is longer than 1024 characters"));
}

BOOST_AUTO_TEST_CASE(groups_that_name_one_another_again_and_again_cost_little) {
  // Each is ten times the one before: the last one would be 10^60 names.
  std::map<std::string, std::string> groups{{"g0", "a"}, {"e0", ""}};
  for (int i = 1; i <= 60; ++i)
    for (const std::string kind : {"g", "e"}) {
      std::string text;
      for (int again = 0; again < 10; ++again)
        text += " @" + kind + std::to_string(i - 1);
      groups[kind + std::to_string(i)] = text;
    }
  const node_set_sources sources{groups_of(std::move(groups)), {}};
  BOOST_TEST(expanded("@g60", sources) == "a");
  BOOST_TEST(expanded("@e60", sources) == "");
  BOOST_TEST(contains(expanded("@g60", sources, {20}), "machines are named too many times"));
}

BOOST_AUTO_TEST_CASE(groups_are_64_deep_at_most) {
  std::map<std::string, std::string> groups{{"0", "a"}};
  for (int i = 1; i <= 64; ++i)
    groups[std::to_string(i)] = "@" + std::to_string(i - 1);
  const node_set_sources sources{groups_of(std::move(groups)), {}};
  BOOST_TEST(expanded("@63", sources) == "a");
  BOOST_TEST(contains(expanded("@64", sources), "more than 64 deep"));
}

BOOST_AUTO_TEST_CASE(several_node_sets_are_read_on_their_own) {
  BOOST_TEST(join(*expand_node_sets({"a", "b!a", "", "c"})) == "a b c");
  BOOST_TEST(expand_node_sets({"a", "b["}).error() == "'b[', character 2: a bracket is not closed");
}

BOOST_AUTO_TEST_CASE(excluded_names_leave_the_order) {
  BOOST_TEST(join(exclude_names({"c", "a", "b"}, {"a", "x"})) == "c b");
}

BOOST_AUTO_TEST_CASE(folding_is_for_the_eyes) {
  const std::vector<std::pair<names, std::string>> examples{
    {{}, ""},
    {{"web-1"}, "web-1"},
    {{"web-1", "web-1"}, "web-1"},
    {{"web-1", "web-3", "web-2"}, "web-[1-3]"},
    {{"web-1", "db-1", "web-2"}, "web-[1-2],db-1"},
    {{"web-01", "web-02", "web-10"}, "web-[01-02,10]"},
    {{"web-08", "web-09", "web-10", "web-99", "web-100"}, "web-[08-10,99-100]"},
    {{"web-09", "web-10", "web-11"}, "web-[09-11]"},
    {{"web-9", "web-10"}, "web-[9-10]"},
    {{"web-9", "web-010"}, "web-[9,010]"},
    {{"web-1", "web-01"}, "web-[1,01]"},
    {{"dc1n1", "dc2n1"}, "dc[1-2]n1"},
    {{"dc1n1", "dc1n2", "dc2n1", "dc2n2"}, "dc1n[1-2],dc2n[1-2]"},
    {{"n1-r1", "n2-r1", "n3-r1", "n1-r2"}, "n[1-3]-r1,n1-r2"},
    {{"root@web-1:2222", "root@web-2:2222"}, "root@web-[1-2]:2222"},
    {{"10.0.0.1", "10.0.0.2", "10.0.1.1"}, "10.0.0.[1-2],10.0.1.1"},
    {{"[2001:db8::1]:22", "[2001:db8::2]:22"}, "[2001:db8::1]:22,[2001:db8::2]:22"},
    {{"a9999999999999999999", "a9999999999999999998"}, "a9999999999999999999,a9999999999999999998"},
    {{"node3", "node6", "node1", "node2", "node7", "node5"}, "node[1-3,5-7]"},
  };
  for (const auto& [text, expected] : examples)
    BOOST_TEST(fold_names(text) == expected, join(text));
}

BOOST_AUTO_TEST_CASE(a_folded_set_means_the_same_names) {
  for (const char* text : {"a[1-5,7,09-12],b,c[1-3]d[4-5]", "x[000-101]", "10.[0-2].0.[1-3]:22"}) {
    auto expected = *expand_node_set(text);
    auto again = *expand_node_set(fold_names(expected));
    std::sort(expected.begin(), expected.end());
    std::sort(again.begin(), again.end());
    BOOST_TEST(again == expected, boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_SUITE_END()
