#include "sshexec/app/tool_parser.hpp"

#include "sshexec/app/command_line.hpp"

namespace sshexec::app {

namespace {

constexpr const char* surroundings = R"(
Files:
  ~/.ssh/id_ed25519, ~/.ssh/id_ecdsa, ~/.ssh/id_rsa
                        private keys, where none is named
  ~/.ssh/known_hosts    host keys on record, where no other file is named
  /etc/ssh/ssh_known_hosts
                        the same for all users of this machine

Environment:
  SSH_AUTH_SOCK         the agent whose keys are offered, too
  SSHEXEC_HUB           the hub that commands go through
  NO_COLOR              if it is not empty: no colours
  TERM                  the terminal for --pty; if it is "dumb": no colours, no progress
)";

} // namespace

tool_parser::tool_parser() : tool("Runs commands on machines over SSH.", "sshexec") {
  tool.set_version_flag("--version", SSHEXEC_VERSION);
  tool.require_subcommand(1);

  run = tool.add_subcommand("run", "Run one command on one machine, or on many");
  add_run_options(*run, one);
  add_rollout_options(*run, many);
  refuse_empty_values(*run);
  demo = tool.add_subcommand(
    "demo", "Run a few commands on SSH servers that this demo starts itself, on loopback");
  serve = tool.add_subcommand("serve", "Let other processes run commands through this one");
  add_serve_options(*serve, daemon);
  authority = tool.add_subcommand(
    "authority", "Make a private certificate authority, and certificates for hubs and clients");
  add_authority_options(*authority, certificates);

  const std::string hidden;
  complete = tool.add_subcommand("complete", "Tell a shell how its command line may go on");
  complete->group(hidden);
  manual = tool.add_subcommand("manual", "Print the page of the manual, for man");
  manual->group(hidden);
  // The commands would inherit it.
  tool.footer(surroundings);
}

} // namespace sshexec::app
