#include "shown_options.hpp"

#include <chrono>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace sshexec::test {

namespace {

std::string join(const std::vector<std::string>& words, std::string_view separator,
                 std::string_view otherwise) {
  std::string result;
  for (const std::string& word : words)
    result.append(result.empty() ? "" : separator).append(word);
  return words.empty() ? std::string{otherwise} : result;
}

std::string to_text(const std::string& x) {
  return x;
}

std::string to_text(bool x) {
  return x ? "yes" : "no";
}

std::string to_text(int x) {
  return std::to_string(x);
}

std::string to_text(std::chrono::seconds x) {
  return std::to_string(x.count());
}

template <class Enum>

requires std::is_enum_v<Enum> std::string name_of(Enum x, std::vector<const char*> names) {
  return names.at(static_cast<std::size_t>(x));
}

std::string to_text(ssh::host_key_checking x) {
  return name_of(x, {"false", "true", "ask", "accept-new"});
}

std::string to_text(ssh::public_key_use x) {
  return name_of(x, {"false", "true", "unbound", "host-bound"});
}

std::string to_text(ssh::terminal_wish x) {
  return name_of(x, {"false", "true", "force", "auto"});
}

std::string to_text(ssh::host_key_updates x) {
  return name_of(x, {"false", "true", "ask"});
}

std::string to_text(const ssh::rekey_limit& x) {
  return std::to_string(x.bytes) + ' '
         + std::to_string(x.interval.value_or(std::chrono::seconds{0}).count());
}

std::string to_text(const std::vector<ssh::cname_rule>& rules) {
  std::vector<std::string> words;
  words.reserve(rules.size());
  for (const ssh::cname_rule& x : rules)
    words.push_back(x.names + ':' + x.aliases);
  return join(words, " ", "none");
}

class show_window {
public:
  template <class T>
  void add(const std::string& keyword, const std::optional<T>& value) {
    if (value)
      add(keyword, to_text(*value));
  }

  void add(const std::string& keyword, std::string text) {
    lines_[keyword].push_back(std::move(text));
  }

  void add_list(const std::string& keyword, const std::optional<std::vector<std::string>>& words,
                std::string_view separator = " ", std::string_view otherwise = "none") {
    if (words)
      add(keyword, join(*words, separator, otherwise));
  }

  void add_each(const std::string& keyword, const std::vector<std::string>& words) {
    for (const std::string& word : words)
      add(keyword, word);
  }

  shown_options lines() { return std::move(lines_); }

private:
  shown_options lines_;
};

void show_connection(show_window& lines, const ssh::ssh_options& x) {
  lines.add("hostname", x.hostname);
  lines.add("port", std::to_string(x.port));
  lines.add("user", x.user);
  lines.add("addressfamily", name_of(x.family, {"any", "inet", "inet6"}));
  lines.add("bindaddress", x.bind_address);
  lines.add("bindinterface", x.bind_interface);
  if (!x.proxy_jump.empty())
    lines.add("proxyjump", test::to_text(x.proxy_jump));
  lines.add("proxycommand", x.proxy_command);
  lines.add("connectionattempts", x.connection_attempts);
  lines.add("connecttimeout", x.connect_timeout);
  lines.add("serveraliveinterval", x.server_alive_interval);
  lines.add("serveralivecountmax", x.server_alive_count_max);
  lines.add("compression", x.compression);
  lines.add("rekeylimit", x.rekey_limit);
  lines.add("canonicalizehostname", name_of(x.canonicalize_hostname, {"false", "true", "always"}));
  lines.add_list("canonicaldomains", x.canonical_domains);
  lines.add("canonicalizefallbacklocal", to_text(x.canonicalize_fallback_local));
  lines.add("canonicalizemaxdots", to_text(x.canonicalize_max_dots));
  lines.add("canonicalizepermittedcnames", x.canonicalize_permitted_cnames);
}

void show_trust(show_window& lines, const ssh::ssh_options& x) {
  lines.add("stricthostkeychecking", x.strict_host_key_checking);
  lines.add_list("userknownhostsfile", x.user_known_hosts_files);
  lines.add_list("globalknownhostsfile", x.global_known_hosts_files);
  lines.add("hostkeyalias", x.host_key_alias);
  lines.add("hashknownhosts", x.hash_known_hosts);
  lines.add("updatehostkeys", x.update_host_keys);
  lines.add("requiredrsasize", x.required_rsa_size);
  lines.add("ciphers", x.ciphers);
  lines.add("macs", x.macs);
  lines.add("kexalgorithms", x.kex_algorithms);
  lines.add("hostkeyalgorithms", x.host_key_algorithms);
  lines.add("pubkeyacceptedalgorithms", x.pubkey_accepted_algorithms);
}

void show_identity(show_window& lines, const ssh::ssh_options& x) {
  if (x.identity_files)
    lines.add_each("identityfile", *x.identity_files);
  lines.add_each("certificatefile", x.certificate_files);
  lines.add("identitiesonly", x.identities_only);
  if (x.identity_agent)
    lines.add("identityagent", x.identity_agent->empty() ? "none" : *x.identity_agent);
  lines.add_list("preferredauthentications", x.preferred_authentications, ",", "");
  lines.add("pubkeyauthentication", x.pubkey_authentication);
  lines.add("passwordauthentication", x.password_authentication);
  lines.add("kbdinteractiveauthentication", x.kbd_interactive_authentication);
  lines.add("kbdinteractivedevices", x.kbd_interactive_devices);
  lines.add("numberofpasswordprompts", x.number_of_password_prompts);
  lines.add("batchmode", x.batch_mode);
}

void show_session(show_window& lines, const ssh::ssh_options& x) {
  lines.add_each("sendenv", x.send_env);
  if (x.set_env)
    for (const auto& [name, value] : *x.set_env)
      lines.add("setenv", name + '=' + value);
  lines.add("requesttty", x.request_tty);
  lines.add("remotecommand", x.remote_command);
  lines.add("tag", x.tag);
}

} // namespace

shown_options show(const ssh::ssh_options& options) {
  show_window lines;
  show_connection(lines, options);
  show_trust(lines, options);
  show_identity(lines, options);
  show_session(lines, options);
  return lines.lines();
}

std::string shown(const shown_options& options, const std::string& keyword) {
  const auto found = options.find(keyword);
  return found == options.end() ? "" : join(found->second, "|", "");
}

std::string to_text(const std::vector<ssh::jump_host>& jumps) {
  std::vector<std::string> words;
  for (const ssh::jump_host& x : jumps)
    words.push_back((x.user ? *x.user + '@' : "")
                    + (x.host.find(':') == std::string::npos ? x.host : '[' + x.host + ']')
                    + (x.port ? ':' + std::to_string(*x.port) : ""));
  return join(words, ",", "none");
}

} // namespace sshexec::test
