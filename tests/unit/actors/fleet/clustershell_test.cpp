// Node sets at random, read and folded here, must mean to ClusterShell what they mean here.

#include "files.hpp"
#include "sshexec/actors/fleet/node_set.hpp"
#include "sshexec/testing/process.hpp"
#include "sshexec/testing/temporary_directory.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <random>
#include <sstream>
#include <string>
#include <vector>

namespace {

using namespace sshexec;
using namespace sshexec::test;

/// Debian's, which has Debian's clustershell.
constexpr const char* python = "/usr/bin/python3";

/// Reads node sets from one file and writes the sorted names of each to another, a line for a line.
constexpr const char* script = R"(
import sys
from ClusterShell.NodeSet import NodeSet, RESOLVER_NOGROUP
with open(sys.argv[1]) as questions, open(sys.argv[2], "w") as answers:
    for line in questions:
        names = NodeSet(line.strip(), resolver=RESOLVER_NOGROUP) if line.strip() else []
        print(*sorted(names), file=answers)
)";

std::string join(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  std::string result;
  for (const std::string& name : names)
    result.append(result.empty() ? "" : " ").append(name);
  return result;
}

std::vector<std::string> ask_clustershell(const std::vector<std::string>& node_sets) {
  const testing::temporary_directory folder;
  const auto questions = (folder.path() / "questions").string();
  const auto answers = (folder.path() / "answers").string();
  std::string text;
  for (const std::string& x : node_sets)
    text += x + '\n';
  write_file(questions, text);
  testing::require_program({python, "-c", script, questions, answers});
  std::istringstream in{read_file(answers)};
  std::vector<std::string> result;
  for (std::string line; std::getline(in, line);)
    result.push_back(line);
  return result;
}

/// Makes node sets of the kinds that both understand: ClusterShell takes no brackets side by side,
/// and reads digits beside a bracket in ways of its own.
class generator {
public:
  explicit generator(unsigned seed) : random_(seed) {}

  std::string node_set() {
    std::string result = operand();
    for (int more = pick(4); more > 0; --more)
      result += std::string{",,,!&^"[pick(6)]} + operand();
    return result;
  }

private:
  int pick(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }

  std::string operand() {
    std::string result{"ab"[pick(2)]};
    for (int more = pick(3); more > 0; --more)
      result += (pick(2) == 0 ? bracket() : number()) + "x-.y"[pick(4)];
    return pick(2) == 0 ? result : result + bracket();
  }

  std::string bracket() {
    std::string result = "[" + range();
    for (int more = pick(3); more > 0; --more)
      result += "," + range();
    return result + "]";
  }

  std::string range() {
    const bool is_padded = pick(3) == 0;
    const int first = pick(12);
    const int last = first + pick(is_padded ? 12 : 20);
    const auto text = [&](int value) {
      const std::string digits = std::to_string(value);
      return is_padded && digits.size() < 2 ? '0' + digits : digits;
    };
    if (pick(3) == 0)
      return text(first);
    return text(first) + "-" + text(last) + (pick(3) == 0 ? "/" + std::to_string(1 + pick(7)) : "");
  }

  std::string number() { return std::to_string(pick(12)); }

  std::mt19937 random_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(clustershell)

BOOST_AUTO_TEST_CASE(random_node_sets_mean_the_same_to_clustershell) {
  constexpr unsigned count = 500;
  std::vector<std::string> texts;
  std::vector<std::string> expected;
  for (unsigned seed = 1; seed <= count; ++seed) {
    const std::string text = generator{seed}.node_set();
    const auto names = expand_node_set(text);
    BOOST_REQUIRE_MESSAGE(names, names.error());
    texts.insert(texts.end(), {text, fold_names(*names)});
    expected.insert(expected.end(), 2, join(*names));
  }
  const auto answers = ask_clustershell(texts);
  BOOST_REQUIRE(answers.size() == texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i)
    BOOST_TEST(answers[i] == expected[i], "seed " << i / 2 + 1 << ": " << texts[i]);
}

BOOST_AUTO_TEST_SUITE_END()
