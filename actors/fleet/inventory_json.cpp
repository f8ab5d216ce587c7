#include "sshexec/actors/fleet/inventory_builder.hpp"
#include "sshexec/actors/fleet/text_fault.hpp"
#include "sshexec/actors/services/escape.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <utility>

namespace sshexec {

namespace {

using nlohmann::json;
using done = tl::expected<void, std::string>;
using failed = tl::unexpected<std::string>;

/// What stands behind the library's "[json.exception.parse_error.101] ".
std::string without_id(const std::string& text) {
  const auto end = text.find("] ");
  return end == std::string::npos ? text : text.substr(end + 2);
}

tl::expected<json, std::string> parse_json(std::string_view text) {
  try {
    return json::parse(text);
  } catch (const json::exception& e) {
    return failed{without_id(e.what())};
  }
}

/// What an object has under this name; null if it has nothing.
const json& value_of(const json& object, const char* name) {
  static const json nothing;
  const auto found = object.find(name);
  return found == object.end() ? nothing : *found;
}

/// Calls back with each text of a list; the error says what else there is.
template <class Action>
done for_each_text(const json& list, const std::string& what, const Action& act) {
  if (list.is_null())
    return {};
  if (!list.is_array())
    return failed{what + " are no list"};
  for (const json& x : list) {
    if (!x.is_string())
      return failed{what + " are not all texts"};
    const done acted = act(x.template get_ref<const std::string&>());
    if (!acted)
      return failed{what + ": " + acted.error()};
  }
  return {};
}

done read_variables(const json& object, const std::string& what, connection_variables& result) {
  if (!object.is_null() && !object.is_object())
    return failed{what + " are no object"};
  const auto fault = [&](const std::string& text) { return failed{what + ": " + text}; };
  for (const auto& [name, value] : object.items()) {
    if (!connection_variables::are_those(name) || value.is_null())
      continue;
    if (!value.is_string() && !value.is_number_integer())
      return fault(name + " is neither a text nor a number");
    const auto set = result.set(name, value.is_string() ? value.get<std::string>() : value.dump());
    if (!set)
      return fault(set.error());
  }
  return {};
}

done read_group(const std::string& name, const json& group, inventory_builder& builder) {
  const std::string what = "group " + quote(name);
  if (!group.is_object() && !group.is_array())
    return failed{what + " is neither an object nor a list"};
  builder.add_group(name);
  const bool is_list = group.is_array();
  auto read = for_each_text(is_list ? group : value_of(group, "hosts"), "the hosts of " + what,
                            [&](const std::string& x) { return builder.add_machine(name, x); });
  if (!read || is_list)
    return read;
  read = for_each_text(value_of(group, "children"), "the children of " + what,
                       [&](const std::string& x) -> done {
                         builder.add_child(name, x);
                         return {};
                       });
  if (!read)
    return read;
  return read_variables(value_of(group, "vars"), "the variables of " + what,
                        builder.variables_of_group(name));
}

done read_hosts(const json& hosts, inventory_builder& builder) {
  if (!hosts.is_null() && !hosts.is_object())
    return failed{"_meta.hostvars is no object"};
  for (const auto& [name, variables] : hosts.items()) {
    // Those of machines that are in no group cannot be asked for.
    if (!builder.has_machine(name))
      continue;
    auto read = read_variables(variables, "the variables of host " + quote(name),
                               builder.variables_of_machine(name));
    if (!read)
      return read;
  }
  return {};
}

tl::expected<inventory, std::string> read(const json& groups, std::size_t max_machines) {
  if (!groups.is_object())
    return failed{"an object of groups is wanted"};
  inventory_builder builder{max_machines};
  for (const auto& [name, group] : groups.items()) {
    const auto read = name == "_meta" ? done{} : read_group(name, group, builder);
    if (!read)
      return failed{read.error()};
  }
  const json& meta = value_of(groups, "_meta");
  if (meta.is_object()) {
    const auto read = read_hosts(value_of(meta, "hostvars"), builder);
    if (!read)
      return failed{read.error()};
  }
  return builder.finish();
}

} // namespace

tl::expected<inventory, std::string> parse_inventory_json(std::string_view text,
                                                          const std::string& source,
                                                          const inventory_limits& limits) {
  const auto groups = parse_json(text);
  if (!groups)
    return failed{escape_controls(source + ": " + groups.error())};
  auto result = read(*groups, limits.max_machines);
  if (!result)
    return failed{escape_controls(source + ": " + result.error())};
  return result;
}

} // namespace sshexec
