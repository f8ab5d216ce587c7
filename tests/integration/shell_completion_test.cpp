#include "sshexec/testing/process.hpp"
#include "sshexec/testing/temporary_directory.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

using namespace sshexec;

namespace {

/// What is typed, and the words that its last one may become.
struct typed_line {
  std::string line;
  std::string expected;
};

/// Shells in a directory with files for the tool.
struct shells {
  shells() {
    std::ofstream{file("hosts")} << "[db]\ndb-[1-2]\n";
    std::ofstream{file("known")} << "web-1,[web-2]:2222 ssh-ed25519 AAAA\n";
    std::ofstream{file("c.conf")} << "[sshexec.groups]\nweb = \"web-[1-2]\"\n";
    std::filesystem::create_directory(file("dir"));
  }

  [[nodiscard]] std::string file(const std::string& name) const { return directory.path() / name; }

  /// The lines that a shell's script prints, sorted, as one.
  [[nodiscard]] std::string printed(const std::string& shell, const std::string& script) const {
    std::ofstream{file("script")} << script;
    testing::run_program({"/bin/sh", "-c",
                          "cd '" + file("") + "'; HOME=$PWD PATH=$(dirname '" SSHEXEC_TOOL
                            + "'):$PATH " + shell + " script 2>&1 | LC_ALL=C sort > out"});
    std::ifstream stream{file("out")};
    std::string text{std::istreambuf_iterator<char>{stream}, {}};
    std::replace(text.begin(), text.end(), '\n', ' ');
    return text;
  }

  testing::temporary_directory directory;
};

const std::string run = "sshexec run --config c.conf --inventory hosts --known-hosts known ";

/// Where all shells say the same.
const std::vector<typed_line> common{
  {"sshexec run --host", "--host-key-policy "},
  {"sshexec run --color ", "always auto never "},
  {run, "@db @web db-1 db-2 web-1 web-2:2222 "},
  {run + "we", "web-1 web-2:2222 "},
  {run + "-i k", "known "},
  {run + "--output-dir d", "dir "},
  {run + "web-1 -- we", ""},
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(the_command_line_is_completed_by, shells)

BOOST_AUTO_TEST_CASE(bash) {
  // Which end of the last word is to be replaced, depends on the signs in it.
  const auto completed = [this](const std::string& line, const std::string& replaced) {
    return printed("bash --norc",
                   "source " SSHEXEC_COMPLETIONS "/sshexec.bash\n"
                   "compopt() { :; }\n"
                   "COMP_LINE='"
                     + line
                     + "' COMP_POINT=${#COMP_LINE}\n"
                       "_sshexec sshexec '"
                     + replaced
                     + "'\n"
                       "((${#COMPREPLY[@]} == 0)) || printf '%s\\n' \"${COMPREPLY[@]}\"\n");
  };
  for (const auto& [line, expected] : common)
    BOOST_TEST(completed(line, line.substr(line.rfind(' ') + 1)) == expected, line);
  BOOST_TEST(completed("sshexec ", "") == "authority demo run serve ");
  BOOST_TEST(completed("sshexec run --color=a", "a") == "always auto ");
  BOOST_TEST(completed("sshexec run --inventory=h", "h") == "hosts ");
  BOOST_TEST(completed(run + "web-1,@w", "@w") == "@web ");
  BOOST_TEST(completed(run + "root@web-2:", "") == "2222 ");
  BOOST_TEST(completed(run + "\"x,web-1", "x,web-1") == "x,web-1 ");
}

BOOST_AUTO_TEST_CASE(zsh) {
  // In the place of the editor's own functions stand those that print what they are given.
  const auto completed = [this](const std::string& line) {
    return printed(
      "zsh -f",
      "compadd() { print -rl -- \"${(@P)@[-1]}\" }\n"
      "compset() { PREFIX=${PREFIX#$~2} }\n"
      "_files() { [[ $1 == -/ ]] && print -rl -- $PREFIX*(/) || print -rl -- $PREFIX*(.) }\n"
      "words=(${(z):-'"
        + line
        + "'}) PREFIX=\n"
          "[[ '"
        + line
        + "' == *' ' ]] || PREFIX=$words[-1]\n"
          "[[ -n $PREFIX ]] || words+=('')\n"
          "CURRENT=$#words\n"
          "complete_it() { source " SSHEXEC_COMPLETIONS "/_sshexec }\n"
          "complete_it\n");
  };
  for (const auto& [line, expected] : common)
    BOOST_TEST(completed(line) == (expected.empty() ? " " : expected), line);
  BOOST_TEST(completed("sshexec ") == "authority demo run serve ");
  BOOST_TEST(completed("sshexec run --color=a") == "--color=always --color=auto ");
  BOOST_TEST(completed("sshexec run --inventory=h") == "hosts ");
  BOOST_TEST(completed(run + "web-1,@w") == "web-1,@web ");
  BOOST_TEST(completed(run + "root@web-2:") == "root@web-2:2222 ");
}

BOOST_AUTO_TEST_CASE(fish) {
  // Without what the words are about, and without the sign of a directory.
  const auto completed = [this](const std::string& line) {
    return printed("fish --no-config", "source " SSHEXEC_COMPLETIONS "/sshexec.fish\n"
                                       "complete -C '"
                                         + line + "' | string replace -r '(/|)(\\t.*|)$' ''\n");
  };
  for (const auto& [line, expected] : common)
    BOOST_TEST(completed(line) == expected, line);
  BOOST_TEST(completed("sshexec ") == "authority demo run serve ");
  BOOST_TEST(completed("sshexec run --color=a") == "--color=always --color=auto ");
  BOOST_TEST(completed("sshexec run --inventory=h") == "--inventory=hosts ");
  BOOST_TEST(completed(run + "web-1,@w") == "web-1,@web ");
  BOOST_TEST(completed(run + "root@web-2:") == "root@web-2:2222 ");
}

BOOST_AUTO_TEST_SUITE_END()
