#include "sshexec/app/run/hub_choice.hpp"

#include "sshexec/app/option_reader.hpp"
#include "sshexec/app/target.hpp"

#include <utility>

namespace sshexec::app {

namespace {

using failed = tl::unexpected<std::string>;

tl::expected<hub_options, std::string> read_group(const caf::settings& group) {
  hub_options result;
  std::string address;
  option_reader options{"sshexec.hub", group};
  options.read("address", address);
  options.read("plain", result.plain);
  options.read("certificate", result.tls.certificate);
  options.read("key", result.tls.key);
  options.read("authority", result.tls.authority);
  if (const auto done = options.finish(); !done)
    return failed{done.error()};
  if (!address.empty())
    result.address = std::move(address);
  return result;
}

void prevail(std::string& field, const std::string& given) {
  if (!given.empty())
    field = given;
}

bool is_set(const char* variable) {
  return variable != nullptr && *variable != '\0';
}

/// Where the address stands that prevails.
std::string place_of_address(const hub_options& given, const char* environment) {
  if (given.address)
    return "--hub";
  return is_set(environment) ? "SSHEXEC_HUB" : "sshexec.hub.address";
}

/// The group's options, where the command line has none.
hub_options merge(const hub_options& given, const char* environment, hub_options result) {
  if (is_set(environment))
    result.address = environment;
  if (given.address)
    result.address = given.address;
  if (given.plain)
    result = {result.address, true, given.tls};
  if (!given.plain && !given.tls.empty())
    result.plain = false;
  prevail(result.tls.certificate, given.tls.certificate);
  prevail(result.tls.key, given.tls.key);
  prevail(result.tls.authority, given.tls.authority);
  return result;
}

} // namespace

tl::expected<std::optional<connect_settings>, std::string>
choose_hub(const hub_options& given, const char* environment, const caf::settings& group) {
  auto of_group = read_group(group);
  if (!of_group)
    return failed{of_group.error()};
  const hub_options wanted = merge(given, environment, std::move(*of_group));
  if (!wanted.address || *wanted.address == "none") {
    if (given.plain || !given.tls.empty())
      return failed{"--hub-plain, --hub-cert, --hub-key and --hub-ca need --hub"};
    return std::nullopt;
  }
  auto address = parse_address(*wanted.address);
  if (!address)
    return failed{place_of_address(given, environment) + ": " + address.error()};
  if (address->port == 0)
    return failed{place_of_address(given, environment) + " wants HOST:PORT, not '" + *wanted.address
                  + "'"};
  if (wanted.plain && !wanted.tls.empty())
    return failed{"either TLS to the hub or --hub-plain, not both"};
  connect_settings result;
  result.hub = std::move(*address);
  result.plain = wanted.plain;
  result.tls = wanted.tls;
  return result;
}

} // namespace sshexec::app
