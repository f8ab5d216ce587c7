#include "sshexec/app/guide/manual.hpp"
#include "sshexec/app/tool_parser.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace sshexec::app;

namespace {

/// As roff has it.
std::string with_plain_hyphens(std::string text) {
  for (auto at = text.find('-'); at != std::string::npos; at = text.find('-', at + 2))
    text.insert(at, 1, '\\');
  return text;
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace

BOOST_AUTO_TEST_SUITE(the_page_of_the_manual)

BOOST_AUTO_TEST_CASE(has_every_command_and_option_that_help_has) {
  const tool_parser parser;
  const std::string page = manual_page(parser.tool);
  int options = 0;
  for (const CLI::App* command : {parser.run, parser.serve, parser.demo, parser.authority}) {
    BOOST_TEST(holds(page, "\nsshexec " + command->get_name()));
    for (const CLI::Option* option : command->get_options())
      for (const std::string& name : option->get_lnames()) {
        BOOST_TEST(holds(page, "\\fB" + with_plain_hyphens("--" + name) + "\\fR"), name);
        ++options;
      }
  }
  BOOST_TEST(options > 50);
  BOOST_TEST(!holds(page, parser.complete->get_description()));
}

BOOST_AUTO_TEST_CASE(has_what_stands_behind_the_options) {
  const tool_parser parser;
  const std::string page = manual_page(parser.tool);
  for (const char* part :
       {".SH NAME\nsshexec \\- runs commands on machines over SSH\n", ".SS Exit codes\n",
        ".SS Files\n", ".SS Environment\n", "\n  SSHEXEC_HUB ", "\n  124    the time was up"})
    BOOST_TEST(holds(page, part), part);
}

BOOST_AUTO_TEST_CASE(means_what_the_text_says_whatever_roff_makes_of_it) {
  CLI::App tool{"Does \\fBthis\\fR.", "tool"};
  tool.add_subcommand("do", "'quoted' and `so` ~ ^ …");
  tool.footer("Heading:\n  .example - 1\n\nText.\n.text");
  const std::string page = manual_page(tool);
  for (const char* part :
       {"Does \\efBthis\\efR.\n", "\\(aqquoted\\(aq and \\(gaso\\(ga \\(ti \\(ha \\[u2026].\n",
        ".SS Heading\n.nf\n  .example \\- 1\n.fi\n.PP\nText.\n\\&.text\n"})
    BOOST_TEST(holds(page, part), page);
}

BOOST_AUTO_TEST_SUITE_END()
