// What docs/tool.md says of node sets and inventories holds.

#include "files.hpp"
#include "sshexec/actors/fleet/inventory.hpp"

#include <boost/test/unit_test.hpp>

#include <sstream>
#include <string>
#include <vector>

namespace {

using namespace sshexec;

/// What stands between two texts of the page.
std::string between(const std::string& begin, const std::string& end) {
  const std::string page = test::read_file(SSHEXEC_TOOL_PAGE);
  const auto first = page.find(begin);
  const auto last = page.find(end, first + begin.size());
  BOOST_REQUIRE_MESSAGE(last != std::string::npos, begin);
  return page.substr(first + begin.size(), last - first - begin.size());
}

/// The texts of a line that stand between backticks.
std::vector<std::string> in_backticks(const std::string& line) {
  std::vector<std::string> result;
  std::istringstream in{line};
  std::string text;
  for (bool is_quoted = false; std::getline(in, text, '`'); is_quoted = !is_quoted)
    if (is_quoted)
      result.push_back(text);
  return result;
}

std::string join(const std::vector<std::string>& names) {
  std::string result;
  for (const std::string& name : names)
    result.append(result.empty() ? "" : " ").append(name);
  return result;
}

} // namespace

BOOST_AUTO_TEST_SUITE(tool_page)

BOOST_AUTO_TEST_CASE(node_sets_are_what_the_page_says) {
  const auto sources
    = make_node_set_sources({{"web", "web-[1-3]"}, {"db", "db-1 db-2"}, {"old", "web-3,db-2"}});
  std::istringstream table{between("| node set | machines |\n|---|---|\n", "\n\n")};
  std::size_t examples = 0;
  for (std::string line; std::getline(table, line);) {
    auto texts = in_backticks(line);
    BOOST_REQUIRE(texts.size() >= 2);
    const std::string machines = texts.back();
    texts.pop_back();
    for (const std::string& text : texts) {
      const auto names = expand_node_set(text, sources);
      BOOST_TEST((names ? join(*names) : names.error()) == machines, line);
      ++examples;
    }
  }
  BOOST_TEST(examples > 10U);
}

BOOST_AUTO_TEST_CASE(the_inventory_of_the_page_is_read) {
  const auto subject = parse_inventory(between("hosts.ini -->\n```ini\n", "```"), "hosts.ini");
  BOOST_REQUIRE_MESSAGE(subject, subject.error());
  const auto site = expand_node_set(subject->group("site").value());
  BOOST_REQUIRE(site);
  BOOST_TEST(fold_names(*site) == "web-[01-20],db-[1-2]");
  BOOST_TEST(to_address(subject->to_machine("bastion").value()) == "192.0.2.1:2222");
  BOOST_TEST(to_address(subject->to_machine("db-2").value()) == "ops@db-2:22");
}

BOOST_AUTO_TEST_SUITE_END()
