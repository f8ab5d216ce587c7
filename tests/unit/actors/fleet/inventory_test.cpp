#include "files.hpp"
#include "sshexec/actors/fleet/inventory.hpp"
#include "sshexec/testing/process.hpp"
#include "sshexec/testing/temporary_directory.hpp"

#include <boost/test/unit_test.hpp>
#include <poll.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace {

using namespace sshexec;
using namespace sshexec::test;

inventory parsed(const std::string& text) {
  auto result = parse_inventory(text, "hosts.ini");
  BOOST_REQUIRE_MESSAGE(result, result.error());
  return std::move(*result);
}

inventory parsed_json(const std::string& text) {
  auto result = parse_inventory_json(text, "hosts.json");
  BOOST_REQUIRE_MESSAGE(result, result.error());
  return std::move(*result);
}

std::string error_of(const tl::expected<inventory, std::string>& x) {
  return x ? "no error" : x.error();
}

std::string error_in(const std::string& text) {
  return error_of(parse_inventory(text, "hosts.ini"));
}

std::string error_in_json(const std::string& text) {
  return error_of(parse_inventory_json(text, "hosts.json"));
}

std::string group_of(const inventory& x, const std::string& name) {
  return x.group(name).value_or("no such group");
}

/// "id is user@host:port with key"
std::string machine_of(const inventory& x, const std::string& name, machine from_name = {}) {
  const auto found = x.to_machine(name, std::move(from_name));
  if (!found)
    return found.error();
  return found->id + " is " + to_address(*found) + " with " + found->identity_file;
}

/// A program in a folder of its own.
struct fixture {
  std::string program(const std::string& text) {
    const auto path = folder.path() / "inventory";
    write_file(path, text);
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path.string();
  }

  testing::temporary_directory folder;
};

} // namespace

BOOST_AUTO_TEST_SUITE(inventories)

BOOST_AUTO_TEST_CASE(a_plain_list_is_an_inventory) {
  const auto subject = parsed("# all\nweb-1\n\n  web-[2-3] # more\r\n; old\n[2001:db8::1]:22\n"
                              "root@db-1:2222\nweb-1");
  BOOST_TEST(group_of(subject, "*") == "web-1,web-2,web-3,[2001:db8::1]:22,root@db-1:2222");
  BOOST_TEST(group_of(subject, "all") == group_of(subject, "*"));
  BOOST_TEST(group_of(subject, "ungrouped") == group_of(subject, "*"));
  BOOST_TEST(group_of(subject, "web") == "no such group");
  BOOST_TEST(machine_of(subject, "web-1") == "web-1 is web-1:22 with ");
  BOOST_TEST(machine_of(subject, "unknown") == "unknown is unknown:22 with ");
  BOOST_TEST(group_of(parsed(""), "*") == "");
}

BOOST_AUTO_TEST_CASE(groups_hold_machines_and_groups) {
  const auto subject = parsed("lone\n"
                              "[web] # the web\n"
                              "web-[01:03]\n"
                              "www[1:5:2].example.org\n"
                              "[db]\n"
                              "db-1\n"
                              "web-01\n"
                              "[site:children]\n"
                              "db\n"
                              "web\n"
                              "edge\n"
                              "[world:children]\n"
                              "site\n"
                              "[edge]\n"
                              "edge-1\n");
  BOOST_TEST(group_of(subject, "web")
             == "web-01,web-02,web-03,www1.example.org,www3.example.org,"
                "www5.example.org");
  BOOST_TEST(group_of(subject, "db") == "db-1,web-01");
  BOOST_TEST(group_of(subject, "world")
             == "db-1,web-01,web-02,web-03,www1.example.org,www3.example.org,www5.example.org,"
                "edge-1");
  BOOST_TEST(group_of(subject, "ungrouped") == "lone");
  const std::vector<std::string> expected{"db", "edge", "site", "ungrouped", "web", "world"};
  BOOST_TEST(subject.group_names() == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(variables_tell_how_a_machine_is_reached) {
  const auto subject = parsed(
    "web-1 ansible_host=10.0.0.1 ansible_port=2222 ansible_user=root "
    "ansible_ssh_private_key_file='~/.ssh/my key' color=red\n"
    "web-2 ansible_ssh_host=10.0.0.2 ansible_ssh_port=2223 ansible_ssh_user=\"admin\" # old names\n"
    "web-3 ansible_connection=local\n"
    "web-[4-5] ansible_user=ops\n"
    "[again]\n"
    "web-5 ansible_port=5\n");
  BOOST_TEST(machine_of(subject, "web-1") == "web-1 is root@10.0.0.1:2222 with ~/.ssh/my key");
  BOOST_TEST(machine_of(subject, "web-2") == "web-2 is admin@10.0.0.2:2223 with ");
  BOOST_TEST(machine_of(subject, "web-3") == "web-3 is web-3:22 with ");
  BOOST_TEST(machine_of(subject, "web-4") == "web-4 is ops@web-4:22 with ");
  BOOST_TEST(machine_of(subject, "web-5") == "web-5 is ops@web-5:5 with ");
  BOOST_TEST(subject.find("web-6") == nullptr);
}

BOOST_AUTO_TEST_CASE(the_inventory_prevails_over_the_name) {
  const auto subject = parsed("root@db-1:2222 ansible_user=ops\n");
  const machine from_name{"", "db-1", 2222, "root", "key"};
  BOOST_TEST(machine_of(subject, "root@db-1:2222", from_name)
             == "root@db-1:2222 is ops@db-1:2222 with key");
}

BOOST_AUTO_TEST_CASE(the_nearest_variable_prevails) {
  const auto subject = parsed("[all:vars]\n"
                              "ansible_user = everybody\n"
                              "ansible_port=1\n"
                              "motd = it's \"fine\n"
                              "[outer:vars]\n"
                              "ansible_user = 'outer'\n"
                              "[outer:children]\n"
                              "a_inner\n"
                              "z_inner\n"
                              "[a_inner:vars]\n"
                              "ansible_user = inner # as of a\n"
                              "[z_inner:vars]\n"
                              "ansible_port=9\n"
                              "[a_inner]\n"
                              "x\n"
                              "y ansible_user=own\n"
                              "[z_inner]\n"
                              "z\n"
                              "x\n"
                              "[lone]\n"
                              "l\n");
  BOOST_TEST(machine_of(subject, "x") == "x is inner@x:9 with ");
  BOOST_TEST(machine_of(subject, "y") == "y is own@y:1 with ");
  BOOST_TEST(machine_of(subject, "z") == "z is outer@z:9 with ");
  BOOST_TEST(machine_of(subject, "l") == "l is everybody@l:1 with ");
}

BOOST_AUTO_TEST_CASE(what_only_ansible_can_work_out_is_told_when_it_is_wanted) {
  const auto subject = parsed("web-1 ansible_user='{{ admin }}'\n"
                              "web-2\n"
                              "[web:vars]\n"
                              "ansible_port='{{ port }}'\n"
                              "[web]\n"
                              "web-3 ansible_port=22\n"
                              "web-4\n");
  BOOST_TEST(machine_of(subject, "web-1") == "web-1: only Ansible can work out '{{ admin }}'");
  BOOST_TEST(machine_of(subject, "web-2") == "web-2 is web-2:22 with ");
  BOOST_TEST(machine_of(subject, "web-3") == "web-3 is web-3:22 with ");
  BOOST_TEST(machine_of(subject, "web-4") == "web-4: only Ansible can work out '{{ port }}'");
}

BOOST_AUTO_TEST_CASE(an_error_has_file_and_line) {
  const std::vector<std::pair<std::string, std::string>> examples{
    {"a\nb[", "hosts.ini, line 2: 'b[', character 2: a bracket is not closed"},
    {"a b", "hosts.ini, line 1: 'b' is no variable, such as ansible_port=2222"},
    {"a ansible_port=0", "hosts.ini, line 1: ansible_port is a number from 1 to 65535, not '0'"},
    {"a ansible_port=65536",
     "hosts.ini, line 1: ansible_port is a number from 1 to 65535, not '65536'"},
    {"a ansible_user='x", "hosts.ini, line 1: a quotation mark is not closed"},
    {"[x:childen]", "hosts.ini, line 1: behind a group stands ':children' or ':vars', not "
                    "':childen'"},
    {"[]", "hosts.ini, line 1: a group has no name"},
    {"[:vars]", "hosts.ini, line 1: a group has no name"},
    {"[x:vars]\n\nansible_port", "hosts.ini, line 3: a variable is wanted, such as "
                                 "ansible_port=2222"},
    {"[x:vars]\nansible_port=x",
     "hosts.ini, line 2: ansible_port is a number from 1 to 65535, not 'x'"},
    {"[x:children]\na b", "hosts.ini, line 2: one group a line is wanted"},
    {"a[a:c]", "hosts.ini, line 1: 'a[a:c]', character 3: neither a range such as 1-20 nor an "
               "IPv6 address"},
    {"a\x1b[1m", "hosts.ini, line 1: 'a\\u001b[1m', character 2: a control character"},
    {"[x:children]\ny\n[y:children]\nx", "hosts.ini: group 'x' contains itself, or is in one that "
                                         "does"},
    {"@web", "hosts.ini, line 1: '@web', character 1: there is no group 'web'"},
    {"^/etc/passwd", "hosts.ini, line 1: '^/etc/passwd', character 1: files are not read here"},
    {"a[1-100001]", "hosts.ini, line 1: 'a[1-100001]', character 1: more than 100000 machines"},
    {"a[1-100000]\nb", "hosts.ini, line 2: more than 100000 machines"},
  };
  for (const auto& [text, expected] : examples)
    BOOST_TEST(error_in(text) == expected);
}

BOOST_AUTO_TEST_CASE(a_byte_order_mark_is_no_part_of_a_file) {
  const testing::temporary_directory folder;
  for (const char* text : {"[web]\na\n", "a\n", R"({"web": {"hosts": ["a"]}})"}) {
    write_file(folder.path() / "hosts", std::string{"\xEF\xBB\xBF"} + text);
    const auto known = read_inventory(folder.path() / "hosts");
    BOOST_REQUIRE_MESSAGE(known, known.error());
    BOOST_TEST(known->machine_names() == std::vector<std::string>{"a"},
               boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(ansibles_json_is_an_inventory) {
  const auto subject = parsed_json(R"({
    "_meta": {"hostvars": {
      "web-1": {"ansible_host": "10.0.0.1", "ansible_port": 2222, "tags": {"a": [1]}},
      "web-2": {"ansible_port": "2223", "ansible_user": null},
      "stray": {"ansible_port": "none"}}},
    "all": {"children": ["ungrouped", "web", "db"]},
    "db": ["db-1"],
    "empty": {},
    "ungrouped": {},
    "web": {"hosts": ["web-1", "web-2"], "vars": {"ansible_user": "ops", "ansible_port": 1}}})");
  BOOST_TEST(group_of(subject, "all") == "db-1,web-1,web-2");
  BOOST_TEST(group_of(subject, "web") == "web-1,web-2");
  BOOST_TEST(group_of(subject, "db") == "db-1");
  BOOST_TEST(group_of(subject, "empty") == "");
  BOOST_TEST(machine_of(subject, "web-1") == "web-1 is ops@10.0.0.1:2222 with ");
  BOOST_TEST(machine_of(subject, "web-2") == "web-2 is ops@web-2:2223 with ");
  BOOST_TEST(subject.find("stray") == nullptr);
}

BOOST_AUTO_TEST_CASE(json_that_is_no_inventory_is_told_why) {
  const std::vector<std::pair<std::string, std::string>> examples{
    {"", "hosts.json: parse error at line 1, column 1: syntax error while parsing value - "
         "unexpected end of input; expected '[', '{', or a literal"},
    {"[]", "hosts.json: an object of groups is wanted"},
    {R"({"a": 1})", "hosts.json: group 'a' is neither an object nor a list"},
    {R"({"a": {"hosts": {}}})", "hosts.json: the hosts of group 'a' are no list"},
    {R"({"a": [1]})", "hosts.json: the hosts of group 'a' are not all texts"},
    {R"({"a": ["x y"]})", "hosts.json: the hosts of group 'a': 'x y' cannot be the name of a "
                          "machine"},
    {R"({"a": ["x[1-2]"]})", "hosts.json: the hosts of group 'a': 'x[1-2]' cannot be the name of "
                             "a machine"},
    {R"({"a": [""]})", "hosts.json: the hosts of group 'a': '' cannot be the name of a machine"},
    {R"({"a": {"children": [[]]}})", "hosts.json: the children of group 'a' are not all texts"},
    {R"({"a": {"children": ["a"]}})", "hosts.json: group 'a' contains itself, or is in one that "
                                      "does"},
    {R"({"a": {"vars": []}})", "hosts.json: the variables of group 'a' are no object"},
    {R"({"a": {"vars": {"ansible_port": {}}}})",
     "hosts.json: the variables of group 'a': ansible_port is neither a text nor a number"},
    {R"({"a": {"vars": {"ansible_port": -1}}})",
     "hosts.json: the variables of group 'a': ansible_port is a number from 1 to 65535, not '-1'"},
    {R"({"a": ["x"], "_meta": {"hostvars": {"x": 1}}})",
     "hosts.json: the variables of host 'x' are no object"},
    {R"({"a": [], "_meta": {"hostvars": 1}})", "hosts.json: _meta.hostvars is no object"},
    {std::string(1'000'000, '['),
     "hosts.json: parse error at line 1, column 1000001: syntax error while parsing value - "
     "unexpected end of input; expected '[', '{', or a literal"},
  };
  for (const auto& [text, expected] : examples)
    BOOST_TEST(error_in_json(text) == expected);
}

BOOST_AUTO_TEST_CASE(deep_and_wide_groups_cost_little) {
  // Each of 10,000 groups holds the one below it twice.
  std::string text = "[g0]\nmachine\n";
  for (int i = 1; i <= 10'000; ++i) {
    const std::string below = "g" + std::to_string(i - 1) + "\n";
    text += "[g" + std::to_string(i) + ":children]\n" + below + below;
  }
  BOOST_TEST(group_of(parsed(text), "g10000") == "machine");
}

BOOST_FIXTURE_TEST_CASE(a_file_is_read_as_what_it_is, fixture) {
  const auto file = (folder.path() / "hosts").string();
  write_file(file, "[web]\nweb-1\n");
  BOOST_TEST(group_of(*read_inventory(file), "web") == "web-1");
  write_file(file, " \n{\"db\": [\"db-1\"]}");
  BOOST_TEST(group_of(*read_inventory(file), "db") == "db-1");
  write_file(file, "web-1\nweb-[");
  BOOST_TEST(error_of(read_inventory(file))
             == file + ", line 2: 'web-[', character 5: a bracket is not closed");
  BOOST_TEST(error_of(read_inventory(file, {std::chrono::seconds{1}, 5}))
             == file + " holds more than 5 bytes");
  BOOST_TEST(error_of(read_inventory("/nowhere/hosts"))
             == "cannot read /nowhere/hosts: No such file or directory");
  BOOST_TEST(error_of(read_inventory(folder.path().string()))
             == "cannot read " + folder.path().string() + ": Is a directory");
}

BOOST_FIXTURE_TEST_CASE(a_program_prints_an_inventory, fixture) {
  const auto path = program("#!/bin/sh\n"
                            "echo a warning >&2\n"
                            "echo \"{\\\"web\\\": [\\\"$#$1\\\"]}\"\n"
                            "cat\n");
  const auto subject = read_inventory(path);
  BOOST_REQUIRE_MESSAGE(subject, subject.error());
  BOOST_TEST(group_of(*subject, "web") == "1--list");
}

BOOST_FIXTURE_TEST_CASE(a_list_that_is_marked_executable_is_a_list, fixture) {
  BOOST_TEST(group_of(*read_inventory(program("web-1\n")), "*") == "web-1");
}

BOOST_FIXTURE_TEST_CASE(a_program_that_fails_is_told_with_its_stderr, fixture) {
  const auto path = program("#!/bin/sh\necho no cloud today >&2\nexit 3\n");
  BOOST_TEST(error_of(read_inventory(path)) == path + " ended with exit code 3: no cloud today");
  program("#!/bin/sh\nkill -9 $$\n");
  BOOST_TEST(error_of(read_inventory(path))
             == path + " was ended by signal 9, without a word on stderr");
  program("#!/bin/sh\necho '{'\n");
  BOOST_TEST(contains(error_of(read_inventory(path)),
                      "the output of " + path + ": parse error at line 2, column 1"));
  program("#!/nowhere/interpreter\n");
  BOOST_TEST(error_of(read_inventory(path))
             == "cannot run " + path + ": No such file or directory");
}

BOOST_FIXTURE_TEST_CASE(a_program_that_hangs_is_killed_with_all_that_it_started, fixture) {
  const auto path = program("#!/bin/sh\necho asking the cloud >&2\n"
                            "sleep 1000 & echo $! >&2\nsleep 1000\n");
  const std::string error = error_of(read_inventory(path, {std::chrono::milliseconds{500}}));
  const std::string expected = path + " did not end within 500ms: asking the cloud\\n";
  BOOST_REQUIRE_MESSAGE(error.starts_with(expected), error);
  const auto end = testing::end_of(std::stoi(error.substr(expected.size())));
  pollfd gone{end.get(), POLLIN, 0};
  BOOST_TEST((!end || ::poll(&gone, 1, -1) == 1));
}

BOOST_FIXTURE_TEST_CASE(a_program_that_writes_without_end_is_killed, fixture) {
  const auto path = program("#!/bin/sh\nexec yes\n");
  BOOST_TEST(error_of(read_inventory(path)) == path + " writes more than 67108864 bytes");
  program("#!/bin/sh\nyes >&2 & yes >&2\n");
  BOOST_TEST(contains(error_of(read_inventory(path, {std::chrono::milliseconds{500}})),
                      path + " did not end within 500ms: y\\ny"));
}

BOOST_FIXTURE_TEST_CASE(a_program_that_leaves_somebody_at_its_output_has_ended, fixture) {
  const auto path = program("#!/bin/sh\nsleep 1000 &\necho \"{\\\"x\\\": [\\\"p$!\\\"]}\"\n");
  const auto subject = read_inventory(path);
  BOOST_REQUIRE_MESSAGE(subject, subject.error());
  testing::kill_and_wait({std::stoi(group_of(*subject, "x").substr(1))});
}

BOOST_FIXTURE_TEST_CASE(groups_of_the_settings_come_before_those_of_an_inventory, fixture) {
  const auto sources = make_node_set_sources({{"web", "web-[1-2]"}, {"both", "@web,@db"}},
                                             parsed("[web]\nold\n[db]\ndb-1\n"));
  const auto expanded = [&](const std::string& text) {
    const auto names = expand_node_set(text, sources);
    return names ? fold_names(*names) : names.error();
  };
  BOOST_TEST(expanded("@web") == "web-[1-2]");
  BOOST_TEST(expanded("@both") == "web-[1-2],db-1");
  BOOST_TEST(expanded("@*") == "web-[1-2],db-1,old");
  BOOST_TEST(expanded("@all") == "old,db-1");
  write_file(folder.path() / "hosts", "@db\nx");
  BOOST_TEST(expanded("^" + (folder.path() / "hosts").string()) == "db-1,x");
}

BOOST_AUTO_TEST_SUITE_END()
