#pragma once

#include "sshexec/app/run/hub_choice.hpp"
#include "sshexec/app/run/run_command.hpp"

#include <CLI/App.hpp>
#include <tl/expected.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sshexec::app {

/// The command line of `sshexec run` as it was given; what was not given is empty, so that a
/// configuration file's values hold.
struct run_options {
  std::vector<std::string> targets;
  std::vector<std::string> words;
  std::optional<std::string> user;
  std::optional<std::uint16_t> port;
  std::optional<std::string> identity;
  std::optional<std::vector<jump>> via;
  std::optional<std::string> passphrase_file;
  std::optional<std::string> ssh_config;
  std::vector<std::string> ssh_options;
  std::optional<std::string> password_file;
  bool ask_password = false;
  std::optional<std::string> host_key_policy;
  std::optional<std::string> known_hosts;
  std::optional<std::string> timeout;
  std::optional<std::string> deadline;
  std::optional<std::string> connect_timeout;
  std::optional<unsigned> retries;
  std::optional<std::string> retry;
  std::optional<std::string> max_output;
  std::vector<std::string> environment;
  bool with_stdin = false;
  bool without_stdin = false;
  bool pty = false;
  bool tracked = false;
  bool json = false;
  std::optional<std::string> journal;
  std::optional<std::string> journal_format;
  std::optional<std::string> config_file;
  hub_options hub;
};

/// Declares the options on the command line of `run`, with their help; they are read into `x`.
void add_run_options(CLI::App& run, run_options& x);

/// What the options ask for, on top of the configuration file, which it reads, for the first
/// target. The error is a sentence for the user.
tl::expected<run_request, std::string> to_request(const run_options& options);

/// The same without any target.
tl::expected<run_request, std::string> to_request_for_any(const run_options& options);

/// Reads the password, or asks for it on the terminal, if the options say so. The error is a
/// sentence for the user.
tl::expected<void, std::string> take_password(const run_options& options, settings& config);

/// The machine that a target names, with what the options say of a login. The error is a sentence
/// for the user.
tl::expected<machine, std::string> make_machine(const run_options& options,
                                                const std::string& text);

/// Puts what the options say of a login over what somebody else says.
void apply_login(const run_options& options, machine& target);

} // namespace sshexec::app
