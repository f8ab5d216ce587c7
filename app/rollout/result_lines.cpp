#include "sshexec/app/rollout/result_lines.hpp"

#include "sshexec/actors/services/escape.hpp"
#include "sshexec/actors/services/json_bytes.hpp"
#include "sshexec/app/report.hpp"
#include "sshexec/app/rollout/rollout_account.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <istream>
#include <unordered_map>

namespace sshexec::app {

namespace {

using json = nlohmann::ordered_json;

std::string in_one_line(const json& x) {
  return x.dump(-1, ' ', false, json::error_handler_t::replace);
}

json to_object(const machine_outcome& x) {
  switch (x.kind) {
    case outcome_kind::ended:
      return to_json_object(x.result);
    case outcome_kind::failed:
      return to_json_object(make_failure(x.code, x.what));
    case outcome_kind::never_started:
      break;
  }
  return {{"reason", to_string(x.reason)}};
}

template <class Map, class Name>
json counts(const Map& x, Name name) {
  json result = json::object();
  for (const auto& [key, count] : x)
    result[name(key)] = count;
  return result;
}

/// Whether the command ended with exit code 0.
bool tells_success(const json& line) {
  const auto outcome = line.find("outcome");
  const auto code = line.find("exit_code");
  return outcome != line.end() && *outcome == to_string(outcome_kind::ended) && code != line.end()
         && code->is_number_integer() && *code == 0;
}

bool may_be_cut(const std::string& text, const json& parsed) {
  return text.starts_with('{') && parsed.is_discarded();
}

} // namespace

std::string to_json_line(const machine_outcome& x) {
  const std::string name = name_of(x.machine);
  json line;
  line["machine"] = is_utf8(name) ? name : escape(name);
  line["index"] = x.index;
  line["outcome"] = to_string(x.kind);
  line.update(to_object(x));
  return in_one_line(line);
}

std::string to_json_line(const rollout_summary& x) {
  json summary;
  summary["schema"] = result_schema;
  summary["all"] = x.all;
  summary["succeeded"] = x.succeeded;
  summary["exit_codes"] = counts(x.exit_codes, [](int code) { return std::to_string(code); });
  summary["errors"] = counts(x.errors, [](error_code code) { return to_string(code); });
  summary["never_started"]
    = counts(x.never_started, [](skip_reason reason) { return to_string(reason); });
  summary["duration_ms"] = std::chrono::duration<double, std::milli>{x.duration}.count();
  return in_one_line({{"summary", summary}});
}

tl::expected<earlier_results, std::string> read_results(std::istream& lines) {
  earlier_results result;
  std::vector<std::string> names;
  // Of several lines of one machine, the last one counts: files may be put together.
  std::unordered_map<std::string, bool> succeeded;
  std::string text;
  for (int number = 1; std::getline(lines, text); ++number) {
    if (text.empty())
      continue;
    const bool is_unfinished = lines.eof();
    const json line = json::parse(text, nullptr, false);
    if (is_unfinished && may_be_cut(text, line))
      break;
    if (line.is_object() && line.contains("summary")) {
      result.is_complete = true;
      continue;
    }
    if (!line.is_object() || !line.contains("machine") || !line["machine"].is_string())
      return tl::unexpected{"line " + std::to_string(number)
                            + " is no line of sshexec run --json for many machines"};
    const std::string name = line["machine"];
    if (succeeded.find(name) == succeeded.end())
      names.push_back(name);
    succeeded[name] = tells_success(line);
  }
  if (lines.bad())
    return tl::unexpected<std::string>{"it cannot be read"};
  if (names.empty() && !result.is_complete)
    return tl::unexpected<std::string>{"it tells of no machine and has no summary"};
  for (std::string& name : names)
    if (!succeeded[name])
      result.unsuccessful.push_back(std::move(name));
  return result;
}

} // namespace sshexec::app
