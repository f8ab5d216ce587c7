#include "sshexec/app/guide/completion.hpp"
#include "sshexec/app/tool_parser.hpp"

#include <boost/test/unit_test.hpp>

#include <sstream>
#include <string>
#include <vector>

using namespace sshexec::app;

namespace {

using words = std::vector<std::string>;

/// The tool's own command line, and names that do not depend on the machine.
struct at_a_prompt {
  tool_parser parser;
  named_files asked;

  /// The words that the last one may become, with blanks between them.
  std::string after(const words& typed) {
    std::string result;
    for (const auto& [word, about] : ask(typed).candidates)
      result += (result.empty() ? "" : " ") + word;
    return result;
  }

  completion ask(const words& typed) {
    return complete(parser.tool, typed, [this](const named_files& files) {
      asked = files;
      return known_names{{"db-1", "web-1", "web-2", "web-\x1b[2J"}, {"db", "web"}};
    });
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(the_completion_of_a_command_line, at_a_prompt)

BOOST_AUTO_TEST_CASE(knows_commands_options_and_their_values) {
  struct row {
    words typed;
    std::string expected;
  };

  for (const auto& [typed, expected] : std::vector<row>{
         {{""}, "run demo serve authority"},
         {{"r"}, "run"},
         {{"comp"}, ""},
         {{"--v"}, "--version"},
         {{"run", "--host"}, "--host-key-policy"},
         {{"run", "-q"}, "-q"},
         {{"run", "--retry", ""}, "always not-started never"},
         {{"run", "--retry", "n"}, "not-started never"},
         {{"run", "--retry=n"}, "--retry=not-started --retry=never"},
         {{"run", "--json=n"}, ""},
         {{"run", "-t", ""}, ""},
         {{"run", "-q", "--color", "al"}, "always"},
         // Short options may stand together, and their value at once behind them.
         {{"run", "-bS", "web-1"}, "web-1"},
         {{"run", "-bt", "web-1"}, ""},
         {{"run", "-bt5s", "web-1"}, "web-1"},
         {{"serve", "--journal-f"}, "--journal-format"},
         {{"serve", "--journal-format", "j"}, "json"},
         {{"demo", ""}, ""},
         {{}, ""},
       })
    BOOST_TEST(after(typed) == expected);
}

BOOST_AUTO_TEST_CASE(knows_machines_and_groups_wherever_a_set_goes_on) {
  struct row {
    words typed;
    std::string expected;
  };

  for (const auto& [typed, expected] : std::vector<row>{
         {{"run", ""}, "@db @web db-1 web-1 web-2"},
         {{"run", "web-1", "w"}, "web-1 web-2"},
         {{"run", "@"}, "@db @web"},
         {{"run", "root@d"}, "root@db-1"},
         {{"run", "ssh://root@d"}, "ssh://root@db-1"},
         {{"run", "x,d"}, "x,db-1"},
         {{"run", "@web!@d"}, "@web!@db"},
         {{"run", "a[1,2],d"}, "a[1,2],db-1"},
         {{"run", "a[1,d"}, ""},
         {{"run", "-x", "@w"}, "@web"},
         {{"run", "--exclude=w"}, "--exclude=web-1 --exclude=web-2"},
         {{"run", "-X", "w"}, "web"},
         // The command is none of our business.
         {{"run", "web-1", "--", ""}, ""},
         {{"run", "web-1", "--", "--ho"}, ""},
       })
    BOOST_TEST(after(typed) == expected);
}

BOOST_AUTO_TEST_CASE(leaves_files_to_the_shell) {
  struct row {
    words typed;
    completion::kind of;
    std::string path;
  };

  for (const auto& [typed, of, path] : std::vector<row>{
         {{"run", "-i", "ke"}, completion::kind::files, "ke"},
         {{"run", "--inventory=ho"}, completion::kind::files, "ho"},
         {{"run", "--output-dir", ""}, completion::kind::directories, ""},
         {{"authority", "t"}, completion::kind::directories, "t"},
         {{"serve", "--journal", "j"}, completion::kind::files, "j"},
       }) {
    const auto found = ask(typed);
    BOOST_TEST((found.of == of));
    BOOST_TEST(found.path == path);
  }
}

BOOST_AUTO_TEST_CASE(asks_for_names_in_the_files_that_are_named) {
  ask({"run", "--config", "c", "--inventory=hosts", "--known-hosts", "k", ""});
  BOOST_TEST(asked.config.value_or("") == "c");
  BOOST_TEST(asked.inventory.value_or("") == "hosts");
  BOOST_TEST(asked.known_hosts.value_or("") == "k");
  ask({"run", ""});
  BOOST_TEST(!asked.config.has_value());
}

BOOST_AUTO_TEST_CASE(is_a_line_for_each_word_with_what_it_is_about) {
  BOOST_TEST(to_text(ask({"d"}))
             == "demo\tRun a few commands on SSH servers that this demo starts itself, on "
                "loopback\n");
  BOOST_TEST(to_text(ask({"run", "--color=n"})) == "--color=never\n");
  BOOST_TEST(to_text(ask({"run", "--rerun=re"})) == ":files\tre\n");
}

BOOST_AUTO_TEST_CASE(takes_plain_names_of_known_hosts_alone) {
  std::istringstream file{"# comment, with words\n"
                          "\n"
                          "a,192.0.2.1 ssh-ed25519 AAAA\n"
                          "[b]:2222,[2001:db8::1]:2222,2001:db8::2 ssh-ed25519 AAAA comment\n"
                          "|1|salt=|hash= ssh-ed25519 AAAA\n"
                          "*.example,!x.example,c ssh-ed25519 AAAA\n"
                          "@revoked d ssh-ed25519 AAAA\n"
                          "no-key\n"
                          "[ ssh-ed25519 AAAA\n"};
  const words expected{"a", "192.0.2.1", "b:2222", "[2001:db8::1]:2222", "2001:db8::2", "c"};
  BOOST_TEST(names_of_known_hosts(file) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
