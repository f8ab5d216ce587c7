#include "fuzz.hpp"
#include "sshexec/actors/services/escape.hpp"
#include "sshexec/actors/services/journal_line.hpp"
#include "sshexec/actors/services/json_bytes.hpp"
#include "unescape.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <string_view>

using namespace sshexec;
using fuzz::require;
using test::unescape;

namespace {

/// Whether a terminal, or a reader of lines, takes this text for nothing but text.
bool is_harmless(const std::string& text) {
  const bool controls
    = std::any_of(text.begin(), text.end(), [](unsigned char x) { return x < ' ' || x == 0x7f; });
  bool separators = false;
  for (const char* separator : {"\u0085", "\u009b", "\u2028", "\u2029", "\u202e", "\ufeff"})
    separators = separators || text.find(separator) != std::string::npos;
  return !controls && !separators;
}

void check_escape(const std::string& bytes) {
  const std::string escaped = escape(bytes);
  require(is_harmless(escaped) && is_harmless(escape_controls(bytes)), "no control survives");
  require(unescape(escaped) == bytes, "the bytes can be told from the escaped text");
  require(escape_controls(escape_controls(bytes)) == escape_controls(bytes),
          "text that people can read stays as it is");
}

/// The end of a text in quotes that begins at `at`, behind its closing quote.
std::size_t end_of_quoted(const std::string& line, std::size_t at) {
  for (++at; at < line.size() && line[at] != '"'; ++at)
    at += line[at] == '\\' ? 1 : 0;
  require(at < line.size(), "quotes are closed");
  return at + 1;
}

/// The fields behind the time of a plain line, by name; none may come twice.
std::map<std::string, std::string> fields_of(const std::string& line) {
  std::map<std::string, std::string> result;
  for (std::size_t at = line.find(' '); at < line.size();) {
    const std::size_t sign = line.find('=', at);
    require(line[at] == ' ' && sign != std::string::npos, "a line is a row of fields");
    const std::string name = line.substr(at + 1, sign - at - 1);
    const std::size_t value = sign + 1;
    const bool quoted = line.compare(value, 1, "\"") == 0;
    at = quoted ? end_of_quoted(line, value) : std::min(line.find(' ', value), line.size());
    const std::string text
      = quoted ? unescape(line.substr(value + 1, at - value - 2)) : line.substr(value, at - value);
    require(result.emplace(name, text).second, "a field stands once in a line");
  }
  return result;
}

void check_plain(const execution_record& x) {
  const std::string line = to_plain_line(x);
  require(is_harmless(line), "one record is one line");
  const auto fields = fields_of(line);
  require(fields.at("id") == x.machine.id, "the id is that of the record");
  require(fields.at("machine") == to_address(x.machine), "the machine is that of the record");
  require(fields.at("command") == x.command_line, "the command is that of the record");
  require(fields.contains("exit") || fields.contains("signal") || fields.at("outcome") != "ok",
          "a command that ran has an end");
}

void check_json(const execution_record& x) {
  const std::string line = to_json_line(x);
  require(is_harmless(line), "one record is one line of JSON");
  const auto object = nlohmann::json::parse(line);
  const auto holds = [&](const std::string& name, const std::string& bytes) {
    return is_utf8(bytes) ? object.value(name, "") == bytes : object.contains(name + "_base64");
  };
  require(holds("id", x.machine.id), "the id is that of the record");
  require(holds("machine", to_address(x.machine)), "the machine is that of the record");
  require(holds("command", x.command_line), "the command is that of the record");
}

execution_record make_record(fuzz::lines input) {
  execution_record x;
  const std::string numbers = input.next();
  const auto number = [&](std::size_t i) { return i < numbers.size() ? numbers[i] : 0; };
  x.time = caf::timestamp{std::chrono::hours{24 * 365} * number(0)};
  x.outcome = static_cast<error_code>(number(1));
  x.exit_code = number(2);
  x.duration = std::chrono::seconds{number(3)};
  x.machine.id = input.next();
  x.machine.hostname = input.next();
  x.machine.username = input.next();
  x.exit_signal = input.next();
  x.message = input.next();
  x.command_line = input.rest();
  return x;
}

} // namespace

/// A line of numbers, a line for each text of a record, and the rest is its command: whatever they
/// hold, the record is one line, from which all of it can be told.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes = fuzz::to_text(data, size);
  check_escape(bytes);
  execution_record x = make_record(fuzz::lines{bytes});
  check_plain(x);
  check_json(x);
  // Every other text may hold line ends as well, but for them to be told apart above.
  x.machine.id = x.machine.hostname = x.machine.username = x.message = x.exit_signal = bytes;
  check_plain(x);
  check_json(x);
  return 0;
}
