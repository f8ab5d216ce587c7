#include "outcomes.hpp"
#include "sshexec/app/rollout/rollout_output.hpp"
#include "sshexec/testing/temporary_directory.hpp"

#include <boost/test/unit_test.hpp>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>

using namespace sshexec;
using namespace sshexec::app;
using namespace sshexec::test;
using namespace std::chrono_literals;

namespace {

const auto out_stream = output_stream::stdout_stream;
const auto err_stream = output_stream::stderr_stream;

/// Output that goes to files. What stands on a terminal is one of them.
struct printing {
  explicit printing(terminal_manners manners = {}) {
    request.what.machines = {machine_named("a"), machine_named("b"), machine_named("c")};
    shown.emplace(request, manners, screen{stop, out_file.get(), err_file.get()});
  }

  static output_chunk chunk(std::size_t place, output_stream stream, std::string data,
                            std::uint32_t attempt = 1) {
    output_chunk result;
    result.command_id = "run/" + std::to_string(place);
    result.stream = stream;
    result.attempt = attempt;
    result.data = std::move(data);
    return result;
  }

  static machine_outcome at(std::size_t place, machine_outcome x) {
    x.index = place;
    return x;
  }

  [[nodiscard]] std::string content(const std::string& name) const {
    std::ifstream file{directory.path() / name, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
  }

  [[nodiscard]] std::string out() const { return content("out"); }

  [[nodiscard]] std::string err() const { return content("err"); }

  [[nodiscard]] ssh::file_descriptor make(const std::string& name) const {
    return ssh::file_descriptor{
      ::open((directory.path() / name).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)};
  }

  testing::temporary_directory directory;
  ssh::file_descriptor out_file = make("out");
  ssh::file_descriptor err_file = make("err");
  stop_switch stop;
  rollout_request request;
  std::optional<rollout_output> shown;
};

constexpr terminal_manners on_terminal{true, true, true};

} // namespace

BOOST_AUTO_TEST_SUITE(the_printing_of_a_rollout)

BOOST_AUTO_TEST_CASE(lines_come_as_they_are_whole_and_the_rest_with_the_machines_end) {
  printing subject;
  subject.shown->take(printing::chunk(0, out_stream, "one\ntw"));
  subject.shown->take(printing::chunk(1, out_stream, "uno\n"));
  subject.shown->take(printing::chunk(0, err_stream, "bad"));
  BOOST_TEST(subject.out() == "a: one\nb: uno\n");
  subject.shown->take(printing::at(0, ended("a", 0)));
  BOOST_TEST(subject.out() == "a: one\nb: uno\na: tw\n");
  BOOST_TEST(subject.err() == "a: bad\n");
}

BOOST_AUTO_TEST_CASE(another_attempt_is_told_when_something_had_been_printed) {
  printing subject;
  subject.shown->take(printing::chunk(0, out_stream, "one\ntw"));
  subject.shown->take(printing::chunk(0, out_stream, "one\n", 2));
  // The end of a stream on which nothing was written.
  subject.shown->take(printing::chunk(1, out_stream, ""));
  subject.shown->take(printing::chunk(1, out_stream, "uno\n", 2));
  BOOST_TEST(subject.out() == "a: one\na: tw\na: one\nb: uno\n");
  BOOST_TEST(subject.err()
             == "a: sshexec: the connection was lost: the command runs again, and its output "
                "begins anew\n");
}

BOOST_AUTO_TEST_CASE(an_error_stands_behind_its_machines_name_in_one_line) {
  printing subject;
  auto broken = printing::at(1, failed("b", error_code::connection_error));
  broken.what.message = "refused\nby all";
  subject.shown->take(broken);
  BOOST_TEST(subject.err() == "b: sshexec: refused\\nby all\n");
}

BOOST_AUTO_TEST_CASE(the_progress_makes_way_for_what_is_written) {
  printing subject{on_terminal};
  rollout_progress now;
  now.all = 3;
  now.running = {0, 1, 2};
  subject.shown->show(now);
  subject.shown->take(printing::chunk(0, out_stream, "begun"));
  subject.shown->take(printing::chunk(0, out_stream, " line\n"));
  BOOST_TEST(subject.err() == "\r\x1b[K0 done, 0 failed, 3 running, 0 waiting\r\x1b[K");
  BOOST_TEST(subject.out() == "\x1b[32ma\x1b[0m: begun line\n");
}

BOOST_AUTO_TEST_CASE(last_words_are_left_out_only_where_all_went_well_and_nobody_wants_them) {
  for (const bool quiet : {false, true}) {
    printing good;
    good.request.is_quiet = quiet;
    good.shown->take(printing::at(0, ended("a", 0)));
    good.shown->finish({});
    BOOST_TEST(good.err().empty() == quiet);
    printing bad;
    bad.request.is_quiet = quiet;
    bad.shown->take(printing::at(0, ended("a", 1)));
    bad.shown->finish({});
    BOOST_TEST(bad.err()
               == "sshexec: 0 of 1 machine succeeded in 0.0 s\n"
                  "sshexec: exit code 1: a (1)\n");
  }
}

BOOST_AUTO_TEST_CASE(what_cannot_be_written_is_told_once) {
  printing subject;
  int failures = 0;
  subject.shown->on_failure([&failures] { ++failures; });
  subject.out_file = {};
  // A descriptor that is not open any more.
  for (int i = 0; i < 3; ++i)
    subject.shown->take(printing::chunk(0, out_stream, "line\n"));
  subject.shown->take(printing::at(0, ended("a", 0)));
  BOOST_TEST(failures == 1);
  BOOST_TEST((subject.shown->error() == std::errc::bad_file_descriptor));
}

BOOST_AUTO_TEST_CASE(the_files_of_a_machine_that_failed_are_closed) {
  printing subject;
  subject.request.output_directory = subject.directory.path();
  subject.shown.emplace(subject.request, terminal_manners{},
                        screen{subject.stop, subject.out_file.get(), subject.err_file.get()});
  const int lowest_free = ssh::file_descriptor{::dup(subject.out_file.get())}.get();
  subject.shown->take(printing::chunk(0, out_stream, "begun\n"));
  subject.shown->take(printing::at(0, failed("a", error_code::command_timeout)));
  BOOST_TEST(ssh::file_descriptor{::dup(subject.out_file.get())}.get() == lowest_free);
  BOOST_TEST(subject.content("a.stdout") == "begun\n");
}

BOOST_AUTO_TEST_CASE(files_of_an_earlier_run_are_not_taken_for_those_of_this_one) {
  printing subject;
  subject.request.output_directory = subject.directory.path();
  for (const char* name : {"a.stdout", "a.stderr", "b.stdout", "d.stdout"})
    std::ofstream{subject.directory.path() / name} << "old\n";
  subject.shown.emplace(subject.request, terminal_manners{},
                        screen{subject.stop, subject.out_file.get(), subject.err_file.get()});
  subject.shown->take(printing::at(0, failed("a", error_code::connection_error)));
  subject.shown->take(printing::at(1, never_started("b", skip_reason::cancelled)));
  for (const char* name : {"a.stdout", "a.stderr", "b.stdout"})
    BOOST_TEST(!std::filesystem::exists(subject.directory.path() / name), name);
  // Whose it is, this run does not know.
  BOOST_TEST(subject.content("d.stdout") == "old\n");
}

BOOST_AUTO_TEST_CASE(what_nobody_takes_before_it_is_to_stop_is_known_to_be_cut) {
  printing subject;
  std::array<int, 2> ends{};
  BOOST_REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  const ssh::file_descriptor reader{ends[0]};
  const ssh::file_descriptor writer{ends[1]};
  subject.shown.emplace(subject.request, terminal_manners{},
                        screen{subject.stop, writer.get(), subject.err_file.get()});
  subject.shown->take(printing::chunk(0, out_stream, "line\n"));
  BOOST_TEST(!subject.shown->was_cut());
  subject.stop.set();
  subject.shown->take(printing::chunk(0, out_stream, std::string(2 << 20, '\n')));
  BOOST_TEST(subject.shown->was_cut());
  BOOST_TEST(!subject.shown->error());
}

BOOST_AUTO_TEST_CASE(how_many_are_left_is_told_at_the_first_ctrl_c) {
  printing subject;
  rollout_progress now;
  now.all = 100;
  now.succeeded = 10;
  now.ended_otherwise = 3;
  now.failed = 2;
  now.never_started = 20;
  now.running = {0, 2};
  subject.shown->tell_what_is_left(now);
  subject.shown->tell_who_runs(now);
  BOOST_TEST(subject.err()
             == "sshexec: 2 still run, 83 will never start; Ctrl-C again ends those that run\n"
                "sshexec: 2 still run: a,c\n");
}

BOOST_AUTO_TEST_CASE(nothing_is_said_of_those_that_run_where_none_does) {
  printing subject;
  rollout_progress now;
  now.all = 3;
  now.succeeded = 1;
  subject.shown->tell_what_is_left(now);
  BOOST_TEST(subject.err() == "sshexec: none still runs, 2 will never start\n");
}

BOOST_AUTO_TEST_SUITE_END()
