#include "sshexec/app/rollout/gathered_outputs.hpp"

#include "sshexec/actors/services/escape.hpp"
#include "sshexec/app/rollout/line_diff.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace sshexec::app {

namespace {

constexpr std::string_view rule = "---------------\n";

std::string as_lines(const std::string& data) {
  return data.empty() || data.ends_with('\n') ? data : data + '\n';
}

template <class Group>
std::string output_of(const Group& x) {
  const auto& [end, out, err] = x.first;
  return as_lines(out) + as_lines(err);
}

template <class Group>
std::string header_of(const Group& x, const folding& fold, const std::string& remark) {
  const fate& end = std::get<fate>(x.first);
  std::string text = escape_controls(fold(x.second.names));
  if (x.second.names.size() > 1)
    text += " (" + std::to_string(x.second.names.size()) + ')';
  if (!end.text.empty())
    text += ", " + end.text;
  if (x.second.is_cut)
    text += ", output cut";
  return std::string{rule} + text + remark + '\n' + std::string{rule};
}

/// What differs from the output of the largest group.
template <class Group>
std::string difference(const Group& largest, const Group& x, const folding& fold) {
  const auto hunks = unified_diff(output_of(largest), output_of(x));
  if (!hunks)
    return header_of(x, fold, ", too much differs to compare") + output_of(x);
  if (hunks->empty())
    return header_of(x, fold, ", the same output");
  return header_of(x, fold, "") + "--- " + escape_controls(fold(largest.second.names)) + "\n+++ "
         + escape_controls(fold(x.second.names)) + '\n' + *hunks;
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
  std::string blocks;
  for (const auto& i : in_order())
    blocks += header_of(*i, fold, "") + output_of(*i);
  return blocks;
}

std::string gathered_outputs::differences(const folding& fold) const {
  std::string blocks;
  const auto order = in_order();
  for (const auto& i : order)
    blocks += i == order.front() ? header_of(*i, fold, "") + output_of(*i)
                                 : difference(*order.front(), *i, fold);
  return blocks;
}

std::vector<gathered_outputs::groups::const_iterator> gathered_outputs::in_order() const {
  std::vector<groups::const_iterator> order;
  for (auto i = groups_.begin(); i != groups_.end(); ++i)
    order.push_back(i);
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return std::pair{b->second.names.size(), a->second.place}
           < std::pair{a->second.names.size(), b->second.place};
  });
  return order;
}

} // namespace sshexec::app
