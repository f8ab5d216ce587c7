#include "sshexec/app/authority/run_authority.hpp"
#include "sshexec/app/demo/demo.hpp"
#include "sshexec/app/descriptors.hpp"
#include "sshexec/app/guide/completion.hpp"
#include "sshexec/app/guide/manual.hpp"
#include "sshexec/app/report.hpp"
#include "sshexec/app/rollout/run_rollout.hpp"
#include "sshexec/app/serve/serve.hpp"
#include "sshexec/app/tool_parser.hpp"

#include <CLI/CLI.hpp>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

/// On stdout. Returns the exit code.
int print(const std::string& text) {
  const auto error = write_all(STDOUT_FILENO, text);
  return error ? report_failed_output(error) : 0;
}

/// What is asked of a command line that was read.
int obey(tool_parser& parsed, const std::vector<std::string>& words) {
  if (parsed.complete->parsed())
    return print(to_text(complete(parsed.tool, words)));
  if (parsed.manual->parsed())
    return print(manual_page(parsed.tool));
  if (parsed.demo->parsed())
    return run_demo();
  if (parsed.authority->parsed())
    return run_authority(parsed.certificates);
  if (parsed.serve->parsed())
    return answer(to_request(parsed.daemon), serve);
  if (parsed.one.targets.empty() && !parsed.many.results_file) {
    complain("target is required (see sshexec --help)");
    return exit_error;
  }
  if (words.empty()) {
    complain("the command is missing: put -- before it (see sshexec run --help)");
    return exit_error;
  }
  parsed.one.words = words;
  if (is_rollout(*parsed.run, parsed.one))
    return answer(to_request(parsed.one, parsed.many), run_rollout);
  return answer(to_request(parsed.one), run_command);
}

int run_tool(int argc, char** argv) {
  tool_parser parser;
  // CLI11 would take a word such as "[a, b]" for a list and change it: the command is not for it.
  char** const end = argv + argc;
  char** const dashes = std::find(argv, end, std::string_view{"--"});
  try {
    parser.tool.parse(static_cast<int>(dashes - argv), argv);
  } catch (const CLI::Success& answered) {
    return parser.tool.exit(answered);
  } catch (const CLI::ExtrasError& error) {
    const bool lacks_dashes = parser.run->parsed() && dashes == end;
    complain(std::string{error.what()}
             + (lacks_dashes ? ": put -- before the command" : " (see sshexec --help)"));
    return exit_error;
  } catch (const CLI::ParseError& error) {
    complain(std::string{error.what()} + " (see sshexec --help)");
    return exit_error;
  }
  if (dashes != end && !parser.run->parsed() && !parser.complete->parsed()) {
    complain("only sshexec run takes a command after --");
    return exit_error;
  }
  return obey(parser, {std::min(dashes + 1, end), end});
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
