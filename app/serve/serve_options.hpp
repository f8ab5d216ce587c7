#pragma once

#include "sshexec/actors/remote/connect_executor.hpp"
#include "sshexec/actors/remote/publish_executor.hpp"
#include "sshexec/app/configuration.hpp"

#include <CLI/App.hpp>
#include <tl/expected.hpp>

#include <optional>
#include <string>
#include <vector>

namespace sshexec::app {

/// The command line of `sshexec serve` as it was given; what was not given is empty, so that a
/// configuration file's values hold.
struct serve_options {
  std::optional<std::string> listen;
  bool plain = false;
  std::optional<std::string> certificate;
  std::optional<std::string> key;
  std::optional<std::string> authority;
  std::optional<std::string> revocations;
  std::optional<std::string> journal;
  std::optional<std::string> journal_format;
  std::optional<std::string> drain_timeout;
  std::optional<std::string> config_file;
  std::vector<std::string> nodes;
  bool node_plain = false;
  std::optional<std::string> node_certificate;
  std::optional<std::string> node_key;
  std::optional<std::string> node_authority;
};

/// One `sshexec serve`, after its options were read.
struct serve_request {
  publish_settings published;
  /// The hubs whose router it is; none: it has an executor of its own.
  std::vector<connect_settings> nodes;
  settings executor;
  /// For CAF itself.
  caf::settings system;
};

/// Declares the options on the command line of `serve`, with their help; they are read into `x`.
void add_serve_options(CLI::App& serve, serve_options& x);

/// What the options ask for, on top of the configuration file. The error is a sentence for the
/// user.
tl::expected<serve_request, std::string> to_request(const serve_options& options);

} // namespace sshexec::app
