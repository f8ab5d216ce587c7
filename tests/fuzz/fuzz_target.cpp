#include "fuzz.hpp"
#include "sshexec/app/target.hpp"

#include <algorithm>

using namespace sshexec;
using fuzz::require;

namespace {

bool is_printable(const std::string& text) {
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char x) { return x > ' ' && x != 0x7f; });
}

} // namespace

/// A target is refused for a reason, or is a machine whose address is a target for the same
/// machine.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parsed = app::parse_target(fuzz::to_text(data, size));
  if (!parsed) {
    require(!parsed.error().empty(), "a refused target has a reason");
    return 0;
  }
  require(!parsed->hostname.empty(), "a target has a host");
  require(is_printable(parsed->hostname), "a host has neither blanks nor control characters");
  require(parsed->port != 0, "a target has a port");
  const auto again = app::parse_target(to_address(*parsed));
  require(again && *again == *parsed, "the address of a target is read as the same target");
  return 0;
}
