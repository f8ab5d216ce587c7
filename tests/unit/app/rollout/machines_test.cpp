#include "outcomes.hpp"
#include "sshexec/app/configuration.hpp"
#include "sshexec/app/rollout/portions.hpp"
#include "sshexec/app/rollout/preparation.hpp"
#include "sshexec/app/rollout/selection.hpp"
#include "sshexec/app/rollout/targets.hpp"
#include "sshexec/testing/temporary_directory.hpp"

#include <boost/test/unit_test.hpp>

#include <fstream>

using namespace sshexec;
using namespace sshexec::app;
using namespace sshexec::test;

namespace {

/// As people would write them.
std::string in_a_row(const std::vector<machine>& machines) {
  std::string result;
  for (const auto& x : machines)
    result += (result.empty() ? "" : " ") + x.id + '=' + to_address(x);
  return result;
}

std::string found(const wanted_machines& wanted) {
  const auto machines = find_machines(wanted);
  return machines ? in_a_row(*machines) : "error: " + machines.error();
}

std::vector<machine> numbered(int count) {
  std::vector<machine> result;
  for (int i = 1; i <= count; ++i)
    result.push_back(machine_named(std::to_string(i)));
  return result;
}

} // namespace

BOOST_AUTO_TEST_SUITE(the_machines_of_a_rollout)

BOOST_AUTO_TEST_CASE(one_machine_is_told_from_a_set) {
  for (const char* one : {"web-1", "root@web-1:22", "corp@root@web-1", "::1", "[::1]", "[::1]:22",
                          "root@[fe80::1%eth0]:22", "[web-1]:22", "[10.0.0.1]:22", "10.0.0.1",
                          "ssh://a,b@web-1", "ssh://[::1]:22/", "[", "web[]"})
    BOOST_TEST(!is_set(one), one);
  for (const char* set :
       {"web-[1-3]", "web-[01-20/2,30]", "root@web-[1-2]:22", "[1-3]", "a,b", "a!b", "a&b", "a^b",
        "@web", "^hosts", "a b", "web-[1", "[::1],[::2]", "[::1]-[1-2]"})
    BOOST_TEST(is_set(set), set);
}

BOOST_AUTO_TEST_CASE(machines_have_their_names_and_come_in_order) {
  wanted_machines wanted;
  wanted.targets = {"web-[1-3]", "ops@db:2222", "web-2", "@rest"};
  wanted.excluded = {"web-3", "@none"};
  wanted.groups = {{"rest", "[::1]:23"}, {"none", "db,nobody"}};
  BOOST_TEST(found(wanted)
             == "web-1=web-1:22 web-2=web-2:22 ops@db:2222=ops@db:2222 [::1]:23=[::1]:23");
}

BOOST_AUTO_TEST_CASE(an_inventory_says_how_machines_are_reached) {
  wanted_machines wanted;
  const auto known = parse_inventory("[web]\nweb-[1-2] ansible_host=10.0.0.1 ansible_user=ops\n"
                                     "[db]\ndb-1 ansible_port=23\n",
                                     "hosts");
  BOOST_REQUIRE(known);
  wanted.known = *known;
  wanted.targets = {"@web", "@db"};
  BOOST_TEST(found(wanted) == "web-1=ops@10.0.0.1:22 web-2=ops@10.0.0.1:22 db-1=db-1:23");
  wanted.names = {"db-1", "other", "web-2"};
  BOOST_TEST(found(wanted) == "db-1=db-1:23 other=other:22 web-2=ops@10.0.0.1:22");
}

BOOST_AUTO_TEST_CASE(what_a_target_says_of_a_machine_of_the_inventory_prevails) {
  wanted_machines wanted;
  const auto known = parse_inventory("a1 ansible_host=10.0.0.1 ansible_port=23 ansible_user=ops\n"
                                     "b@1 ansible_host=10.0.0.2\n",
                                     "hosts");
  BOOST_REQUIRE(known);
  wanted.known = *known;
  wanted.targets = {"root@a1", "a1:2222", "root@a1:24", "ssh://me@a1", "a1", "b@1", "root@a2"};
  BOOST_TEST(found(wanted)
             == "root@a1=root@10.0.0.1:23 a1:2222=ops@10.0.0.1:2222 root@a1:24=root@10.0.0.1:24 "
                "ssh://me@a1=me@10.0.0.1:23 a1=ops@10.0.0.1:23 b@1=b@10.0.0.2:22 "
                "root@a2=root@a2:22");
}

BOOST_AUTO_TEST_CASE(a_machine_with_the_name_of_a_group_is_noticed) {
  wanted_machines wanted;
  const auto known = parse_inventory("[web]\na\n[db]\ndb\n", "hosts");
  BOOST_REQUIRE(known);
  wanted.known = *known;
  wanted.groups = {{"shop", "@web"}};
  wanted.targets = {"web", "db", "all", "shop", "a", "other"};
  const auto machines = find_machines(wanted);
  BOOST_REQUIRE(machines);
  const std::vector<std::string> expected{"web", "all", "shop"};
  BOOST_TEST(names_of_groups(*machines, wanted) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_names_no_machine_is_an_error) {
  for (const char* text : {"@nobody", "web-[1-", "a,,b", "web-[3-1]", "a:b,c"}) {
    wanted_machines wanted;
    wanted.targets = {text};
    BOOST_TEST(found(wanted).starts_with("error: "), text);
    wanted.targets = {"web-1"};
    wanted.excluded = {text};
    if (text != std::string{"a:b,c"})
      BOOST_TEST(found(wanted).starts_with("error: "), text);
  }
}

BOOST_AUTO_TEST_CASE(a_variable_without_a_value_is_no_target) {
  for (const char* text : {"", " "}) {
    wanted_machines wanted;
    wanted.targets = {"a", text};
    BOOST_TEST(found(wanted) == "error: a target is empty");
  }
}

BOOST_AUTO_TEST_CASE(a_portion_is_a_number_or_a_share) {
  const auto read = [](const std::string& text) {
    const auto result = parse_portion(text);
    return result ? std::to_string(result->amount) + (result->percent ? "%" : "") : "error";
  };
  for (const char* good : {"0", "1", "100", "0%", "5%", "100%", "4294967295"})
    BOOST_TEST(read(good) == good);
  for (const char* bad : {"", "%", "-1", "1.5", "101%", "5 %", "5%%", "five", "4294967296"})
    BOOST_TEST(read(bad) == "error", bad);
}

BOOST_AUTO_TEST_CASE(steps_are_portions_in_a_row) {
  const auto sizes = [](const std::string& text, std::size_t all) {
    const auto steps = parse_steps(text);
    BOOST_REQUIRE_MESSAGE(steps, text);
    std::string result;
    for (const auto size : sizes_of_steps(*steps, all))
      result += std::to_string(size) + ' ';
    return result;
  };
  BOOST_TEST(sizes("1,10%,100%", 50) == "1 5 44 ");
  BOOST_TEST(sizes("1,10%", 25) == "1 3 3 3 3 3 3 3 3 ");
  BOOST_TEST(sizes("100", 3) == "3 ");
  BOOST_TEST(sizes("2", 0) == "");
  BOOST_TEST(sizes_of_steps({}, 7).size() == 1U);
  for (const char* bad : {"", ",", "1,", ",1", "0", "1,0%", "1;2"})
    BOOST_TEST(!parse_steps(bad), bad);
}

BOOST_AUTO_TEST_CASE(the_list_shows_the_steps_in_the_order_of_their_starts) {
  rollout what;
  what.machines = numbered(5);
  BOOST_TEST(list_of_steps(what) == "# step 1 of 1: 5 machines\n1\n2\n3\n4\n5\n");
  what.steps = {{1, false}, {40, true}};
  BOOST_TEST(list_of_steps(what)
             == "# step 1 of 3: 1 machine\n1\n# step 2 of 3: 2 machines\n2\n3\n"
                "# step 3 of 3: 2 machines\n4\n5\n");
}

BOOST_AUTO_TEST_CASE(some_are_picked_in_their_order_and_any_may_be) {
  std::vector<bool> was_picked(10);
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const auto some = picked(numbered(10), 3, seed);
    BOOST_REQUIRE(some.size() == 3U);
    for (std::size_t i = 0; i < some.size(); ++i) {
      const int number = std::stoi(some[i].id);
      was_picked[static_cast<std::size_t>(number - 1)] = true;
      BOOST_TEST((i == 0 || std::stoi(some[i - 1].id) < number));
    }
  }
  BOOST_TEST(std::count(was_picked.begin(), was_picked.end(), true) == 10);
  BOOST_TEST(picked(numbered(2), 3, 0).size() == 2U);
  BOOST_TEST((picked(numbered(10), 3, 7) == picked(numbered(10), 3, 7)));
}

BOOST_AUTO_TEST_CASE(a_configuration_has_groups_of_machines) {
  const testing::temporary_directory place;
  const std::string path = place.path() / "config";
  const auto read = [&path](const std::string& text) {
    std::ofstream{path} << text;
    return read_configuration(path, {});
  };
  const auto good = read("[sshexec]\nuser = \"ops\"\n[sshexec.groups]\nweb = \"web-[1-3]\"\n");
  BOOST_REQUIRE_MESSAGE(good, good.error());
  BOOST_TEST(good->groups.at("web") == "web-[1-3]");
  BOOST_TEST(good->executor.user == "ops");
  for (const char* bad : {"[sshexec]\ngroups = 3\n", "[sshexec.groups]\nweb = 3\n"})
    BOOST_TEST(!read(bad), bad);
}

BOOST_AUTO_TEST_SUITE_END()
