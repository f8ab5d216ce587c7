#include "sshexec/actors/settings.hpp"

#include "sshexec/actors/service_error.hpp"

#include <caf/config_option.hpp>
#include <caf/config_value.hpp>
#include <caf/deep_to_string.hpp>
#include <caf/make_config_option.hpp>

#include <algorithm>
#include <array>
#include <optional>

namespace sshexec {

namespace {

const std::string group = "sshexec";

constexpr std::array all_host_key_policies{host_key_policy::accept_new, host_key_policy::strict,
                                           host_key_policy::off};

// -- what a value must be like -------------------------------------------------------------------

/// A condition on the value of an option.
template <class T>
struct rule {
  bool (*holds)(const T&);
  /// Goes on after "must be".
  const char* text;
};

/// So that no clock overflows when a duration is added to its time.
constexpr caf::timespan longest_duration = std::chrono::hours{24} * 365;

/// More would make the rotation of a journal file slow: each old file is renamed.
constexpr std::uint32_t most_journal_files = 1000;

bool is_duration(const caf::timespan& x) {
  return x.count() > 0 && x <= longest_duration;
}

const rule<std::string> any_text{[](const std::string&) { return true; }, "a string in quotes"};
const rule<std::string> some_text{[](const std::string& x) { return !x.empty(); },
                                  "a string in quotes, not empty"};
const rule<std::string> format_name{
  [](const std::string& x) { return x == "plain" || x == "json"; }, R"("plain" or "json")"};
const rule<host_key_policy> any_policy{[](const host_key_policy&) { return true; },
                                       R"("accept-new", "strict" or "off")"};
const rule<caf::timespan> duration{is_duration,
                                   "a duration such as 500ms, 10s or 5min, at most a year"};
const rule<std::vector<caf::timespan>> durations{
  [](const std::vector<caf::timespan>& x) { return std::all_of(x.begin(), x.end(), is_duration); },
  "a list of durations such as [1s, 2s, 4s], each at most a year"};
const rule<double> share{[](const double& x) { return x >= 0 && x <= 1; },
                         "a number from 0 to 1, such as 0.1"};
const rule<std::uint32_t> at_least_one{[](const std::uint32_t& x) { return x > 0; },
                                       "a whole number from 1 to 4294967295"};
const rule<std::uint32_t> file_count{[](const std::uint32_t& x) { return x <= most_journal_files; },
                                     "a whole number from 0 to 1000"};
const rule<std::uint64_t> any_size{[](const std::uint64_t&) { return true; },
                                   "a number of bytes, 0 or more"};
const rule<std::uint64_t> some_size{[](const std::uint64_t& x) { return x > 0; },
                                    "a number of bytes, 1 or more"};

// -- the options ---------------------------------------------------------------------------------

/// Calls `visit(name, field, rule, help)` for each option.
template <class Visitor>
void visit_options(settings& x, Visitor& visit) {
  visit("user", x.user, any_text,
        "user name for machines that name none; empty: the user this process runs as");
  visit("identity-file", x.identity_file, any_text,
        "private key for machines that name none; empty: the usual files in ~/.ssh");
  visit("passphrase-file", x.passphrase_file, any_text,
        "file with the passphrase of encrypted keys in its first line; empty: none");
  visit("host-key-policy", x.host_key_policy, any_policy,
        "what to do about unknown host keys: accept-new, strict or off (off is for tests only)");
  visit("known-hosts-file", x.known_hosts_file, any_text,
        "file of known host keys; empty: ~/.ssh/known_hosts");
  visit("connect-timeout", x.connect_timeout, duration,
        "time for one attempt to connect, and for the answer to a channel being opened");
  visit("retry-delays", x.retry_delays, durations,
        "delays before the second, third, ... attempt; their number is the number of retries");
  visit("retry-jitter", x.retry_jitter, share,
        "random share of itself, from 0 to 1, by which a retry delay is lengthened at most");
  visit("command-timeout", x.command_timeout, duration,
        "time to run for commands that name none, counted from when they are sent");
  visit("max-output", x.max_output, any_size,
        "bytes kept of each of a command's stdout and stderr");
  visit("kill-grace", x.kill_grace, duration,
        "time between TERM, KILL and the closing of a command's channel");
  visit("max-channels", x.max_channels, at_least_one,
        "commands at once on one connection (sshd's MaxSessions is 10 by default)");
  visit("max-queued", x.max_queued, at_least_one, "commands that may wait for one machine");
  visit("idle-timeout", x.idle_timeout, duration,
        "time without commands after which a machine's connection is closed");
  visit("keepalive-interval", x.keepalive_interval, duration,
        "silence after which a connection is asked for a sign of life");
  visit("journal", x.journal, some_text, "where the journal goes: stderr, none, or a file's path");
  visit("journal-format", x.journal_format, format_name, "the journal's format: plain or json");
  visit("journal-max-size", x.journal_max_size, some_size,
        "size in bytes at which a journal file is rotated");
  visit("journal-max-files", x.journal_max_files, file_count, "old journal files that are kept");
}

// -- adding them to a configuration --------------------------------------------------------------

/// An option of the type T that lets every value of a file pass. CAF would drop a value of the wrong
/// type without a word; `read_settings` is to see it, and to refuse it.
template <class T>
caf::config_option make_lenient_option(const char* name, const std::string& help) {
  static const auto typed = caf::make_config_option<T>(group, "value", "");
  static const caf::config_option::meta_state meta{
    [](const caf::config_value&) { return caf::error{}; },
    [](void*, const caf::config_value&) {},
    [](const void*) { return caf::config_value{}; },
    [](void*, caf::string_view text) { return typed.parse(text); },
    caf::to_string(typed.type_name()),
  };
  return {group, name, help, &meta};
}

struct option_adder {
  caf::config_option_set& options;

  template <class T>
  void operator()(const char* name, const T& preset, const rule<T>&, const std::string& help) {
    options.add(
      make_lenient_option<T>(name, help + " (default: " + caf::deep_to_string(preset) + ')'));
  }

  void operator()(const char* name, const std::string& preset, const rule<std::string>&,
                  const std::string& help) {
    options.add(make_lenient_option<std::string>(
      name, preset.empty() ? help : help + " (default: " + preset + ')'));
  }

  void operator()(const char* name, host_key_policy preset, const rule<host_key_policy>&,
                  const std::string& help) {
    (*this)(name, to_string(preset), any_text, help);
  }
};

// -- reading them --------------------------------------------------------------------------------

/// Stores a value in a field; false when it is not of the field's type or out of that type's range.
template <class T>
bool assign(T& field, const caf::config_value& value) {
  auto converted = caf::get_if<T>(&value);
  if (converted)
    field = *converted;
  return static_cast<bool>(converted);
}

bool assign(double& field, const caf::config_value& value) {
  const auto* whole = caf::get_if<std::int64_t>(&value);
  if (whole != nullptr)
    field = static_cast<double>(*whole);
  return whole != nullptr || assign<double>(field, value);
}

bool assign(host_key_policy& field, const caf::config_value& value) {
  std::string name;
  if (!assign(name, value))
    return false;
  const auto* found = std::find_if(all_host_key_policies.begin(), all_host_key_policies.end(),
                                   [&](host_key_policy x) { return to_string(x) == name; });
  if (found != all_host_key_policies.end())
    field = *found;
  return found != all_host_key_policies.end();
}

/// Takes the values of one configuration group; keeps the first complaint.
struct option_reader {
  const caf::settings& values;
  std::vector<caf::string_view> names = {};
  std::optional<std::string> complaint = {};

  template <class T>
  void operator()(const char* name, T& field, const rule<T>& rule, const char*) {
    names.emplace_back(name);
    const auto found = values.find(name);
    if (found == values.end() || (assign(field, found->second) && rule.holds(field)))
      return;
    complain("Option " + group + '.' + name + " is " + caf::deep_to_string(found->second)
             + ", but must be " + rule.text);
  }

  /// To be called after all options were visited.
  void refuse_unknown_names() {
    for (const auto& [name, value] : values)
      if (std::find(names.begin(), names.end(), caf::string_view{name}) == names.end())
        complain("Option " + group + '.' + name + " does not exist");
  }

  void complain(std::string text) {
    if (!complaint)
      complaint = std::move(text);
  }
};

} // namespace

std::string to_string(host_key_policy x) {
  switch (x) {
    case host_key_policy::accept_new:
      return "accept-new";
    case host_key_policy::strict:
      return "strict";
    case host_key_policy::off:
      return "off";
  }
  return "unknown host key policy";
}

void add_options(caf::config_option_set& options) {
  settings defaults;
  option_adder adder{options};
  visit_options(defaults, adder);
}

caf::expected<settings> read_settings(const caf::settings& config) {
  settings result;
  const auto found = config.find(group);
  if (found == config.end())
    return result;
  const auto* values = caf::get_if<caf::settings>(&found->second);
  if (values == nullptr)
    return make_service_error(error_code::configuration_error,
                              "Option " + group + " must be a group of options");
  option_reader reader{*values};
  visit_options(result, reader);
  reader.refuse_unknown_names();
  if (reader.complaint)
    return make_service_error(error_code::configuration_error, std::move(*reader.complaint));
  return result;
}

} // namespace sshexec
