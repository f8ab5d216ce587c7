// The table of keywords against the manual page at hand, and docs/ssh-config.md against the table.

#include "files.hpp"
#include "sshexec/ssh/config/keywords.hpp"
#include "sshexec/ssh/lower_case.hpp"
#include "sshexec/testing/process.hpp"
#include "sshexec/testing/temporary_directory.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

namespace {

using namespace sshexec;
using namespace sshexec::test;

/// What a shell command writes.
std::string output_of(const std::string& command) {
  const testing::temporary_directory folder;
  const auto file = (folder.path() / "output").string();
  testing::run_program({"/bin/sh", "-c", "exec 2>/dev/null; { " + command + "; } > " + file});
  return read_file(file);
}

/// The keywords that the source of the manual page lists; what they take begins with a small
/// letter.
std::set<std::string> keywords_of_manual() {
  std::istringstream page{
    output_of("zcat -f /usr/share/man/man5/ssh_config.5 /usr/share/man/man5/ssh_config.5.gz")};
  std::set<std::string> result;
  std::string macro;
  std::string style;
  std::string word;
  for (std::string line; std::getline(page, line);) {
    std::istringstream words{line};
    if (words >> macro >> style >> word && macro == ".It" && style == "Cm" && word[0] >= 'A'
        && word[0] <= 'Z')
      result.insert(ssh::to_lower(word));
  }
  return result;
}

/// Those that "ssh -G" shows a value of.
std::set<std::string> keywords_of_ssh() {
  std::istringstream lines{output_of("ssh -G -F none host")};
  std::set<std::string> result;
  std::string word;
  for (std::string line; std::getline(lines, line);)
    if (std::istringstream{line} >> word)
      result.insert(ssh::to_lower(word));
  return result;
}

std::string name_of(ssh::treatment x) {
  switch (x) {
    case ssh::treatment::honoured:
      return "honoured";
    case ssh::treatment::no_meaning:
      return "passed over";
    case ssh::treatment::error_as_option:
      return "passed over; behind `-o` an error";
    case ssh::treatment::error:
      return "error";
  }
  return {};
}

/// " unless it is `no` or `false`", for an error.
std::string exception_of(const ssh::config_keyword& keyword) {
  std::istringstream words{std::string{keyword.harmless}};
  std::string result;
  for (std::string word; words >> word;)
    result += (!result.empty()               ? " or `"
               : keyword.is_harmless_in_list ? ", unless its list has `"
                                             : ", unless it is `")
              + word + '`';
  return result;
}

std::string page() {
  std::ostringstream out;
  out
    << "# OpenSSH's configuration, keyword by keyword\n\n"
       "`sshexec run` reads `~/.ssh/config` and `/etc/ssh/ssh_config`, as ssh does ([its "
       "page](tool.md)). A hub reads\nthe file that the setting `ssh-config` names "
       "([operating](operating.md)), and none without it.\n\n"
       "ssh_config(5) is read as OpenSSH 9.2 does: the first value counts, and `Host`, `Match`, "
       "`Include`, quotes,\ntokens and `${VARIABLES}` mean what they mean to ssh. A test compares "
       "both over many configurations\n(`tests/unit/ssh/config/openssh_test.cpp`).\n\n"
       "A keyword that changes neither where we connect, nor whom we trust, nor who we are, may "
       "be passed over.\nOne that would change any of these and cannot be honoured is an error "
       "where it is in force, which names\nfile, line and keyword. So is a keyword that is in no "
       "table, unless `IgnoreUnknown` names it.\n\n"
       "**Lists of algorithms in files are not applied**: `Ciphers`, `MACs`, `KexAlgorithms`, "
       "`HostKeyAlgorithms`,\n`PubkeyAcceptedAlgorithms`, and `RequiredRSASize`. Files of a site "
       "have them for all programs, as those of\nFedora and Red Hat do. sshexec offers libssh's "
       "own choice nevertheless, less the ciphers whose integrity it\ndoes not check, be the "
       "lists stricter or laxer. Whoever sets one with `-o` gets an error.\n\n"
       "This table is made of the one in `ssh/config/keywords.cpp`.\n\n"
       "| keyword | what becomes of it | |\n|---|---|---|\n";
  for (const ssh::config_keyword& x : ssh::config_keywords())
    out << "| `" << x.name << "` | " << name_of(x.treated) << exception_of(x) << " | " << x.note
        << " |\n";
  return out.str();
}

} // namespace

BOOST_AUTO_TEST_SUITE(config_keywords_test)

BOOST_AUTO_TEST_CASE(every_keyword_of_the_manual_is_in_the_table) {
  auto keywords = keywords_of_manual();
  if (keywords.empty()) {
    BOOST_TEST_MESSAGE("there is no manual page; the keywords are those of ssh -G");
    keywords = keywords_of_ssh();
  }
  BOOST_TEST(keywords.size() > 80U);
  for (const std::string& name : keywords)
    BOOST_TEST(ssh::find_keyword(name) != nullptr, name);
}

BOOST_AUTO_TEST_CASE(every_keyword_that_ssh_shows_is_in_the_table) {
  for (const std::string& name : keywords_of_ssh())
    BOOST_TEST(ssh::find_keyword(name) != nullptr, name);
}

BOOST_AUTO_TEST_CASE(every_keyword_of_the_table_says_what_becomes_of_it) {
  const std::set<std::string_view> structure{"Host", "Match", "Include"};
  for (const ssh::config_keyword& x : ssh::config_keywords()) {
    const bool is_read = x.take != nullptr || structure.contains(x.name);
    BOOST_TEST((is_read || x.treated != ssh::treatment::honoured), x.name);
    BOOST_TEST((x.treated == ssh::treatment::honoured || !x.note.empty()), x.name);
    BOOST_TEST(ssh::find_keyword(ssh::to_lower(x.name)) == &x, x.name);
  }
}

BOOST_AUTO_TEST_CASE(older_names_stand_for_present_ones) {
  BOOST_TEST(ssh::find_keyword("pubkeyacceptedkeytypes")->name == "PubkeyAcceptedAlgorithms");
  BOOST_TEST((ssh::find_keyword("protocol")->treated == ssh::treatment::no_meaning));
  BOOST_TEST(ssh::find_keyword("nosuch") == nullptr);
}

/// SSHEXEC_WRITE_SSH_CONFIG_PAGE=1 writes the page anew.
BOOST_AUTO_TEST_CASE(the_page_is_made_of_the_table) {
  if (std::getenv("SSHEXEC_WRITE_SSH_CONFIG_PAGE") != nullptr)
    std::ofstream{SSHEXEC_SSH_CONFIG_PAGE} << page();
  BOOST_TEST(page() == read_file(SSHEXEC_SSH_CONFIG_PAGE), "docs/ssh-config.md is out of date");
}

BOOST_AUTO_TEST_SUITE_END()
