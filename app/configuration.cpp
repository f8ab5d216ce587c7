#include "sshexec/app/configuration.hpp"

#include "sshexec/app/configuration_text.hpp"
#include "sshexec/messages/failure.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/config_value.hpp>
#include <caf/deep_to_string.hpp>
#include <caf/pec.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>
#include <system_error>
#include <utility>

namespace sshexec::app {

namespace {

using failed = tl::unexpected<std::string>;
using checked = tl::expected<void, std::string>;

std::string describe(const caf::error& error, const configuration_text& source) {
  if (error.category() != caf::atom("parser") || !error.context().match_elements<caf::settings>())
    return source.complaint(0, to_string(error));
  const auto place = error.context().get_as<caf::settings>(0);
  auto line = static_cast<std::size_t>(caf::get_or(place, "line", std::int64_t{0}));
  // An end of a line that is met too early counts as part of the next one.
  if (static_cast<caf::pec>(error.code()) == caf::pec::unexpected_newline)
    --line;
  std::string words = to_string(static_cast<caf::pec>(error.code()));
  std::replace(words.begin(), words.end(), '_', ' ');
  return source.complaint(line, source.missing_quotes(line).value_or(words));
}

tl::expected<configuration_text, std::string> read_text(const std::string& file) {
  // It could be read as an empty file.
  if (std::filesystem::is_directory(file))
    return failed{file + " is a directory"};
  std::ifstream in{file, std::ios::binary};
  if (!in)
    return failed{file + ": cannot be opened: " + std::system_category().message(errno)};
  return configuration_text{file, {std::istreambuf_iterator<char>{in}, {}}};
}

tl::expected<caf::settings, std::string> parse(const configuration_text& text) {
  std::istringstream in{text.in_words_of_caf()};
  auto parsed = caf::actor_system_config::parse_config(in);
  if (!parsed)
    return failed{describe(parsed.error(), text)};
  return std::move(*parsed);
}

/// CAF 0.17 cannot take an entry out of its dictionaries.
caf::settings without(const caf::settings& x, const std::string& name) {
  caf::settings result;
  for (const auto& [key, value] : x)
    if (key != name)
      result.emplace(key, value);
  return result;
}

/// Takes a group out of the executor's options, which know nothing of it.
tl::expected<caf::settings, std::string> take_group(caf::settings& content,
                                                    const std::string& name) {
  const auto group = content.find("sshexec");
  auto* options = group == content.end() ? nullptr : caf::get_if<caf::settings>(&group->second);
  if (options == nullptr || options->find(name) == options->end())
    return caf::settings{};
  const auto* values = caf::get_if<caf::settings>(&options->find(name)->second);
  if (values == nullptr)
    return failed{"Option sshexec." + name + " is a group of options"};
  caf::settings result = *values;
  *options = without(*options, name);
  return result;
}

tl::expected<std::map<std::string, std::string>, std::string>
take_groups_of_machines(caf::settings& content) {
  const auto values = take_group(content, "groups");
  if (!values)
    return failed{values.error()};
  std::map<std::string, std::string> result;
  for (const auto& [name, value] : *values) {
    const auto* machines = caf::get_if<std::string>(&value);
    if (machines == nullptr)
      return failed{"Option sshexec.groups." + name + " cannot be " + caf::deep_to_string(value)
                    + ": a set of machines stands in quotes"};
    result.emplace(name, *machines);
  }
  return result;
}

/// An option of CAF's own that makes sense here. CAF drops an option of the wrong type without a
/// word, and takes any that it does not know.
struct system_option {
  const char* name;
  bool (*takes)(const caf::config_value&);
};

template <class T>
bool holds(const caf::config_value& x) {
  return static_cast<bool>(caf::get_if<T>(&x));
}

constexpr std::array system_options{
  system_option{"middleman.heartbeat-interval", holds<caf::timespan>},
  system_option{"middleman.connection-timeout", holds<caf::timespan>},
  system_option{"middleman.max-consecutive-reads", holds<std::uint32_t>},
  system_option{"middleman.workers", holds<std::uint32_t>},
  system_option{"scheduler.policy", holds<caf::atom_value>},
  system_option{"scheduler.max-threads", holds<std::uint32_t>},
  system_option{"scheduler.max-throughput", holds<std::uint32_t>},
};

checked check_option(const std::string& name, const caf::config_value& value) {
  const auto* known = std::find_if(system_options.begin(), system_options.end(),
                                   [&](const system_option& x) { return x.name == name; });
  if (known == system_options.end())
    return failed{"Option " + name + " does not exist"};
  if (!known->takes(value))
    return failed{"Option " + name + " cannot be " + caf::deep_to_string(value)};
  return {};
}

checked check_system(const caf::settings& groups) {
  for (const auto& [group, value] : groups) {
    const auto* options = caf::get_if<caf::settings>(&value);
    if (options == nullptr)
      return failed{"Option " + group + " stands in no group"};
    if (group != "middleman" && group != "scheduler")
      return failed{"Group " + group + " does not exist: sshexec, middleman and scheduler do"};
    for (const auto& [name, option] : *options)
      if (auto done = check_option(group + '.' + name, option); !done)
        return done;
  }
  return {};
}

} // namespace

void apply_system_options(caf::actor_system_config& config, const caf::settings& wanted) {
  for (const auto& [group, values] : wanted)
    for (const auto& [name, value] : caf::get<caf::settings>(values))
      config.set(group + '.' + name, value);
}

tl::expected<configuration, std::string> read_configuration(const std::optional<std::string>& file,
                                                            const caf::settings& defaults) {
  configuration_text text{"configuration", ""};
  caf::settings content;
  if (file) {
    auto read = read_text(*file);
    if (!read)
      return failed{read.error()};
    text = std::move(*read);
    auto parsed = parse(text);
    if (!parsed)
      return failed{parsed.error()};
    content = std::move(*parsed);
  }
  const auto failed_with
    = [&text](const std::string& message) { return failed{text.complaint_about_option(message)}; };
  auto serve = take_group(content, "serve");
  if (!serve)
    return failed_with(serve.error());
  auto groups = take_groups_of_machines(content);
  if (!groups)
    return failed_with(groups.error());
  for (const auto& [name, value] : defaults)
    caf::put_missing(content, "sshexec." + name, value);
  auto executor = read_settings(content);
  if (!executor)
    return failed_with(to_failure(executor.error()).message);
  auto system = without(content, "sshexec");
  if (const auto done = check_system(system); !done)
    return failed_with(done.error());
  return configuration{std::move(*executor), std::move(*serve), std::move(*groups),
                       std::move(system)};
}

} // namespace sshexec::app
