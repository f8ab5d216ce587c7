#include "sshexec/app/rollout/rollout_options.hpp"

#include "sshexec/app/command_line.hpp"
#include "sshexec/app/configuration.hpp"
#include "sshexec/app/quantities.hpp"
#include "sshexec/app/rollout/portions.hpp"
#include "sshexec/app/rollout/result_lines.hpp"
#include "sshexec/app/rollout/selection.hpp"
#include "sshexec/app/rollout/targets.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <fstream>
#include <limits>
#include <random>
#include <string_view>
#include <system_error>
#include <utility>

namespace sshexec::app {

namespace {

using failed = tl::unexpected<std::string>;
using checked = tl::expected<void, std::string>;

/// The headings of these options in the help.
constexpr const char* which_machines = "Many machines: which";
constexpr const char* in_which_order = "Many machines: in which order, and how far";
constexpr const char* what_is_printed = "Many machines: what is printed";

/// CLI11's own words for a number that does not fit are a range of floating-point numbers.
std::string complaint_about_count(const std::string& text) {
  std::uint32_t count = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, count);
  if (error == std::errc{} && stop == end && count > 0)
    return {};
  return fmt::format("'{}' is no number of machines from 1 to {}", text,
                     std::numeric_limits<std::uint32_t>::max());
}

void add_selection(CLI::App& run, rollout_options& x) {
  run.add_option("-x,--exclude", x.excluded, "without these; may be given several times")
    ->type_name("SET")
    ->allow_extra_args(false)
    ->take_all()
    ->group(which_machines);
  run.add_option("-X,--exclude-group", x.excluded_groups, "the same for a group: -X db is -x @db")
    ->type_name("GROUP")
    ->allow_extra_args(false)
    ->take_all()
    ->group(which_machines);
  run
    .add_option("--inventory", x.inventory_file,
                "groups and machines: a list, an INI file of Ansible's,\n"
                "or a program that prints its JSON")
    ->type_name("FILE")
    ->group(which_machines);
  run
    .add_option("--rerun", x.results_file,
                "instead of targets: those that failed or were never\n"
                "started, by the lines of an earlier --json")
    ->type_name("FILE")
    ->group(which_machines);
  run.add_option("--pick", x.pick, "only so many of them, at random")
    ->type_name("NUMBER")
    ->check(complaint_about_count, "")
    ->group(which_machines);
  run.add_flag("--dry-run", x.dry_run, "list them in their steps, and connect to none")
    ->group(which_machines);
  run.add_flag("--confirm", x.confirm, "ask on the terminal before more than one is touched")
    ->group(which_machines);
}

void add_course(CLI::App& run, rollout_options& x) {
  run.add_option("--at-once", x.at_once, "machines under way at the same time (default: 50)")
    ->type_name("NUMBER")
    ->check(complaint_about_count, "")
    ->group(in_which_order);
  run
    .add_option("--steps", x.steps,
                "start so many, then so many, …, the last repeated; each\n"
                "step when the one before has ended: 1,10%,100%")
    ->type_name("LIST")
    ->group(in_which_order);
  run.add_option("--pause", x.pause, "between two steps")->type_name("TIME")->group(in_which_order);
  run
    .add_option("--max-failures", x.max_failures,
                "start no other machine once there are more than so many\n"
                "failures, or more than such a share: 3 or 5%")
    ->type_name("NUMBER")
    ->group(in_which_order);
  run
    .add_option("--when-exceeded", x.when_exceeded,
                "then let those under way finish (default), or cancel them")
    ->type_name("RULE")
    ->check(one_of({"finish", "cancel"}))
    ->group(in_which_order);
  run
    .add_flag("--shuffle{random}", x.shuffle,
              "in random order; the same --shuffle=SEED gives the same")
    ->group(in_which_order);
  run
    .add_flag("--expand", x.expand,
              "replace %h (host), %u (user), %p (port), %n (number)\n"
              "and %% in the command")
    ->group(in_which_order);
}

void add_printing(CLI::App& run, rollout_options& x) {
  CLI::Option* gather = run.add_flag("-b,--gather", x.gather,
                                     "at the end, equal outputs of equal exit codes together");
  gather->group(what_is_printed)->excludes(run.get_option("--json"));
  run
    .add_flag("--diff", x.compare,
              "with --gather: of the other outputs only what differs\n"
              "from the most frequent one")
    ->needs(gather)
    ->group(what_is_printed);
  run.add_flag("--no-prefix", x.without_prefix, "lines without the machine's name")
    ->group(what_is_printed);
  run.add_option("--color", x.colour, "names in colour: auto (default), always, or never")
    ->type_name("WHEN")
    ->check(one_of({"auto", "always", "never"}))
    ->group(what_is_printed);
  run
    .add_option("--output-dir", x.output_directory,
                "write NAME.stdout and NAME.stderr there, and print no\nlines")
    ->type_name("DIRECTORY")
    ->group(what_is_printed);
  run.add_flag("-S,--largest", x.largest, "exit with the largest exit code of all commands")
    ->group(what_is_printed);
  CLI::Option* quiet
    = run.add_flag("-q,--quiet", x.quiet, "no progress; a summary only if something went wrong");
  quiet->group(what_is_printed);
  run
    .add_flag("-v,--verbose", x.verbose,
              "name machines that are under way for much longer than\nthe others took")
    ->excludes(quiet)
    ->group(what_is_printed);
}

bool is_of_many(const CLI::Option& option) {
  const auto& group = option.get_group();
  return group == which_machines || group == in_which_order || group == what_is_printed;
}

tl::expected<inventory, std::string> read_known(const rollout_options& many) {
  return many.inventory_file ? read_inventory(*many.inventory_file) : inventory{};
}

/// The names in the file of an earlier run.
tl::expected<std::vector<std::string>, std::string> read_names(const std::string& file,
                                                               std::vector<std::string>& remarks) {
  std::ifstream lines{file, std::ios::binary};
  if (!lines)
    return failed{file + ": cannot be opened: " + std::system_category().message(errno)};
  auto results = read_results(lines);
  if (!results)
    return failed{file + ": " + results.error()};
  if (!results->is_complete)
    remarks.push_back(file + " has no summary: machines that have no line in it are left out");
  return std::move(results->unsuccessful);
}

tl::expected<std::uint64_t, std::string> seed_of(const rollout_options& many) {
  if (many.shuffle.value_or("random") == "random")
    return std::uint64_t{std::random_device{}()};
  std::uint64_t seed = 0;
  const std::string& text = *many.shuffle;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, seed);
  if (error != std::errc{} || stop != end)
    return failed{"'" + text + "' is no seed for --shuffle: a number is wanted"};
  return seed;
}

checked choose_machines(const run_options& one, const rollout_options& many, run_request& common,
                        rollout_request& request) {
  if (many.results_file.has_value() != one.targets.empty())
    return failed{one.targets.empty() ? "target is required (see sshexec --help)"
                                      : "either targets or --rerun, not both"};
  wanted_machines wanted;
  wanted.parse = [&one](const std::string& name) { return make_machine(one, name); };
  wanted.targets = one.targets;
  wanted.excluded = many.excluded;
  for (const std::string& group : many.excluded_groups)
    wanted.excluded.push_back('@' + group);
  wanted.groups = std::move(common.groups);
  auto known = read_known(many);
  if (!known)
    return failed{known.error()};
  wanted.known = std::move(*known);
  if (many.results_file) {
    auto names = read_names(*many.results_file, request.remarks);
    if (!names)
      return failed{names.error()};
    wanted.names = std::move(*names);
  }
  auto machines = find_machines(wanted);
  if (!machines)
    return failed{machines.error()};
  // After a rerun of what succeeded, there is nothing to do.
  if (machines->empty() && !many.results_file)
    return failed{"no machine is left to run the command on"};
  for (const std::string& name : names_of_groups(*machines, wanted))
    request.remarks.push_back("'" + name + "' is taken for a machine; the group is '@" + name
                              + "'");
  for (machine& x : *machines)
    apply_login(one, x);
  request.what.machines = std::move(*machines);
  return {};
}

checked choose_order(const rollout_options& many, rollout_request& request) {
  if (!many.shuffle && !many.pick)
    return {};
  const auto seed = seed_of(many);
  if (!seed)
    return failed{seed.error()};
  if (many.pick)
    request.what.machines = picked(std::move(request.what.machines), *many.pick, *seed);
  if (many.shuffle) {
    request.what.shuffle_seed = *seed;
    if (*many.shuffle == "random")
      request.remarks.push_back("the order is that of --shuffle=" + std::to_string(*seed));
  }
  return {};
}

checked choose_course(const rollout_options& many, rollout& what) {
  override_with(what.at_once, many.at_once);
  what.expand = many.expand;
  if (many.steps) {
    auto steps = parse_steps(*many.steps);
    if (!steps)
      return failed{"--steps: " + steps.error()};
    what.steps = std::move(*steps);
  }
  if (many.pause) {
    const auto pause = parse_duration(*many.pause);
    if (!pause)
      return failed{pause.error()};
    what.pause = *pause;
  }
  if (many.max_failures) {
    const auto limit = parse_portion(*many.max_failures);
    if (!limit)
      return failed{"--max-failures: " + limit.error()};
    what.max_failures = *limit;
  }
  if (many.when_exceeded == "cancel")
    what.when_exceeded = excess_rule::cancel;
  return {};
}

void choose_printing(const run_options& one, const rollout_options& many,
                     rollout_request& request) {
  if (one.json)
    request.form = output_form::json;
  else if (many.gather)
    request.form = many.compare ? output_form::compared : output_form::gathered;
  if (many.colour == "always")
    request.colour = colour_choice::always;
  else if (many.colour == "never")
    request.colour = colour_choice::never;
  request.has_prefix = !many.without_prefix;
  request.output_directory = many.output_directory;
  request.is_quiet = many.quiet;
  request.is_verbose = many.verbose;
  request.wants_largest = many.largest;
  request.is_dry_run = many.dry_run;
  request.asks = many.confirm;
  request.feeds_stdin = one.with_stdin;
}

/// What goes with one machine alone, or only with some kind of output.
checked check(const run_options& one, const rollout_options& many) {
  if (one.pty)
    return failed{"--pty is for one machine"};
  if (one.max_output && !one.json && !many.gather)
    return failed{"--max-output goes with --json or --gather when there are many machines"};
  return {};
}

/// Each machine gets one command, so its connection is of no use to anybody when that has ended.
constexpr caf::timespan time_of_unused_connections = std::chrono::milliseconds{1};

} // namespace

void add_rollout_options(CLI::App& run, rollout_options& x) {
  add_selection(run, x);
  add_course(run, x);
  add_printing(run, x);
}

bool is_rollout(const CLI::App& run, const run_options& one) {
  if (one.targets.size() > 1 || (one.targets.size() == 1 && is_set(one.targets.front())))
    return true;
  const auto given = run.get_options(
    [](const CLI::Option* option) { return option->count() > 0 && is_of_many(*option); });
  return !given.empty();
}

tl::expected<rollout_request, std::string> to_request(const run_options& one,
                                                      const rollout_options& many) {
  rollout_request request;
  if (const auto fits = check(one, many); !fits)
    return failed{fits.error()};
  auto common = to_request_for_any(one);
  if (!common)
    return failed{common.error()};
  request.what.command = std::move(common->what);
  // It is that of all of them here.
  request.what.deadline = std::exchange(request.what.command.deadline, caf::none);
  if (many.gather && !one.max_output)
    request.what.command.max_output = caf::none;
  request.config = std::move(common->config);
  request.config.idle_timeout = time_of_unused_connections;
  request.system = std::move(common->system);
  request.hub = std::move(common->hub);
  for (const auto& done : {choose_machines(one, many, *common, request),
                           choose_order(many, request), choose_course(many, request.what)})
    if (!done)
      return failed{done.error()};
  choose_printing(one, many, request);
  if (!many.dry_run) {
    if (const auto asked = take_password(one, request.config); !asked)
      return failed{asked.error()};
  }
  return request;
}

} // namespace sshexec::app
