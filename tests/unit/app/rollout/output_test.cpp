#include "outcomes.hpp"
#include "sshexec/app/rollout/colours.hpp"
#include "sshexec/app/rollout/gathered_outputs.hpp"
#include "sshexec/app/rollout/labelled_lines.hpp"
#include "sshexec/app/rollout/line_diff.hpp"
#include "sshexec/app/rollout/output_files.hpp"
#include "sshexec/testing/temporary_directory.hpp"

#include <boost/test/unit_test.hpp>

#include <fstream>
#include <iterator>
#include <set>

using namespace sshexec;
using namespace sshexec::app;
using namespace sshexec::test;

namespace {

std::string content(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

} // namespace

BOOST_AUTO_TEST_SUITE(the_output_of_many)

BOOST_AUTO_TEST_CASE(a_line_stands_behind_its_machines_name_as_soon_as_it_is_whole) {
  labelled_lines lines{"web-1: "};
  BOOST_TEST(lines.take("on") == "");
  BOOST_TEST(lines.take("e\ntwo\nthr") == "web-1: one\nweb-1: two\n");
  BOOST_TEST(lines.take("\n\n") == "web-1: thr\nweb-1: \n");
  BOOST_TEST(lines.finish() == "");
}

BOOST_AUTO_TEST_CASE(what_comes_behind_the_last_line_is_a_line_of_its_own) {
  labelled_lines lines{"web-1: "};
  BOOST_TEST(lines.take("no end") == "");
  BOOST_TEST(lines.finish() == "web-1: no end\n");
  BOOST_TEST(lines.finish() == "");
}

BOOST_AUTO_TEST_CASE(a_line_is_broken_only_where_it_is_longer_than_the_bound) {
  const std::string longest(labelled_lines::longest, 'x');
  labelled_lines lines{"a: "};
  BOOST_TEST(lines.take(longest) == "");
  BOOST_TEST(lines.take("\n") == "a: " + longest + '\n');
  BOOST_TEST(lines.take(longest + "y") == "a: " + longest + '\n');
  BOOST_TEST(lines.finish() == "a: y\n");
}

BOOST_AUTO_TEST_CASE(bytes_are_not_changed) {
  const std::string bytes{"\0\r\x1b\xff", 4};
  labelled_lines lines;
  BOOST_TEST(lines.take(bytes + '\n') == bytes + '\n');
}

BOOST_AUTO_TEST_CASE(a_terminal_gets_colours_unless_somebody_refuses) {
  const auto automatic = colour_choice::automatic;
  BOOST_TEST(wants_colours(automatic, true, nullptr, "xterm"));
  BOOST_TEST(wants_colours(automatic, true, "", "xterm"));
  BOOST_TEST(!wants_colours(automatic, true, "1", "xterm"));
  BOOST_TEST(!wants_colours(automatic, true, nullptr, "dumb"));
  BOOST_TEST(!wants_colours(automatic, false, nullptr, "xterm"));
  BOOST_TEST(wants_colours(colour_choice::always, false, "1", "dumb"));
  BOOST_TEST(!wants_colours(colour_choice::never, true, nullptr, "xterm"));
}

BOOST_AUTO_TEST_CASE(only_the_name_is_coloured) {
  BOOST_TEST(label_of("web-1", 0, false) == "web-1: ");
  BOOST_TEST(label_of("web-1", 0, true) == "\x1b[32mweb-1\x1b[0m: ");
  BOOST_TEST(label_of("web-6", 5, true) == "\x1b[32mweb-6\x1b[0m: ");
}

BOOST_AUTO_TEST_CASE(equal_outputs_are_gathered_the_largest_group_first) {
  gathered_outputs gathered;
  for (const auto& x : {ended("a", 0, "old\n"), ended("b", 0, "new\n"), ended("c", 1, "new\n"),
                        ended("d", 0, "new\n"), ended_by_signal("e", "KILL")})
    gathered.add(x);
  BOOST_TEST(gathered.text(in_angles)
             == "---------------\n<b d> (2)\n---------------\nnew\n"
                "---------------\n<a>\n---------------\nold\n"
                "---------------\n<c>, exit code 1\n---------------\nnew\n"
                "---------------\n<e>, signal KILL\n---------------\n");
}

BOOST_AUTO_TEST_CASE(other_groups_are_shown_by_what_differs_from_the_largest_one) {
  gathered_outputs gathered;
  std::string unlike;
  for (std::size_t i = 0; i <= most_changed_lines; ++i)
    unlike += "x\n";
  for (const auto& x :
       {ended("odd", 0, "one\n2\n"), ended("a", 0, "one\ntwo\n"), ended("b", 0, "one\ntwo\n"),
        ended("code", 3, "one\ntwo\n"), ended("unlike", 0, unlike)})
    gathered.add(x);
  const std::string rule = "---------------\n";
  BOOST_TEST(gathered.differences(in_angles)
             == rule + "<a b> (2)\n" + rule + "one\ntwo\n" + rule + "<odd>\n" + rule
                  + "--- <a b>\n+++ <odd>\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n" + rule
                  + "<code>, exit code 3, the same output\n" + rule + rule
                  + "<unlike>, too much differs to compare\n" + rule + unlike);
}

BOOST_AUTO_TEST_CASE(what_a_machine_wrote_before_it_failed_is_gathered_too) {
  gathered_outputs gathered;
  auto late = failed("a", error_code::command_timeout);
  late.what.output.stdout_data = "so far\n";
  late.what.output.stdout_bytes = 7;
  gathered.add(late);
  gathered.add(failed("b", error_code::connection_error));
  gathered.add(never_started("c", skip_reason::cancelled));
  BOOST_TEST(gathered.text(in_angles)
             == "---------------\n<a>, command_timeout\n---------------\nso far\n");
}

BOOST_AUTO_TEST_CASE(gathered_output_ends_with_its_line) {
  gathered_outputs gathered;
  auto both = ended("a", 0, "no end");
  both.result.output.stderr_data = "nor here";
  both.result.output.stdout_bytes = 1000;
  gathered.add(both);
  BOOST_TEST(gathered.text(in_angles)
             == "---------------\n<a>, output cut\n---------------\nno end\nnor here\n");
}

BOOST_AUTO_TEST_CASE(a_file_name_is_harmless_and_tells_its_machine) {
  BOOST_TEST(file_name_of("web-1") == "web-1");
  BOOST_TEST(file_name_of("root@10.0.0.1:2222") == "root@10.0.0.1:2222");
  BOOST_TEST(file_name_of("ssh://a/b") == "ssh:%2F%2Fa%2Fb");
  BOOST_TEST(file_name_of("..") == "%2E.");
  BOOST_TEST(file_name_of("a%b") == "a%25b");
  BOOST_TEST(file_name_of("[::1]:22") == "%5B::1%5D:22");
  std::set<std::string> names;
  for (const char* end : {"", "x", "y"}) {
    const std::string name = file_name_of(std::string(300, '/') + end);
    BOOST_TEST(name.size() < 245U);
    names.insert(name);
  }
  BOOST_TEST(names.size() == 3U);
}

BOOST_AUTO_TEST_CASE(each_machine_has_two_files_and_another_attempt_begins_them_anew) {
  const testing::temporary_directory place;
  const auto directory = std::filesystem::path{place.path()} / "deep" / "er";
  output_files files{directory};
  const auto out = output_stream::stdout_stream;
  BOOST_TEST(!files.write("a", out, 1, "one "));
  BOOST_TEST(!files.write("b", output_stream::stderr_stream, 1, "bad"));
  BOOST_TEST(!files.write("a", out, 1, "two"));
  BOOST_TEST(content(directory / "a.stdout") == "one two");
  BOOST_TEST(!files.write("a", out, 2, "again"));
  for (const char* name : {"a", "b", "silent"})
    BOOST_TEST(!files.finish(name));
  BOOST_TEST(content(directory / "a.stdout") == "again");
  BOOST_TEST(content(directory / "b.stderr") == "bad");
  for (const char* empty : {"a.stderr", "b.stdout", "silent.stdout", "silent.stderr"})
    BOOST_TEST(std::filesystem::file_size(directory / empty) == 0U, empty);
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_written_is_named) {
  const testing::temporary_directory place;
  const auto directory = std::filesystem::path{place.path()};
  std::filesystem::create_directory(directory / "a.stderr");
  output_files files{directory};
  BOOST_TEST((files.write("a", output_stream::stdout_stream, 1, "x") == std::errc::is_a_directory));
  BOOST_TEST(files.failed_path() == directory / "a.stderr");
}

BOOST_AUTO_TEST_CASE(a_directory_that_cannot_be_made_is_named) {
  const testing::temporary_directory place;
  const auto path = std::filesystem::path{place.path()} / "file";
  std::ofstream{path} << "no directory";
  BOOST_CHECK_EXCEPTION(output_files{path}, std::system_error, [&](const std::system_error& x) {
    return std::string{x.what()}
           == "cannot make the directory " + path.string() + ": Not a directory";
  });
}

BOOST_AUTO_TEST_SUITE_END()
