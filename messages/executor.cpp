#include "sshexec/messages/executor.hpp"

namespace sshexec {

namespace {

std::string render(std::uint8_t code, caf::atom_value, const caf::message& context) {
  std::string result = to_string(static_cast<error_code>(code));
  if (context.match_elements<failure>())
    result += ": " + context.get_as<failure>(0).message;
  return result;
}

} // namespace

void register_messages(caf::actor_system_config& config) {
  config.add_message_types<caf::id_block::sshexec>();
  config.add_error_category(caf::atom("sshexec"), render);
}

} // namespace sshexec
