#pragma once

#include "sshexec/actors/settings.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/settings.hpp>
#include <tl/expected.hpp>

#include <cstddef>
#include <map>
#include <optional>
#include <string>

namespace sshexec::app {

/// Messages that an actor may handle before others get their turn (`scheduler.max-throughput`); CAF
/// would let one that is flooded go on without end.
inline constexpr std::size_t max_throughput = 30;

/// What a configuration file says: the options of the executor, and two groups of their own in it,
/// which are not for the executor.
struct configuration {
  settings executor;
  /// The options of `sshexec serve` (`sshexec.serve`).
  caf::settings serve;
  /// Names for sets of machines (`sshexec.groups`).
  std::map<std::string, std::string> groups;
  /// CAF's own groups, of which only options that make sense here are taken.
  caf::settings system;
};

/// What the command line says prevails.
template <class T>
void override_with(T& field, const std::optional<T>& given) {
  if (given)
    field = *given;
}

/// Sets what a configuration says to CAF; it was checked when it was read.
void apply_system_options(caf::actor_system_config& config, const caf::settings& wanted);

/// Reads a CAF configuration file, if there is one; `defaults` are options of the executor that
/// hold unless the file says otherwise. The error is a sentence for the user.
tl::expected<configuration, std::string> read_configuration(const std::optional<std::string>& file,
                                                            const caf::settings& defaults);

} // namespace sshexec::app
