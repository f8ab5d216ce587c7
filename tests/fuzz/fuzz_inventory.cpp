#include "fuzz.hpp"
#include "sshexec/actors/fleet/inventory.hpp"

using namespace sshexec;
using fuzz::require;

namespace {

constexpr inventory_limits limits{std::chrono::seconds{0}, 0, 1000};

void check(const tl::expected<inventory, std::string>& parsed) {
  if (!parsed) {
    require(parsed.error().starts_with("source"), "a refused inventory has a place");
    return;
  }
  require(parsed->machine_names().size() <= limits.max_machines, "machines are not too many");
  const auto all = expand_node_set(parsed->group("*").value());
  require(all && *all == parsed->machine_names(), "all machines can be named in a node set");
  for (const std::string& name : parsed->machine_names()) {
    const auto machine = parsed->to_machine(name);
    require(machine ? !machine->hostname.empty() && machine->port != 0 : !machine.error().empty(),
            "a machine can be reached, or is told why not");
  }
  for (const std::string& name : parsed->group_names()) {
    const auto members = parsed->group(name);
    const auto names = expand_node_set(members.value());
    require(names && exclude_names(*names, *all).empty(), "a group has known machines");
  }
}

} // namespace

/// An input is read as a list and as JSON.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = fuzz::to_text(data, size);
  check(parse_inventory(text, "source", limits));
  check(parse_inventory_json(text, "source", limits));
  return 0;
}
