#include "sshexec/actors/pool/command_ledger.hpp"

#include "sshexec/actors/runtime/request_id.hpp"

#include <algorithm>
#include <utility>

namespace sshexec {

execution& command_ledger::add(ssh::exec_id id, execution&& x) {
  stages_[index(x.where_)].insert(id);
  by_caller_.emplace(x.caller, x.command.id, id);
  if (x.command.output_to)
    by_consumer_.emplace(x.command.output_to.address(), id);
  return commands_.emplace(id, std::move(x)).first->second;
}

void command_ledger::remove(ssh::exec_id id) {
  const auto i = commands_.find(id);
  const execution& x = i->second;
  stages_[index(x.where_)].erase(id);
  count_tracked(x, -1);
  by_caller_.erase({x.caller, x.command.id, id});
  if (x.command.output_to)
    by_consumer_.erase({x.command.output_to.address(), id});
  commands_.erase(i);
}

execution* command_ledger::find(ssh::exec_id id) {
  const auto i = commands_.find(id);
  return i != commands_.end() ? &i->second : nullptr;
}

void command_ledger::move(ssh::exec_id id, stage to) {
  execution& x = commands_.at(id);
  if (x.where_ == to)
    return;
  count_tracked(x, -1);
  stages_[index(to)].insert(stages_[index(x.where_)].extract(id));
  x.where_ = to;
  count_tracked(x, 1);
}

void command_ledger::count_tracked(const execution& x, int change) {
  if (x.command.tracked && is_on_channel(x.where_))
    tracked_on_channels_ += change;
}

std::size_t command_ledger::on_channels() const {
  return in(stage::opening).size() + in(stage::running).size() + in(stage::ending).size();
}

command_ledger::ids command_ledger::of_caller(const caf::actor_addr& caller) const {
  ids result;
  for (auto i = by_caller_.lower_bound({caller, {}, 0});
       i != by_caller_.end() && std::get<0>(*i) == caller; ++i)
    result.push_back(std::get<2>(*i));
  std::sort(result.begin(), result.end());
  return result;
}

command_ledger::ids command_ledger::of_caller(const caf::actor_addr& caller,
                                              const std::string& name) const {
  const meant_ids meant{name};
  ids result;
  for (auto i = by_caller_.lower_bound({caller, meant.first(), 0});
       i != by_caller_.end() && std::get<0>(*i) == caller && meant.contains(std::get<1>(*i)); ++i)
    result.push_back(std::get<2>(*i));
  std::sort(result.begin(), result.end());
  return result;
}

void command_ledger::consumer_ended(const caf::actor_addr& consumer) {
  const auto first = by_consumer_.lower_bound({consumer, 0});
  auto i = first;
  for (; i != by_consumer_.end() && i->first == consumer; ++i)
    commands_.at(i->second).command.output_to = nullptr;
  by_consumer_.erase(first, i);
}

command_ledger::ids command_ledger::all() const {
  ids result;
  result.reserve(commands_.size());
  for (const auto& [id, x] : commands_)
    result.push_back(id);
  return result;
}

command_ledger::ids command_ledger::with_id(const std::string& request_id) const {
  ids result;
  for (const auto& [id, x] : commands_) {
    if (x.command.id == request_id)
      result.push_back(id);
  }
  return result;
}

} // namespace sshexec
