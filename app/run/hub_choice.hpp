#pragma once

#include "sshexec/actors/remote/connect_settings.hpp"
#include "sshexec/actors/remote/tls_files.hpp"

#include <caf/settings.hpp>
#include <tl/expected.hpp>

#include <optional>
#include <string>

namespace sshexec::app {

/// What the command line says about a hub.
struct hub_options {
  std::optional<std::string> address = {};
  bool plain = false;
  tls_files tls = {};
};

/// The hub that commands go through, if any. Its address is that of the command line, or else of
/// the environment (SSHEXEC_HUB; may be null), or else of a configuration file's group
/// `sshexec.hub`; "none" stands for no hub. What the command line leaves out about TLS is that of
/// the group. The error is a sentence for the user.
tl::expected<std::optional<connect_settings>, std::string>
choose_hub(const hub_options& given, const char* environment, const caf::settings& group);

} // namespace sshexec::app
