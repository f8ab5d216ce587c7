#include "sshexec/app/guide/known_names.hpp"

#include "sshexec/actors/fleet/inventory.hpp"
#include "sshexec/actors/services/home.hpp"
#include "sshexec/app/configuration.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <sstream>
#include <utility>

namespace sshexec::app {

namespace {

/// Somebody waits at a terminal.
constexpr std::chrono::milliseconds time_for_a_program = std::chrono::seconds{1};

/// "[host]:2222" is "host:2222" for people, but where the host is an IPv6 address.
std::string as_target(const std::string& name) {
  if (!name.starts_with('['))
    return name;
  const auto end = std::min(name.find(']'), name.size());
  const std::string host = name.substr(1, end - 1);
  return host.find(':') == std::string::npos ? host + name.substr(std::min(end + 1, name.size()))
                                             : name;
}

void append(std::vector<std::string>& names, const std::vector<std::string>& more) {
  names.insert(names.end(), more.begin(), more.end());
}

void sort_out(std::vector<std::string>& names) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
}

} // namespace

known_names find_known_names(const named_files& files) {
  known_names result;
  std::string known_hosts;
  const auto expanded = [](const std::string& path) { return expand_home(path).string(); };
  if (files.config) {
    if (const auto config = read_configuration(expanded(*files.config), {})) {
      for (const auto& [name, set] : config->groups)
        result.groups.push_back(name);
      known_hosts = config->executor.known_hosts_file;
    }
  }
  if (files.inventory) {
    inventory_limits limits;
    limits.timeout = time_for_a_program;
    if (const auto known = read_inventory(expanded(*files.inventory), limits)) {
      append(result.groups, known->group_names());
      append(result.machines, known->machine_names());
    }
  }
  override_with(known_hosts, files.known_hosts);
  std::ifstream lines{expanded(known_hosts.empty() ? "~/.ssh/known_hosts" : known_hosts)};
  append(result.machines, names_of_known_hosts(lines));
  sort_out(result.machines);
  sort_out(result.groups);
  return result;
}

std::vector<std::string> names_of_known_hosts(std::istream& lines) {
  std::vector<std::string> result;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields{line};
    std::string hosts;
    std::string key_type;
    // Comments and lines with a marker, which are revoked keys and authorities, name no machine.
    if (!(fields >> hosts >> key_type) || hosts.starts_with('#') || hosts.starts_with('@'))
      continue;
    std::istringstream names{hosts};
    for (std::string name; std::getline(names, name, ',');)
      if (name.find_first_of("|*?!") == std::string::npos)
        if (std::string target = as_target(name); !target.empty())
          result.push_back(std::move(target));
  }
  return result;
}

} // namespace sshexec::app
