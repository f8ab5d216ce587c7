#include "actor_fixture.hpp"
#include "files.hpp"
#include "resource_limit.hpp"
#include "sshexec/actors/services/escape.hpp"
#include "sshexec/actors/services/execution_journal.hpp"
#include "sshexec/testing/temporary_directory.hpp"
#include "unescape.hpp"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr auto owner_only = fs::perms::owner_read | fs::perms::owner_write;

execution_record make_record(const std::string& command_line = "uptime") {
  execution_record x;
  x.time = caf::timestamp{1'738'324'800'123'456'789ns};
  x.machine = {"web-1", "host.example", 22, "root", ""};
  x.request_id = "job-7";
  x.command_line = command_line;
  x.duration = 12'345'678ns;
  x.attempts = 2;
  x.reused_connection = true;
  return x;
}

struct journal_fixture : actor_fixture {
  journal_fixture() { config.journal = file.string(); }

  /// Writes the records and ends the journal.
  void write(const std::vector<execution_record>& records) {
    auto subject = spawn_journal(system, config);
    BOOST_REQUIRE(subject);
    for (const auto& x : records)
      self->send(*subject, x);
    end(*subject);
  }

  /// The text of the journal after one record.
  std::string written(const execution_record& x) {
    fs::remove(file);
    write({x});
    return read_file(file);
  }

  nlohmann::json written_json(const execution_record& x) {
    config.journal_format = "json";
    return nlohmann::json::parse(written(x));
  }

  /// Returns when a file holds a text.
  void wait_for_line(const std::string& name, const std::string& text) const {
    while (!contains(read_file(directory.path() / name), text))
      std::this_thread::yield();
  }

  /// Returns when all records that were sent have been handled.
  void finish_records(const execution_journal_actor& subject) {
    self->request(subject, caf::infinite, reopen_atom_v).receive([] {}, [](caf::error&) {});
  }

  testing::temporary_directory directory;
  fs::path file = directory.path() / "journal.log";
  settings config;
};

/// Lets no file of this process grow beyond a size.
class file_size_limit {
public:
  explicit file_size_limit(rlim_t size) { limit_.emplace(RLIMIT_FSIZE, size); }

  file_size_limit(const file_size_limit&) = delete;
  file_size_limit& operator=(const file_size_limit&) = delete;

  ~file_size_limit() {
    limit_.reset();
    std::signal(SIGXFSZ, former_handler_);
  }

private:
  void (*former_handler_)(int) = std::signal(SIGXFSZ, SIG_IGN);
  std::optional<resource_limit> limit_;
};

std::size_t count_lines(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(journal_test, journal_fixture)

BOOST_AUTO_TEST_CASE(a_command_that_ran_is_one_line_with_all_its_fields) {
  auto x = make_record();
  x.exit_code = 3;
  BOOST_TEST(
    written(x)
    == "2025-01-31T12:00:00.123Z id=\"web-1\" machine=\"root@host.example:22\" outcome=ok "
       "exit=3 duration_ms=12.346 attempts=2 reused=true request=\"job-7\" command=\"uptime\"\n");
}

BOOST_AUTO_TEST_CASE(a_notice_is_a_line_of_its_own) {
  for (const std::string format : {"plain", "json"}) {
    config.journal_format = format;
    auto subject = *spawn_journal(system, config);
    self->send(subject, notice_atom_v, "update \"libssh\"");
    end(subject);
  }
  const std::string text = read_file(file);
  BOOST_TEST(contains(text, "Z notice=\"update \\\"libssh\\\"\"\n"));
  BOOST_TEST(contains(text, "\"notice\":\"update \\\"libssh\\\"\"}\n"));
}

BOOST_AUTO_TEST_CASE(a_failure_tells_its_kind_and_message_and_no_exit_code) {
  auto x = make_record();
  x.outcome = error_code::connection_error;
  x.message = "Connection refused";
  const auto text = written(x);
  BOOST_TEST(contains(text, " outcome=connection_error duration"));
  BOOST_TEST(contains(text, " message=\"Connection refused\" request=\"job-7\" "));
}

BOOST_AUTO_TEST_CASE(a_signal_stands_in_place_of_the_exit_code) {
  auto x = make_record();
  x.exit_signal = "KILL";
  BOOST_TEST(contains(written(x), " outcome=ok signal=\"KILL\" duration"));
}

BOOST_AUTO_TEST_CASE(a_newline_in_a_command_cannot_forge_a_line) {
  for (const std::string format : {"plain", "json"}) {
    config.journal_format = format;
    const auto text = written(make_record("true\"\n2025-01-31T12:00:00.000Z id=\"root\"\r\u2028"));
    BOOST_TEST(count_lines(text) == 1u);
    BOOST_TEST(!contains(text, "\r"));
    BOOST_TEST(!contains(text, "\u2028"));
  }
}

BOOST_AUTO_TEST_CASE(no_other_field_can_forge_a_line_either) {
  for (const std::string format : {"plain", "json"}) {
    config.journal_format = format;
    auto x = make_record();
    x.machine = {"id\"\n", "host\n", 22, "user\n", ""};
    x.outcome = error_code::connection_error;
    x.message = "message\"\n\xff";
    x.exit_signal = "TERM\n";
    BOOST_TEST(count_lines(written(x)) == 1u);
  }
}

BOOST_AUTO_TEST_CASE(text_is_not_taken_for_a_format) {
  BOOST_TEST(contains(written(make_record("echo {} {0} %v %n %s")), "\"echo {} {0} %v %n %s\""));
}

BOOST_AUTO_TEST_CASE(a_json_line_holds_all_fields) {
  auto x = make_record();
  x.exit_code = 3;
  BOOST_TEST(written_json(x)
             == nlohmann::json::parse(
               R"({"time": "2025-01-31T12:00:00.123Z", "id": "web-1",
                   "machine": "root@host.example:22", "outcome": "ok", "exit": 3,
                   "duration_ms": 12.345678, "attempts": 2, "reused": true,
                   "request": "job-7", "command": "uptime"})"));
}

BOOST_AUTO_TEST_CASE(a_json_line_holds_a_command_as_it_is) {
  for (const std::string line :
       {R"(echo "hi" | tr '\n' x)", "a\nb\t\x01", "größe\u2028\U000e0041🚀"})
    BOOST_TEST((written_json(make_record(line))["command"].get<std::string>() == line));
}

BOOST_AUTO_TEST_CASE(a_json_line_holds_bytes_that_are_no_utf8_as_base64) {
  const auto line = written_json(make_record(std::string("a\0b\377", 4)));
  BOOST_TEST(line["command_base64"] == "YQBi/w==");
  BOOST_TEST(!line.contains("command"));
}

BOOST_AUTO_TEST_CASE(all_records_sent_before_the_end_are_written_in_their_order) {
  std::vector<execution_record> records;
  for (int i = 0; i < 1000; ++i)
    records.push_back(make_record("command " + std::to_string(i)));
  write(records);
  const auto text = read_file(file);
  BOOST_TEST(count_lines(text) == records.size());
  std::size_t at = 0;
  for (const auto& x : records)
    at = std::min(text.find('"' + x.command_line + '"', at), text.size());
  BOOST_TEST(at < text.size());
}

BOOST_AUTO_TEST_CASE(a_journal_goes_on_where_it_ended) {
  write({make_record("first")});
  write({make_record("second")});
  BOOST_TEST(count_lines(read_file(file)) == 2u);
}

BOOST_AUTO_TEST_CASE(a_new_file_is_for_its_owner_alone) {
  write({make_record()});
  BOOST_TEST((fs::status(config.journal).permissions() == owner_only));
}

BOOST_AUTO_TEST_CASE(a_full_file_is_rotated_and_the_new_one_is_for_its_owner_alone) {
  config.journal_max_size = 200;
  config.journal_max_files = 2;
  write({make_record("1"), make_record("2"), make_record("3"), make_record("4")});
  BOOST_TEST(contains(read_file(file), "\"4\""));
  BOOST_TEST((fs::status(file).permissions() == owner_only));
  BOOST_TEST(contains(read_file(directory.path() / "journal.1.log"), "\"3\""));
  BOOST_TEST(contains(read_file(directory.path() / "journal.2.log"), "\"2\""));
  BOOST_TEST(!fs::exists(directory.path() / "journal.3.log"));
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_opened_is_a_configuration_error_that_names_it) {
  fs::create_directory(file);
  const auto reason = spawn_journal(system, config).error();
  BOOST_TEST(is(reason, error_code::configuration_error));
  BOOST_TEST(contains(to_failure(reason).message, file.string()));
  BOOST_TEST(contains(to_failure(reason).message, "Is a directory"));
}

BOOST_AUTO_TEST_CASE(a_journal_that_is_reopened_loses_no_line_to_a_renamed_file) {
  auto subject = spawn_journal(system, config);
  BOOST_REQUIRE(subject);
  const fs::path old_file = directory.path() / "journal.log.1";
  self->send(*subject, make_record("before"));
  fs::rename(file, old_file);
  self->send(*subject, make_record("between"));
  self->send(*subject, reopen_atom_v);
  self->send(*subject, make_record("after"));
  end(*subject);
  BOOST_TEST(contains(read_file(old_file), "before"));
  BOOST_TEST(contains(read_file(old_file), "between"));
  BOOST_TEST(contains(read_file(file), "after"));
  BOOST_TEST(count_lines(read_file(old_file)) == 2);
  BOOST_TEST(count_lines(read_file(file)) == 1);
  BOOST_TEST((fs::status(file).permissions() == owner_only));
}

BOOST_AUTO_TEST_CASE(a_journal_that_cannot_be_reopened_goes_on_in_the_old_file) {
  auto subject = spawn_journal(system, config);
  BOOST_REQUIRE(subject);
  const fs::path old_file = directory.path() / "journal.log.1";
  fs::rename(file, old_file);
  fs::create_directory(file);
  self->send(*subject, reopen_atom_v);
  self->send(*subject, make_record("after"));
  end(*subject);
  BOOST_TEST(contains(read_file(old_file), "after"));
}

BOOST_AUTO_TEST_CASE(a_full_disk_does_not_end_the_journal) {
  config.journal = "/dev/full";
  auto subject = spawn_journal(system, config);
  BOOST_REQUIRE(subject);
  self->monitor(*subject);
  self->send(*subject, make_record());
  self->send(*subject, make_record());
  self->send_exit(*subject, caf::exit_reason::user_shutdown);
  self->receive(
    [](const caf::down_msg& x) { BOOST_TEST((x.reason == caf::exit_reason::user_shutdown)); });
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_rotated_is_written_on_and_keeps_all_its_lines) {
  config.journal_max_size = 200;
  config.journal_max_files = 1;
  // No file can take the name of a folder that holds something.
  fs::create_directories(directory.path() / "journal.1.log" / "x");
  write({make_record("1"), make_record("2"), make_record("3")});
  BOOST_TEST(count_lines(read_file(file)) == 3u);
}

BOOST_AUTO_TEST_CASE(a_file_whose_folder_is_gone_for_a_while_loses_no_line) {
  config.journal = (directory.path() / "folder" / "journal.log").string();
  config.journal_max_size = 200;
  fs::create_directory(directory.path() / "folder");
  auto subject = spawn_journal(system, config);
  BOOST_REQUIRE(subject);
  self->send(*subject, make_record("before"));
  wait_for_line("folder/journal.log", "before");
  fs::rename(directory.path() / "folder", directory.path() / "moved");
  self->send(*subject, make_record("meanwhile"));
  wait_for_line("moved/journal.log", "meanwhile");
  fs::rename(directory.path() / "moved", directory.path() / "folder");
  self->send(*subject, make_record("after"));
  end(*subject);
  BOOST_TEST(contains(read_file(directory.path() / "folder/journal.1.log"), "before"));
  BOOST_TEST(contains(read_file(directory.path() / "folder/journal.1.log"), "meanwhile"));
  BOOST_TEST(contains(read_file(directory.path() / "folder/journal.log"), "after"));
}

BOOST_AUTO_TEST_CASE(a_file_that_was_removed_is_made_anew_before_the_next_line) {
  auto subject = spawn_journal(system, config);
  BOOST_REQUIRE(subject);
  self->send(*subject, make_record("before"));
  wait_for_line("journal.log", "before");
  fs::remove(file);
  self->send(*subject, make_record("after"));
  end(*subject);
  BOOST_TEST(contains(read_file(file), "after"));
}

BOOST_AUTO_TEST_CASE(writing_is_tried_again_at_each_record_and_each_line_stands_alone) {
  auto subject = spawn_journal(system, config);
  BOOST_REQUIRE(subject);
  {
    const file_size_limit limit{100};
    self->send(*subject, make_record("torn"));
    self->send(*subject, make_record("lost"));
    while (fs::file_size(file) < 100)
      std::this_thread::yield();
    finish_records(*subject);
  }
  self->send(*subject, make_record("whole"));
  end(*subject);
  const auto text = read_file(file);
  BOOST_TEST(contains(text, "\n2025-01-31T12:00:00.123Z"));
  BOOST_TEST(contains(text, "\"whole\"\n"));
  BOOST_TEST(count_lines(text) == 2u);
}

BOOST_AUTO_TEST_CASE(two_that_write_to_one_file_lose_no_line_when_it_is_rotated) {
  config.journal_max_size = 2000;
  config.journal_max_files = 100;
  auto one = spawn_journal(system, config);
  auto other = spawn_journal(system, config);
  BOOST_REQUIRE(one);
  BOOST_REQUIRE(other);
  for (int i = 0; i < 200; ++i) {
    self->send(*one, make_record());
    self->send(*other, make_record());
  }
  end(*one);
  end(*other);
  std::size_t lines = 0;
  for (const auto& x : fs::directory_iterator{directory.path()})
    lines += count_lines(read_file(x.path()));
  BOOST_TEST(lines == 400u);
}

BOOST_AUTO_TEST_CASE(a_folder_that_does_not_exist_is_a_configuration_error) {
  config.journal = (directory.path() / "new" / "journal.log").string();
  const auto reason = spawn_journal(system, config).error();
  BOOST_TEST(is(reason, error_code::configuration_error));
  BOOST_TEST(contains(to_failure(reason).message, config.journal));
  BOOST_TEST(!fs::exists(directory.path() / "new"));
}

BOOST_AUTO_TEST_CASE(a_journal_to_nowhere_takes_records) {
  config.journal = "none";
  write({make_record()});
  BOOST_TEST(!fs::exists("none"));
}

BOOST_AUTO_TEST_SUITE_END()
