#include "sshexec/app/rollout/gathered_outputs.hpp"

#include "sshexec/actors/services/escape.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace sshexec::app {

namespace {

constexpr std::string_view rule = "---------------\n";

std::string as_lines(const std::string& data) {
  return data.empty() || data.ends_with('\n') ? data : data + '\n';
}

} // namespace

void gathered_outputs::add(const machine_outcome& x) {
  const bool has_ended = x.kind == outcome_kind::ended;
  const command_output& output = has_ended ? x.result.output : x.what.output;
  if (!has_ended && output.stdout_data.empty() && output.stderr_data.empty())
    return;
  group& mine = groups_[{fate_of(x), output.stdout_data, output.stderr_data}];
  if (mine.names.empty())
    mine.place = groups_.size();
  mine.is_cut = mine.is_cut || output.truncated();
  mine.names.push_back(name_of(x.machine));
}

std::string gathered_outputs::text(const folding& fold) const {
  std::vector<std::map<ending, group>::const_iterator> order;
  for (auto i = groups_.begin(); i != groups_.end(); ++i)
    order.push_back(i);
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return std::pair{b->second.names.size(), a->second.place}
           < std::pair{a->second.names.size(), b->second.place};
  });
  std::string blocks;
  for (const auto& i : order)
    blocks += block(i->first, i->second, fold);
  return blocks;
}

std::string gathered_outputs::block(const ending& how, const group& who, const folding& fold) {
  const auto& [end, out, err] = how;
  std::string header = escape_controls(fold(who.names));
  if (who.names.size() > 1)
    header += " (" + std::to_string(who.names.size()) + ')';
  if (!end.text.empty())
    header += ", " + end.text;
  if (who.is_cut)
    header += ", output cut";
  return std::string{rule} + header + '\n' + std::string{rule} + as_lines(out) + as_lines(err);
}

} // namespace sshexec::app
