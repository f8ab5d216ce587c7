#include "sshexec/app/rollout/preparation.hpp"

#include "sshexec/actors/fleet/node_set.hpp"
#include "sshexec/actors/fleet/start_order.hpp"
#include "sshexec/actors/services/escape.hpp"
#include "sshexec/app/descriptors.hpp"
#include "sshexec/app/rollout/fates.hpp"
#include "sshexec/app/rollout/portions.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <utility>

namespace sshexec::app {

namespace {

using failed = tl::unexpected<std::string>;

/// It is kept in memory, and is part of each command.
constexpr std::size_t largest_input = std::size_t{16} << 20;

constexpr std::size_t longest_answer = 256;

} // namespace

std::string list_of_steps(const rollout& what) {
  const auto order = start_order(what.machines, what.shuffle_seed);
  const auto sizes = sizes_of_steps(what.steps, order.size());
  std::string lines;
  auto next = order.begin();
  for (std::size_t step = 0; step < sizes.size(); ++step) {
    lines += fmt::format("# step {} of {}: {} machine{}\n", step + 1, sizes.size(), sizes[step],
                         sizes[step] == 1 ? "" : "s");
    for (std::size_t i = 0; i < sizes[step]; ++i)
      lines += escape_controls(name_of(what.machines[*next++])) + '\n';
  }
  return lines;
}

tl::expected<void, std::string> ask_for_consent(const rollout& what) {
  const ssh::file_descriptor terminal{::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)};
  if (!terminal)
    return failed{"--confirm needs a terminal to ask on"};
  std::vector<std::string> names;
  for (const machine& x : what.machines)
    names.push_back(name_of(x));
  write_all(terminal.get(), fmt::format("Run on {} machines: {}? [y/N] ", names.size(),
                                        escape_controls(fold_names(names))));
  const auto answer = read_some(terminal.get(), longest_answer);
  if (!answer || (!answer->starts_with('y') && !answer->starts_with('Y')))
    return failed{"not confirmed: nothing was run"};
  return {};
}

tl::expected<std::string, std::string> read_all_input() {
  constexpr std::size_t piece = std::size_t{256} << 10;
  std::string all;
  while (true) {
    const auto data = read_some(STDIN_FILENO, piece);
    if (!data)
      return failed{"cannot read stdin: " + data.error().message()};
    if (data->empty())
      return all;
    all += *data;
    if (all.size() > largest_input)
      return failed{"stdin has more than 16 MiB, which is what --stdin keeps for many machines"};
  }
}

} // namespace sshexec::app
