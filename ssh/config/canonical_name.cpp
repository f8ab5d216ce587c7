#include "sshexec/ssh/config/canonical_name.hpp"

#include "sshexec/ssh/config/config_values.hpp"
#include "sshexec/ssh/lower_case.hpp"
#include "sshexec/ssh/pattern.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>

namespace sshexec::ssh {

namespace {

/// "127.1" becomes "127.0.0.1"; nothing for what is no address. Asks nobody.
std::optional<std::string> usual_form(const std::string& host, address_family family) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_family = family == address_family::inet    ? AF_INET
                    : family == address_family::inet6 ? AF_INET6
                                                      : AF_UNSPEC;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0)
    return std::nullopt;
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner{found, ::freeaddrinfo};
  std::array<char, NI_MAXHOST> text{};
  if (::getnameinfo(found->ai_addr, found->ai_addrlen, text.data(), text.size(), nullptr, 0,
                    NI_NUMERICHOST)
      != 0)
    return std::nullopt;
  return text.data();
}

/// Whether it can be no name, though it may be no address either.
bool looks_like_address(const std::string& host) {
  return host.find_first_of("%:") != std::string::npos
         || host.find_first_not_of("0123456789.") == std::string::npos;
}

bool has_proxy(const config_draft& draft) {
  return (draft.proxy_command && !draft.proxy_command->text.empty())
         || (draft.proxy_jump && !draft.proxy_jump->empty());
}

/// The rules of one draft.
class canonicalizer {
public:
  canonicalizer(const config_draft& draft, const config_environment& environment)
    : draft_(draft),
      environment_(environment),
      family_(draft.family.value_or(address_family::any)),
      mode_(draft.canonicalize_hostname.value_or(canonicalization::no)),
      is_direct_(!has_proxy(draft)) {}

  [[nodiscard]] std::optional<std::string> look_up(const std::string& host) const {
    return environment_.look_up(host, family_);
  }

  /// Whether names are made longer at all. A name that a proxy will look up is left to it, unless
  /// that is asked for.
  [[nodiscard]] bool is_wanted() const {
    return mode_ == canonicalization::always || (mode_ == canonicalization::yes && is_direct_);
  }

  /// The name with the first domain in which it is found; nothing if it is left alone or not found.
  [[nodiscard]] std::optional<std::string> in_domains(const std::string& host) const {
    if (host.ends_with('.'))
      return found(host);
    for (const std::string& domain : domains()) {
      std::string anchored = host;
      if (auto name = found(anchored.append(1, '.').append(domain).append(1, '.')))
        return name;
    }
    return std::nullopt;
  }

  /// Whether a name has so many dots that it is full as it is.
  [[nodiscard]] bool is_full(const std::string& host) const {
    return !host.ends_with('.')
           && std::count(host.begin(), host.end(), '.') > draft_.canonicalize_max_dots.value_or(1);
  }

  [[nodiscard]] bool may_fail() const { return draft_.canonicalize_fallback_local.value_or(true); }

  /// Whether aliases count even for a name that no domain was found for.
  [[nodiscard]] bool follows_plain_names() const { return is_wanted() && !rules().empty(); }

  /// The alias, if rules permit to follow it from this name. What name servers say may become part
  /// of a command line, so it must be a name.
  [[nodiscard]] std::string follow(std::string name, const std::string& alias) const {
    const auto permits = [&](const cname_rule& x) {
      return matches_list(name, x.names) && matches_list(alias, x.aliases);
    };
    const bool is_permitted
      = is_wanted() && is_domain(alias) && std::any_of(rules().begin(), rules().end(), permits);
    return is_permitted ? alias.substr(0, alias.find_last_not_of('.') + 1) : std::move(name);
  }

private:
  [[nodiscard]] std::optional<std::string> found(std::string anchored) const {
    const auto alias = look_up(anchored);
    if (!alias)
      return std::nullopt;
    anchored.pop_back();
    return follow(std::move(anchored), *alias);
  }

  [[nodiscard]] const std::vector<std::string>& domains() const {
    static const std::vector<std::string> none;
    const auto& domains = draft_.options.canonical_domains;
    return domains ? *domains : none;
  }

  [[nodiscard]] const std::vector<cname_rule>& rules() const {
    static const std::vector<cname_rule> none;
    const auto& rules = draft_.options.canonicalize_permitted_cnames;
    return rules ? *rules : none;
  }

  const config_draft& draft_;
  const config_environment& environment_;
  address_family family_;
  canonicalization mode_;
  bool is_direct_;
};

} // namespace

value_result<std::string> canonical_name(const std::string& host, const config_draft& draft,
                                         const config_environment& environment) {
  if (const auto address = usual_form(host, draft.family.value_or(address_family::any)))
    return is_same_word(host, *address) ? host : *address;
  if (looks_like_address(host))
    return host;
  const std::string name = to_lower(host);
  const canonicalizer rules{draft, environment};
  if (rules.is_wanted() && !rules.is_full(name)) {
    if (auto full = rules.in_domains(name))
      return *full;
    if (!rules.may_fail())
      return tl::unexpected{name + " is not found in any of CanonicalDomains"};
  }
  if (!rules.follows_plain_names())
    return name;
  return rules.follow(name, rules.look_up(name).value_or(""));
}

} // namespace sshexec::ssh
