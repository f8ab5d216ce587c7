#include "files.hpp"
#include "sshexec/app/configuration.hpp"
#include "sshexec/testing/temporary_directory.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace sshexec;
using namespace sshexec::app;
using namespace sshexec::test;
using namespace std::chrono_literals;

namespace {

struct file_fixture {
  tl::expected<configuration, std::string> read(const std::string& text) const {
    write_file(file(), text);
    return read_configuration(file(), {});
  }

  std::string file() const { return (directory.path() / "sshexec.conf").string(); }

  std::string complaint_about(const std::string& text) const {
    const auto found = read(text);
    BOOST_REQUIRE_MESSAGE(!found, "taken: " << text);
    return found.error();
  }

  testing::temporary_directory directory;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(configuration_file, file_fixture)

BOOST_AUTO_TEST_CASE(a_group_or_an_option_that_does_not_exist_is_named) {
  for (const auto& [text, named] : {
         std::pair{"sshexce { user = \"x\" }\n", "sshexce"},
         {"[sshexce]\nuser = \"x\"\n", "sshexce"},
         {"sshexec { usr = \"x\" }\n", "sshexec.usr"},
         {"middleman { enable-automatic-connections = true }\n",
          "middleman.enable-automatic-connections"},
         {"middleman { hartbeat-interval = 1s }\n", "middleman.hartbeat-interval"},
         {"scheduler { max-thread = 2 }\n", "scheduler.max-thread"},
         {"logger { verbosity = 'trace' }\n", "logger"},
         {"middleman = 3\n", "middleman"},
         {"user = \"x\"\n", "user stands in no group"},
       })
    BOOST_TEST(contains(complaint_about(text), named), text << " said: " << complaint_about(text));
}

BOOST_AUTO_TEST_CASE(a_value_of_the_wrong_type_is_named_before_caf_drops_it) {
  for (const auto& [text, named] : {
         std::pair{"scheduler { policy = \"sharing\" }\n", "scheduler.policy"},
         {"scheduler { max-threads = -1 }\n", "scheduler.max-threads"},
         {"middleman { heartbeat-interval = 5 }\n", "middleman.heartbeat-interval"},
       })
    BOOST_TEST(contains(complaint_about(text), named), text << " said: " << complaint_about(text));
}

BOOST_AUTO_TEST_CASE(what_caf_is_told_is_taken) {
  const auto found = read("scheduler {\n  policy = 'stealing'\n  max-threads = 2\n}\n"
                          "middleman {\n  heartbeat-interval = 1s\n  workers = 0\n}\n");
  BOOST_REQUIRE(found);
  BOOST_TEST(caf::get<caf::timespan>(found->system, "middleman.heartbeat-interval").count()
             == caf::timespan{1s}.count());
}

BOOST_AUTO_TEST_CASE(a_file_of_any_editor_is_understood) {
  for (const std::string text : {
         "\xef\xbb\xbfsshexec { user = \"admin\" }\n",
         "sshexec {\r\n  user = \"admin\"\r\n}\r\n",
         "[sshexec]\r\nuser = \"admin\"\r\n",
         "sshexec {\n  user = \"admin\" # who\n}\n",
         "sshexec {\n  user = \"admin\" ; who\n}\n",
         "# all of it\n[sshexec]\nuser = \"admin\" # \"who\"\n",
         "sshexec { user = \"admin\" }",
       }) {
    const auto found = read(text);
    BOOST_REQUIRE_MESSAGE(found, text << " said: " << found.error());
    BOOST_TEST(found->executor.user == "admin");
  }
}

BOOST_AUTO_TEST_CASE(a_sign_of_a_comment_within_a_text_is_text) {
  const auto found = read("sshexec {\n  user = \"a#b;c\\\"#d\"\n  journal = \"/x#y\" # z\n}\n");
  BOOST_REQUIRE(found);
  BOOST_TEST(found->executor.user == "a#b;c\"#d");
  BOOST_TEST(found->executor.journal == "/x#y");
}

BOOST_AUTO_TEST_CASE(what_makes_no_sense_is_told_with_its_place) {
  const auto complaint = complaint_about("# one\r\nsshexec {\r\n  user = admin # who\r\n}\r\n");
  BOOST_TEST(complaint
             == file() + ":3: a text needs quotes: user = \"admin\", in: user = admin # who");
}

BOOST_AUTO_TEST_CASE(a_complaint_names_file_line_and_text) {
  for (const auto& [text, expected] : {
         std::pair{"sshexec {\n  user = \"a\"\n  usr = \"b\"\n}\n",
                   ":3: Option sshexec.usr does not exist"},
         {"[sshexec]\nidle-timeout = 30\n",
          ":2: Option sshexec.idle-timeout has no unit: write 30s for seconds, in: "
          "idle-timeout = 30"},
         {"[sshexec]\nmax-channels = 0\n",
          ":2: Option sshexec.max-channels is at least 1, in: max-channels = 0"},
         {"\nsshexce { user = \"x\" }\n",
          ":2: Group sshexce does not exist: sshexec, middleman and scheduler do"},
         {"[sshexec]\nuser = \"x\n", ":2: unexpected newline, in: user = \"x"},
       })
    BOOST_TEST(complaint_about(text) == file() + expected);
}

BOOST_AUTO_TEST_CASE(numbers_have_the_units_of_the_command_line) {
  const auto found = read("sshexec {\n  command-timeout = 5m # or 1d\n  idle-timeout = 1d\n"
                          "  retry-delays = [500ms,2s,5min]\n  max-output = 64K\n"
                          "  journal = \"/5m 1d\"\n}\n");
  BOOST_REQUIRE_MESSAGE(found, found.error());
  BOOST_TEST((found->executor.command_timeout == 5min));
  BOOST_TEST((found->executor.idle_timeout == 24h));
  BOOST_TEST((found->executor.retry_delays == std::vector<caf::timespan>{500ms, 2s, 5min}));
  BOOST_TEST(found->executor.max_output == 65536U);
  BOOST_TEST(found->executor.journal == "/5m 1d");
}

BOOST_AUTO_TEST_SUITE_END()
