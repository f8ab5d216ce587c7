#include "sshexec/ssh/config/resolve.hpp"

#include "sshexec/ssh/config/canonical_name.hpp"
#include "sshexec/ssh/config/config_values.hpp"
#include "sshexec/ssh/config/expansion.hpp"
#include "sshexec/ssh/known_hosts.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace sshexec::ssh {

namespace {

/// Longer than any name (netdb.h, NI_MAXHOST); it bounds what a pattern may cost.
constexpr std::size_t longest_host = 1024;

bool has_one_of(std::string_view text, std::string_view characters) {
  return text.find_first_of(characters) != std::string_view::npos;
}

bool has_controls(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char x) { return x < ' ' || x == 127; });
}

/// Whether a name can stand in a command line as a word of a shell, and in a path as a name. Those
/// that are given come from others than the files with the commands and the paths.
bool is_harmless(std::string_view text) {
  return !text.starts_with('-') && text != "." && text != ".."
         && !has_one_of(text, "'`\"$;&<>|(){} #*?[]~!/") && !has_controls(text);
}

bool is_harmless_host(std::string_view text) {
  return is_harmless(text) && !has_one_of(text, "\\");
}

/// Here a `\` may stand, which names with a Windows domain have.
bool is_harmless_user(std::string_view text) {
  return is_harmless(text) && !text.ends_with('\\');
}

const std::string& usual_user_of(const config_query& query, const config_environment& environment) {
  return query.usual_user.empty() ? environment.user : query.usual_user;
}

/// Makes options of what all lines have said, for a host whose name is final.
class completion {
public:
  completion(config_draft draft, std::string host, const config_query& query,
             const config_environment& environment)
    : draft_(std::move(draft)), environment_(environment) {
    ssh_options& options = draft_.options;
    options.hostname = std::move(host);
    options.port = draft_.port.value_or(default_port);
    options.user = draft_.user.value_or(usual_user_of(query, environment));
    options.family = draft_.family.value_or(address_family::any);
    options.canonicalize_hostname = *draft_.canonicalize_hostname;
    options.canonicalize_fallback_local = *draft_.canonicalize_fallback_local;
    options.canonicalize_max_dots = *draft_.canonicalize_max_dots;
    if (draft_.rekey_bytes || draft_.rekey_interval)
      options.rekey_limit = {draft_.rekey_bytes.value_or(0), draft_.rekey_interval};
    tokens_ = make_tokens({options.hostname, query.host, std::to_string(options.port), options.user,
                           options.host_key_alias.value_or(query.host)},
                          environment);
  }

  config_result<ssh_options> finish() {
    return add_proxy()
      .and_then([this] { return add_agent(); })
      .and_then([this] { return add_remote_command(); })
      .and_then([this] { return add_identities(); })
      .and_then([this] { return add_known_hosts(); })
      .map([this] { return std::move(draft_.options); });
  }

private:
  /// A value that is expanded, or an error at its place.
  template <class Expand>
  static config_result<std::string> expanded(const written_text& x, Expand expand) {
    auto text = expand(x.text);
    if (!text)
      return config_failure(x.place, text.error());
    return std::move(*text);
  }

  [[nodiscard]] value_result<std::string> expand_file(const std::string& path) const {
    return expand_path(path, tokens_, environment_);
  }

  config_result<void> add_proxy() {
    if (!draft_.proxy_command)
      return {};
    const written_text& command = *draft_.proxy_command;
    const auto expand = [&](const std::string& text) {
      return expanded({text, command.place}, [this](const std::string& x) {
        return expand_tokens(x, proxy_tokens(tokens_));
      });
    };
    for (const jump_host& x : draft_.proxy_jump.value_or(std::vector<jump_host>{})) {
      const auto host = expand(x.host);
      const auto user = expand(x.user.value_or(""));
      if (!host || !user)
        return tl::unexpected{host ? user.error() : host.error()};
      draft_.options.proxy_jump.push_back(
        {*host, x.user ? std::optional{*user} : std::nullopt, x.port});
    }
    if (jumps_to_itself())
      return config_failure(command.place, "the last jump is the host itself");
    if (command.text.empty())
      return {};
    return expand(command.text).map([this](std::string text) {
      draft_.options.proxy_command = std::move(text);
    });
  }

  [[nodiscard]] bool jumps_to_itself() const {
    const ssh_options& options = draft_.options;
    if (options.proxy_jump.empty())
      return false;
    const jump_host& last = options.proxy_jump.back();
    return last.host == options.hostname && last.port.value_or(default_port) == options.port
           && last.user.value_or(options.user) == options.user;
  }

  config_result<void> add_agent() {
    if (!draft_.identity_agent)
      return {};
    const auto path
      = expanded(*draft_.identity_agent, [this](const std::string& x) { return expand_file(x); });
    if (!path)
      return tl::unexpected{path.error()};
    if (*path == "none")
      draft_.options.identity_agent = "";
    else if (*path == "SSH_AUTH_SOCK" || path->starts_with('$'))
      draft_.options.identity_agent
        = environment_.variable(path->substr(path->starts_with('$') ? 1 : 0)).value_or("");
    else
      draft_.options.identity_agent = *path;
    return {};
  }

  config_result<void> add_remote_command() {
    if (!draft_.remote_command || is_same_word(draft_.remote_command->text, "none"))
      return {};
    return expanded(*draft_.remote_command,
                    [this](const std::string& x) { return expand_tokens(x, tokens_); })
      .map([this](std::string text) { draft_.options.remote_command = std::move(text); });
  }

  /// The files of a list, expanded; "none" among them is no file.
  template <class Expand>
  static config_result<std::vector<std::string>> paths(const std::vector<written_text>& list,
                                                       Expand expand) {
    std::vector<std::string> result;
    for (const written_text& x : list) {
      if (is_same_word(x.text, "none"))
        continue;
      auto path = expanded(x, expand);
      if (!path)
        return tl::unexpected{path.error()};
      result.push_back(std::move(*path));
    }
    return result;
  }

  config_result<void> add_identities() {
    const auto expand = [this](const std::string& x) { return expand_file(x); };
    auto identities = paths(draft_.identity_files, expand);
    if (!identities)
      return tl::unexpected{identities.error()};
    if (!draft_.identity_files.empty())
      draft_.options.identity_files = std::move(*identities);
    return paths(draft_.certificate_files, expand).map([this](std::vector<std::string> x) {
      draft_.options.certificate_files = std::move(x);
    });
  }

  config_result<void> add_known_hosts() {
    auto users = paths(draft_.user_known_hosts_files,
                       [this](const std::string& x) { return expand_file(x); });
    if (!users)
      return tl::unexpected{users.error()};
    if (!draft_.user_known_hosts_files.empty())
      draft_.options.user_known_hosts_files = std::move(*users);
    auto global = paths(draft_.global_known_hosts_files,
                        [this](const std::string& x) { return expand_tilde(x, environment_); });
    if (!global)
      return tl::unexpected{global.error()};
    if (!draft_.global_known_hosts_files.empty())
      draft_.options.global_known_hosts_files = std::move(*global);
    return {};
  }

  config_draft draft_;
  const config_environment& environment_;
  config_tokens tokens_;
};

/// Reads all files for a host, again and again until its name is final.
class resolution {
public:
  resolution(const std::vector<config_source>& sources, const config_query& query,
             const config_environment& environment, config_files& files,
             const config_limits& limits)
    : sources_(sources),
      query_(query),
      environment_(environment),
      reader_(draft_, usual_user_of(query, environment), environment, files, limits) {}

  config_result<ssh_options> run() {
    return take_query()
      .and_then([this] {
        return read_all({query_.host, query_.host, false});
      })
      .and_then([this] { return name_host(); })
      .and_then([this] { return read_again(); })
      .and_then([this] {
        return completion{std::move(draft_), std::move(host_), query_, environment_}.finish();
      });
  }

private:
  config_result<void> take_query() {
    if (query_.host.empty() || query_.host.size() > longest_host)
      return config_failure({}, "the name of a host has from 1 to " + std::to_string(longest_host)
                                  + " bytes");
    if (!is_harmless_host(query_.host))
      return config_failure({}, "'" + query_.host + "' is no name of a host");
    if (query_.user && !is_harmless_user(*query_.user))
      return config_failure({}, "'" + *query_.user + "' is no name of a user");
    for (const std::string& option : query_.options)
      if (auto taken = reader_.take_option(option); !taken)
        return taken;
    if (!draft_.user)
      draft_.user = query_.user;
    if (!draft_.port)
      draft_.port = query_.port;
    return {};
  }

  config_result<void> read_all(const config_subject& subject) {
    for (const config_source& source : sources_)
      if (auto read = reader_.read(source, subject); !read)
        return read;
    return {};
  }

  /// What the host's name depends on keeps its value from here on, as ssh has it.
  void settle_canonicalization() {
    const ssh_options usual;
    draft_.canonicalize_hostname
      = draft_.canonicalize_hostname.value_or(usual.canonicalize_hostname);
    draft_.canonicalize_fallback_local
      = draft_.canonicalize_fallback_local.value_or(usual.canonicalize_fallback_local);
    draft_.canonicalize_max_dots
      = draft_.canonicalize_max_dots.value_or(usual.canonicalize_max_dots);
  }

  config_result<void> name_host() {
    settle_canonicalization();
    const written_text written = draft_.hostname.value_or(written_text{"%h", {}});
    const auto host = expand_tokens(written.text, host_token(query_.host));
    if (!host)
      return config_failure(written.place, host.error());
    if (host->empty() || host->size() > longest_host)
      return config_failure(written.place, "the name of the host is empty or too long");
    auto name = canonical_name(*host, draft_, environment_);
    if (!name)
      return config_failure(written.place, name.error());
    host_ = std::move(*name);
    return {};
  }

  /// What is said of the host's final name.
  config_result<void> read_again() {
    if (draft_.canonicalize_hostname == canonicalization::no && !reader_.wants_final_pass())
      return {};
    return read_all({host_, query_.host, true});
  }

  const std::vector<config_source>& sources_;
  const config_query& query_;
  const config_environment& environment_;
  config_draft draft_;
  config_reader reader_;
  std::string host_;
};

} // namespace

std::vector<config_source> usual_config(const config_environment& environment) {
  return {{environment.home + "/.ssh/config", true, true, false},
          {"/etc/ssh/ssh_config", false, false, false}};
}

std::vector<config_source> named_config(const std::string& path) {
  if (is_same_word(path, "none"))
    return {};
  return {{path, true, false, true}};
}

config_result<ssh_options> resolve_config(const std::vector<config_source>& sources,
                                          const config_query& query,
                                          const config_environment& environment,
                                          const config_limits& limits) {
  config_files files{environment};
  return resolve_config(sources, query, environment, files, limits);
}

config_result<ssh_options> resolve_config(const std::vector<config_source>& sources,
                                          const config_query& query,
                                          const config_environment& environment,
                                          config_files& files, const config_limits& limits) {
  return resolution{sources, query, environment, files, limits}.run();
}

} // namespace sshexec::ssh
