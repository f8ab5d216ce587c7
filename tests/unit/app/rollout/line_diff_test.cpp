#include "sshexec/app/rollout/line_diff.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <random>
#include <sstream>
#include <string>
#include <vector>

using namespace sshexec::app;

namespace {

using lines = std::vector<std::string>;

lines lines_of(const std::string& text) {
  lines result;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);)
    result.push_back(line);
  return result;
}

std::string numbers(int first, int last) {
  std::string result;
  for (int i = first; i <= last; ++i)
    result += std::to_string(i) + '\n';
  return result;
}

/// What `patch` makes of the text.
std::string patched(const std::string& before, const std::string& hunks) {
  const lines old = lines_of(before);
  std::string result;
  std::size_t next = 0;
  for (const std::string& line : lines_of(hunks)) {
    if (line.starts_with("@@ -")) {
      const bool adds_only = line.find(",0 +") != std::string::npos;
      const auto at = std::stoul(line.substr(4)) - (adds_only ? 0 : 1);
      while (next < at)
        result += old.at(next++) + '\n';
      continue;
    }
    if (line.front() != '+')
      BOOST_REQUIRE(old.at(next++) == line.substr(1));
    if (line.front() != '-')
      result += line.substr(1) + '\n';
  }
  while (next < old.size())
    result += old.at(next++) + '\n';
  return result;
}

/// By dynamic programming.
std::size_t fewest_changed_lines(const lines& a, const lines& b) {
  std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i)
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0)
        cost[i][j] = i + j;
      else if (a[i - 1] == b[j - 1])
        cost[i][j] = cost[i - 1][j - 1];
      else
        cost[i][j] = 1 + std::min(cost[i - 1][j], cost[i][j - 1]);
    }
  return cost[a.size()][b.size()];
}

std::size_t changed_lines(const std::string& hunks) {
  const auto all = lines_of(hunks);
  return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [](const std::string& x) {
    return x.front() == '+' || x.front() == '-';
  }));
}

} // namespace

BOOST_AUTO_TEST_SUITE(the_difference_of_two_texts)

BOOST_AUTO_TEST_CASE(is_told_as_diff_tells_it) {
  struct row {
    std::string before;
    std::string after;
    std::string hunks;
  };

  for (const auto& [before, after, hunks] : std::vector<row>{
         {"", "", ""},
         {"a\nb\n", "a\nb\n", ""},
         {"a\nb", "a\nb\n", ""},
         {"", "a\n", "@@ -0,0 +1 @@\n+a\n"},
         {"a\n", "", "@@ -1 +0,0 @@\n-a\n"},
         {"a\n", "b\n", "@@ -1 +1 @@\n-a\n+b\n"},
         {"\n", "\n\n", "@@ -1 +1,2 @@\n \n+\n"},
         {"a\nb\nc\n", "a\nx\ny\nc\n", "@@ -1,3 +1,4 @@\n a\n-b\n+x\n+y\n c\n"},
         {numbers(1, 9), numbers(1, 4) + "x\n" + numbers(6, 9),
          "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n"},
         // Six lines between two changes: one hunk. Seven: two.
         {numbers(1, 8), "x\n" + numbers(2, 7) + "y\n",
          "@@ -1,8 +1,8 @@\n-1\n+x\n 2\n 3\n 4\n 5\n 6\n 7\n-8\n+y\n"},
         {numbers(1, 9), "x\n" + numbers(2, 8) + "y\n",
          "@@ -1,4 +1,4 @@\n-1\n+x\n 2\n 3\n 4\n@@ -6,4 +6,4 @@\n 6\n 7\n 8\n-9\n+y\n"},
         {std::string{"\0a\n\0b\n", 6}, std::string{"\0a\n\0c\n", 6},
          std::string{"@@ -1,2 +1,2 @@\n \0a\n-\0b\n+\0c\n", 28}},
       })
    BOOST_TEST(unified_diff(before, after).value_or("given up") == hunks);
}

BOOST_AUTO_TEST_CASE(is_as_small_as_can_be_and_leads_from_one_to_the_other) {
  std::mt19937 dice{1};
  for (int round = 0; round < 2000; ++round) {
    const auto text = [&dice] {
      std::string result;
      for (auto left = dice() % 30; left > 0; --left)
        result += std::string(1, static_cast<char>('a' + dice() % 4)) + '\n';
      return result;
    };
    const std::string before = text();
    const std::string after = text();
    const auto hunks = unified_diff(before, after);
    BOOST_REQUIRE(hunks.has_value());
    BOOST_REQUIRE_MESSAGE(patched(before, *hunks) == after, before << "->\n" << after << *hunks);
    BOOST_REQUIRE(changed_lines(*hunks) == fewest_changed_lines(lines_of(before), lines_of(after)));
  }
}

BOOST_AUTO_TEST_CASE(is_given_up_where_it_would_be_too_large) {
  BOOST_TEST(unified_diff("a\nb\n", "c\nd\n", 4).has_value());
  BOOST_TEST(!unified_diff("a\nb\n", "c\nd\n", 3).has_value());
  const std::string longest(most_compared_lines, '\n');
  BOOST_TEST(unified_diff(longest, longest).has_value());
  BOOST_TEST(!unified_diff(longest, longest + '\n').has_value());
}

BOOST_AUTO_TEST_SUITE_END()
