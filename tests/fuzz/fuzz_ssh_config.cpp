#include "fuzz.hpp"
#include "sshexec/ssh/config/resolve.hpp"

#include <fnmatch.h>

#include <map>

using namespace sshexec;
using fuzz::require;

namespace {

/// Files that exist in memory alone, and what they ask of the outside.
class memory_system {
public:
  /// A line ">NAME" begins another file, which an Include can name.
  explicit memory_system(const std::string& text) {
    std::string* file = &files_["/c/config"];
    fuzz::lines input{text};
    while (!input.rest().empty()) {
      const std::string line = input.next();
      if (line.starts_with('>'))
        file = &files_["/c/" + line.substr(1)];
      else
        *file += line + '\n';
    }
  }

  ssh::config_environment environment() {
    ssh::config_environment result;
    result.home = "/c";
    result.user = "me";
    result.host_name = "desk.example.org";
    result.variable = [](const std::string& name) {
      return name == "HOME" ? std::optional<std::string>{"/c"} : std::nullopt;
    };
    result.home_of = [](const std::string&) { return std::nullopt; };
    result.read = [this](const std::string& path) -> ssh::result<std::optional<ssh::config_text>> {
      const auto found = files_.find(path);
      if (found == files_.end())
        return std::nullopt;
      return ssh::config_text{found->second, true};
    };
    result.stamp = [](const std::string&) { return std::nullopt; };
    result.find = [this](const std::string& pattern) {
      std::vector<std::string> found;
      for (const auto& [path, text] : files_)
        if (::fnmatch(pattern.c_str(), path.c_str(), 0) == 0)
          found.push_back(path);
      return found;
    };
    result.run = [this](const std::string& line) -> ssh::result<int> {
      ++commands;
      return static_cast<int>(line.size() % 2);
    };
    result.look_up = [this](const std::string& host, ssh::address_family) {
      ++look_ups;
      return host.size() % 2 == 0 ? std::optional<std::string>{"alias.example.org"} : std::nullopt;
    };
    return result;
  }

  std::size_t commands = 0;
  std::size_t look_ups = 0;

private:
  std::map<std::string, std::string> files_;
};

constexpr ssh::config_limits limits{64, 2'000, std::size_t{1} << 18, 16};

void check(const ssh::ssh_options& options) {
  require(!options.hostname.empty() && options.port != 0, "it is told where to connect");
  require(options.proxy_jump.empty() || !options.proxy_command, "there is one way at most");
  for (const ssh::jump_host& x : options.proxy_jump)
    require(!x.host.empty() && (!x.user || !x.user->empty()), "a jump is a host");
}

} // namespace

/// The first line is the host, the second one the options that are given with it, and the rest are
/// files: they mean the same whenever they are read, and an error has a reason and a place.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::lines input{fuzz::to_text(data, size)};
  ssh::config_query query;
  query.host = input.next();
  if (const std::string option = input.next(); !option.empty())
    query.options.push_back(option);
  memory_system system{input.rest()};
  const auto environment = system.environment();
  const std::vector<ssh::config_source> sources{{"/c/config", true, true, true}};
  const auto found = resolve_config(sources, query, environment, limits);
  const auto again = resolve_config(sources, query, environment, limits);
  require(found.has_value() == again.has_value(), "it is refused always or never");
  // Each line of a file is gone through twice at most, in each of both resolutions.
  require(system.commands <= 4 * limits.lines, "commands are bounded by the lines");
  require(system.look_ups <= 2 * 34, "look-ups are bounded by the domains");
  if (!found) {
    require(!found.error().reason.empty() && !to_text(found.error()).empty(), "an error is told");
    return 0;
  }
  require(*found == *again, "it means the same again");
  check(*found);
  return 0;
}
