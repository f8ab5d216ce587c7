#pragma once

#include <caf/config_value.hpp>
#include <caf/deep_to_string.hpp>
#include <caf/settings.hpp>
#include <tl/expected.hpp>

#include <set>
#include <string>
#include <utility>

namespace sshexec::app {

/// Reads the options of a group of a configuration file one by one, and knows which are left.
class option_reader {
public:
  /// Of the group by its full name, for complaints.
  option_reader(std::string group, const caf::settings& values)
    : group_(std::move(group)), values_(values) {
    for (const auto& [name, value] : values)
      unread_.insert(name);
  }

  /// Leaves the field as it is if there is no such option.
  template <class T>
  void read(const std::string& name, T& field) {
    unread_.erase(name);
    const auto found = values_.find(name);
    if (found == values_.end())
      return;
    if (const auto value = caf::get_if<T>(&found->second))
      field = *value;
    else
      complain(name + " cannot be " + caf::deep_to_string(found->second));
  }

  /// The first complaint counts.
  void complain(const std::string& text) {
    if (complaint_.empty())
      complaint_ = "Option " + group_ + '.' + text;
  }

  /// What was wrong, also that an option does not exist.
  tl::expected<void, std::string> finish() {
    if (!unread_.empty())
      complain(*unread_.begin() + " does not exist");
    if (!complaint_.empty())
      return tl::unexpected<std::string>{complaint_};
    return {};
  }

private:
  std::string group_;
  const caf::settings& values_;
  std::set<std::string> unread_;
  std::string complaint_;
};

} // namespace sshexec::app
