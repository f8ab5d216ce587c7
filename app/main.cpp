#include "sshexec/app/authority.hpp"
#include "sshexec/app/command_line.hpp"
#include "sshexec/app/demo/demo.hpp"
#include "sshexec/app/descriptors.hpp"
#include "sshexec/app/report.hpp"
#include "sshexec/app/rollout/rollout_options.hpp"
#include "sshexec/app/rollout/run_rollout.hpp"
#include "sshexec/app/run/run_options.hpp"
#include "sshexec/app/serve/serve.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <csignal>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace {

using namespace sshexec::app;

/// What `ask` makes of a request, or its complaint.
template <class Request, class Ask>
int answer(tl::expected<Request, std::string> request, Ask ask) {
  if (request)
    return ask(std::move(*request));
  complain(request.error());
  return exit_error;
}

int run_tool(int argc, char** argv) {
  CLI::App tool{"Runs commands on machines over SSH.", "sshexec"};
  tool.set_version_flag("--version", SSHEXEC_VERSION);
  tool.require_subcommand(1);

  run_options options;
  CLI::App* run = tool.add_subcommand("run", "Run one command on one machine, or on many");
  add_run_options(*run, options);
  rollout_options many;
  add_rollout_options(*run, many);
  refuse_empty_values(*run);
  CLI::App* demo = tool.add_subcommand(
    "demo", "Run a few commands on SSH servers that this demo starts itself, on loopback");

  serve_options daemon;
  CLI::App* serve
    = tool.add_subcommand("serve", "Let other processes run commands through this one");
  add_serve_options(*serve, daemon);
  std::string directory;
  CLI::App* authority = tool.add_subcommand(
    "authority", "Make a private certificate authority, and certificates for a hub and a client");
  authority->add_option("directory", directory, "where its files go")->required();

  // CLI11 would take a word such as "[a, b]" for a list and change it: the command is not for it.
  char** const end = argv + argc;
  char** const dashes = std::find(argv, end, std::string_view{"--"});
  try {
    tool.parse(static_cast<int>(dashes - argv), argv);
  } catch (const CLI::Success& answered) {
    return tool.exit(answered);
  } catch (const CLI::ExtrasError& error) {
    const bool lacks_dashes = run->parsed() && dashes == end;
    complain(std::string{error.what()}
             + (lacks_dashes ? ": put -- before the command" : " (see sshexec --help)"));
    return exit_error;
  } catch (const CLI::ParseError& error) {
    complain(std::string{error.what()} + " (see sshexec --help)");
    return exit_error;
  }
  if (dashes != end && !run->parsed()) {
    complain("only sshexec run takes a command after --");
    return exit_error;
  }
  if (demo->parsed())
    return run_demo();
  if (authority->parsed())
    return run_authority(directory);
  if (serve->parsed())
    return answer(to_request(daemon), sshexec::app::serve);
  if (options.targets.empty() && !many.results_file) {
    complain("target is required (see sshexec --help)");
    return exit_error;
  }
  if (end - dashes < 2) {
    complain("the command is missing: put -- before it (see sshexec run --help)");
    return exit_error;
  }
  options.words.assign(dashes + 1, end);
  if (is_rollout(*run, options))
    return answer(to_request(options, many), run_rollout);
  return answer(to_request(options), run_command);
}

} // namespace

int main(int argc, char** argv) {
  occupy_standard_descriptors();
  raise_descriptor_limit();
  // A reader of our output that went away is a failed write, not a silent end.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return run_tool(argc, argv);
  } catch (const std::exception& error) {
    complain(error.what());
    return exit_error;
  }
}
