#include "sshexec/app/configuration.hpp"

#include "sshexec/messages/failure.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/config_value.hpp>
#include <caf/pec.hpp>

#include <filesystem>
#include <utility>

namespace sshexec::app {

namespace {

using failed = tl::unexpected<std::string>;

std::string describe(const caf::error& error) {
  if (error.category() != caf::atom("parser") || !error.context().match_elements<caf::settings>())
    return "cannot be opened";
  const auto place = error.context().get_as<caf::settings>(0);
  return "line " + std::to_string(caf::get_or(place, "line", std::int64_t{0})) + ", column "
         + std::to_string(caf::get_or(place, "column", std::int64_t{0})) + ": "
         + to_string(static_cast<caf::pec>(error.code()));
}

tl::expected<caf::settings, std::string> read_file(const std::string& file) {
  // CAF would read a directory as an empty file.
  if (std::filesystem::is_directory(file))
    return failed{file + " is a directory"};
  auto parsed = caf::actor_system_config::parse_config_file(file.c_str());
  if (!parsed)
    return failed{file + ": " + describe(parsed.error())};
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

/// Takes the group of `sshexec serve` out of the executor's options, which know nothing of it.
tl::expected<caf::settings, std::string> take_serve_group(caf::settings& content) {
  const auto group = content.find("sshexec");
  auto* options = group == content.end() ? nullptr : caf::get_if<caf::settings>(&group->second);
  if (options == nullptr || options->find("serve") == options->end())
    return caf::settings{};
  const auto* values = caf::get_if<caf::settings>(&options->find("serve")->second);
  if (values == nullptr)
    return failed{"Option sshexec.serve is a group of options"};
  caf::settings result = *values;
  *options = without(*options, "serve");
  return result;
}

} // namespace

tl::expected<configuration, std::string> read_configuration(const std::optional<std::string>& file,
                                                            const caf::settings& defaults) {
  caf::settings content;
  if (file) {
    auto parsed = read_file(*file);
    if (!parsed)
      return failed{parsed.error()};
    content = std::move(*parsed);
  }
  const std::string source = file.value_or("configuration") + ": ";
  auto serve = take_serve_group(content);
  if (!serve)
    return failed{source + serve.error()};
  for (const auto& [name, value] : defaults)
    caf::put_missing(content, "sshexec." + name, value);
  auto executor = read_settings(content);
  if (!executor)
    return failed{source + to_failure(executor.error()).message};
  return configuration{std::move(*executor), std::move(*serve), without(content, "sshexec")};
}

} // namespace sshexec::app
