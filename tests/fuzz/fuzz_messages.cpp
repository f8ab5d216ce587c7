#include "fuzz.hpp"
#include "sshexec/messages/executor.hpp"

#include <caf/actor_system.hpp>
#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>

#include <optional>
#include <vector>

using namespace sshexec;
using fuzz::require;

namespace {

struct configuration : caf::actor_system_config {
  configuration() {
    // No threads: nothing here needs an actor.
    set("scheduler.policy", caf::atom("testing"));
    register_messages(*this);
  }
};

caf::actor_system& node() {
  static configuration config;
  // Never destroyed: an actor system cannot be ended as late as that.
  static auto* system = new caf::actor_system{config};
  return *system;
}

using bytes = std::vector<char>;

/// What arrives, if the bytes are a value.
template <class T>
std::optional<T> deserialize(const bytes& from) {
  T value{};
  caf::binary_deserializer source{node(), from};
  if (source(value))
    return std::nullopt;
  return value;
}

template <class T>
bytes serialize(T value) {
  bytes result;
  caf::binary_serializer sink{node(), result};
  require(!sink(value), "what arrived can be sent on");
  return result;
}

/// What arrived and is sent on arrives unchanged.
template <class T>
std::optional<T> check_round_trip(const bytes& input) {
  const auto arrived = deserialize<T>(input);
  if (!arrived)
    return std::nullopt;
  const bytes sent = serialize(*arrived);
  const auto again = deserialize<T>(sent);
  require(again.has_value(), "what was sent on arrives");
  require(serialize(*again) == sent, "what was sent on arrives unchanged");
  return arrived;
}

/// The same for a value that can be compared.
template <class T>
void check_value(const bytes& input) {
  const auto arrived = check_round_trip<T>(input);
  if (arrived)
    require(deserialize<T>(serialize(*arrived)) == arrived, "a value equals its copy");
}

void check_error(const bytes& input) {
  const auto arrived = deserialize<caf::error>(input);
  if (!arrived || !*arrived)
    return;
  require(!node().render(*arrived).empty(), "an error is rendered");
  const failure what = to_failure(*arrived);
  if (!arrived->context().match_elements<failure>()) {
    require(!what.message.empty(), "an error of others is told by its text");
    return;
  }
  require(what == arrived->context().get_as<failure>(0), "a failure arrives as it is");
  (void)check_round_trip<caf::error>(input);
}

/// Whether a message is one that an executor gets.
bool is_request(const caf::message& x) {
  return x.match_elements<execute_atom, machine, command>()
         || x.match_elements<cancel_atom, machine, std::string>()
         || x.match_elements<cancel_atom, std::string>();
}

/// A whole message, which names its types itself. Those of others are nothing to send on: CAF never
/// returns from the serialization of an infinite number.
void check_message(const bytes& input) {
  const auto arrived = deserialize<caf::message>(input);
  if (arrived && is_request(*arrived))
    (void)check_round_trip<caf::message>(input);
}

constexpr void (*checks[])(const bytes&) = {
  check_message,
  check_error,
  check_value<machine>,
  check_value<command>,
  check_value<command_result>,
  check_value<command_output>,
  check_value<phase_times>,
  check_value<failure>,
  check_value<pool_event>,
  check_value<executor_status>,
};

} // namespace

/// The first byte chooses a type, the rest is what the network brings: no value, or one that can be
/// sent on.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 0)
    checks[data[0] % std::size(checks)](bytes{data + 1, data + size});
  return 0;
}
