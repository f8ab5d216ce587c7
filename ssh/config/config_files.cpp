#include "sshexec/ssh/config/config_files.hpp"

#include <algorithm>
#include <utility>

namespace sshexec::ssh {

namespace {

/// Looks at each line once, so that those that are not in force need not be looked at again.
config_result<std::vector<checked_line>> check_lines(std::vector<config_line> lines) {
  std::vector<checked_line> result;
  result.reserve(lines.size());
  config_draft nothing;
  for (config_line& line : lines) {
    const config_keyword* keyword = find_keyword(line.keyword);
    if (keyword != nullptr)
      if (const auto checked = take_line(nothing, *keyword, line, false); !checked)
        return config_failure(std::move(line.place), checked.error());
    result.push_back({std::move(line), keyword});
  }
  return result;
}

} // namespace

config_files::config_files(const config_environment& environment) : environment_(&environment) {}

config_result<const parsed_config*>
config_files::load(const std::string& path, const config_place& wanted_by, std::size_t most_bytes) {
  const auto pointer = [](const known_file& x) { return x.content ? &*x.content : nullptr; };
  if (const auto known = files_.find(path); known != files_.end())
    return pointer(known->second);
  known_file file{environment_->stamp(path), std::nullopt};
  const auto found = environment_->read(path);
  if (!found)
    return config_failure(wanted_by, "cannot read " + path + ": " + found.error().text);
  if (*found) {
    const config_text& text = **found;
    if (text.text.size() > most_bytes)
      return config_failure({path, 0, {}}, "the configuration is too large");
    auto lines = parse_config(text.text, path).and_then(check_lines);
    if (!lines)
      return tl::unexpected{std::move(lines.error())};
    file.content = {std::move(*lines), text.text.size(), text.is_safe};
  }
  return pointer(files_.emplace(path, std::move(file)).first->second);
}

config_result<std::vector<std::string>> config_files::find(const std::string& pattern,
                                                           const config_place& wanted_by) {
  if (const auto known = found_.find(pattern); known != found_.end())
    return known->second;
  auto found = environment_->find(pattern);
  if (!found)
    return config_failure(wanted_by, "cannot include " + pattern + ": " + found.error().text);
  return found_.emplace(pattern, std::move(*found)).first->second;
}

bool config_files::have_changed() const {
  return std::any_of(
           files_.begin(), files_.end(),
           [this](const auto& x) { return environment_->stamp(x.first) != x.second.stamp; })
         || std::any_of(found_.begin(), found_.end(),
                        [this](const auto& x) { return environment_->find(x.first) != x.second; });
}

} // namespace sshexec::ssh
