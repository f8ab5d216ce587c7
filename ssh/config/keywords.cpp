#include "sshexec/ssh/config/keywords.hpp"

#include "sshexec/ssh/config/config_values.hpp"
#include "sshexec/ssh/config/jump_list.hpp"
#include "sshexec/ssh/lower_case.hpp"
#include "sshexec/ssh/pattern.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <string>
#include <utility>

namespace sshexec::ssh {

namespace {

using taken = value_result<void>;

tl::unexpected<std::string> complaint(std::string text) {
  return tl::unexpected{std::move(text)};
}

tl::unexpected<std::string> too_many(std::size_t most) {
  return complaint("there are more than " + std::to_string(most));
}

// ---- words ----

/// The one argument of a line.
value_result<std::string> only_argument(const config_line& line) {
  if (line.arguments.empty() || line.arguments.front().empty())
    return complaint("an argument is missing");
  if (line.arguments.size() > 1)
    return complaint("there is too much at the end of the line");
  return line.arguments.front();
}

value_result<std::string> as_written(const std::string& word) {
  return word;
}

value_result<std::string> in_lower_case(const std::string& word) {
  return to_lower(word);
}

/// "none" says nothing, so that a later line may say something.
value_result<std::optional<std::chrono::seconds>> to_interval(const std::string& word) {
  if (word == "none")
    return std::nullopt;
  return to_seconds(word);
}

value_result<int> to_attempts(const std::string& word) {
  auto result = to_count(word);
  if (result && *result == 0)
    return complaint("there must be one attempt at least");
  return result;
}

value_result<bool> to_yes_or_no(const std::string& word) {
  static constexpr std::array<named_value<bool>, 2> values{{{"yes", true}, {"no", false}}};
  return to_named(word, values);
}

/// What a list takes away may be patterns.
value_result<std::string> to_algorithms(const std::string& word) {
  const std::string names = word.substr(std::string_view{"+-^"}.find(word.front()) < 3 ? 1 : 0);
  for (const std::string& name : split_list(names))
    if (name.empty() && !word.starts_with('-'))
      return complaint("'" + word + "' is no list of algorithms");
  return word;
}

value_result<std::vector<std::string>> to_list(const std::string& word) {
  return split_list(word);
}

constexpr std::array<named_value<address_family>, 3> families{
  {{"any", address_family::any}, {"inet", address_family::inet}, {"inet6", address_family::inet6}}};

constexpr std::array<named_value<canonicalization>, 5> canonicalizations{
  {{"yes", canonicalization::yes},
   {"no", canonicalization::no},
   {"always", canonicalization::always},
   {"true", canonicalization::yes},
   {"false", canonicalization::no}}};

constexpr std::array<named_value<host_key_checking>, 7> checkings{
  {{"yes", host_key_checking::yes},
   {"no", host_key_checking::no},
   {"ask", host_key_checking::ask},
   {"accept-new", host_key_checking::accept_new},
   {"off", host_key_checking::no},
   {"true", host_key_checking::yes},
   {"false", host_key_checking::no}}};

constexpr std::array<named_value<public_key_use>, 6> public_key_uses{
  {{"yes", public_key_use::yes},
   {"no", public_key_use::no},
   {"unbound", public_key_use::unbound},
   {"host-bound", public_key_use::host_bound},
   {"true", public_key_use::yes},
   {"false", public_key_use::no}}};

constexpr std::array<named_value<terminal_wish>, 6> terminal_wishes{
  {{"yes", terminal_wish::yes},
   {"no", terminal_wish::no},
   {"force", terminal_wish::force},
   {"auto", terminal_wish::automatic},
   {"true", terminal_wish::yes},
   {"false", terminal_wish::no}}};

constexpr std::array<named_value<host_key_updates>, 5> updates{{{"yes", host_key_updates::yes},
                                                                {"no", host_key_updates::no},
                                                                {"ask", host_key_updates::ask},
                                                                {"true", host_key_updates::yes},
                                                                {"false", host_key_updates::no}}};

template <const auto& Values>
auto to_one_of(const std::string& word) {
  return to_named(word, Values);
}

// ---- values ----

template <class T>
T& field_of(config_draft& draft, T ssh_options::*field) {
  return draft.options.*field;
}

template <class T>
T& field_of(config_draft& draft, T config_draft::*field) {
  return draft.*field;
}

/// A keyword with one argument.
template <auto Field, auto Parse>
taken set(config_draft& draft, const config_line& line, bool is_in_force) {
  const auto word = only_argument(line);
  if (!word)
    return complaint(word.error());
  auto value = Parse(*word);
  if (!value)
    return complaint(value.error());
  if (auto& field = field_of(draft, Field); is_in_force && !field)
    field = std::move(*value);
  return {};
}

/// A keyword with one argument that is expanded later.
template <auto Field>
taken set_written(config_draft& draft, const config_line& line, bool is_in_force) {
  auto word = only_argument(line);
  if (!word)
    return complaint(word.error());
  if (auto& field = field_of(draft, Field); is_in_force && !field)
    field = written_text{std::move(*word), line.place};
  return {};
}

/// As many as ssh takes.
constexpr std::size_t most_identities = 100;
constexpr std::size_t most_known_hosts_files = 32;
constexpr std::size_t most_domains = 32;
/// Beyond ssh's habit, so that looking for repetitions has a bound.
constexpr std::size_t most_variables = 1000;

/// A keyword whose lines add to each other.
template <auto Field>
taken add_written(config_draft& draft, const config_line& line, bool is_in_force) {
  auto word = only_argument(line);
  if (!word)
    return complaint(word.error());
  auto& field = field_of(draft, Field);
  const auto is_same = [&](const written_text& x) { return x.text == *word; };
  if (!is_in_force || std::any_of(field.begin(), field.end(), is_same))
    return {};
  if (field.size() >= most_identities)
    return too_many(most_identities);
  field.push_back({std::move(*word), line.place});
  return {};
}

/// Whether all words of a list are words; "none" stands alone.
taken check_list(const config_line& line) {
  for (const std::string& word : line.arguments) {
    if (word.empty())
      return complaint("an argument is empty");
    if (is_same_word(word, "none") && line.arguments.size() > 1)
      return complaint("'none' stands alone");
  }
  return {};
}

template <auto Field>
taken set_written_list(config_draft& draft, const config_line& line, bool is_in_force) {
  if (auto checked = check_list(line); !checked)
    return checked;
  auto& field = field_of(draft, Field);
  if (!is_in_force || !field.empty())
    return {};
  if (line.arguments.size() > most_known_hosts_files)
    return too_many(most_known_hosts_files);
  for (const std::string& word : line.arguments)
    field.push_back({word, line.place});
  return {};
}

/// The whole rest of a line, as it was written.
value_result<std::string> command_of(const config_line& line) {
  const auto begin = line.rest.find_first_not_of(" \t=");
  if (begin == std::string::npos)
    return complaint("an argument is missing");
  return line.rest.substr(begin);
}

taken set_remote_command(config_draft& draft, const config_line& line, bool is_in_force) {
  auto command = command_of(line);
  if (!command)
    return complaint(command.error());
  if (is_in_force && !draft.remote_command)
    draft.remote_command = {std::move(*command), line.place};
  return {};
}

taken set_proxy_command(config_draft& draft, const config_line& line, bool is_in_force) {
  auto command = command_of(line);
  if (!command)
    return complaint(command.error());
  if (!is_in_force || draft.proxy_command)
    return {};
  if (*command == "-")
    return complaint("sshexec has no connection on its stdin");
  if (is_same_word(*command, "none"))
    command->clear();
  draft.proxy_command = {std::move(*command), line.place};
  return {};
}

taken set_proxy_jump(config_draft& draft, const config_line& line, bool is_in_force) {
  const auto text = command_of(line);
  if (!text)
    return complaint(text.error());
  auto jumps = parse_jumps(*text);
  if (!jumps)
    return complaint(jumps.error());
  if (!is_in_force || draft.proxy_command || draft.proxy_jump)
    return {};
  if (!jumps->empty())
    draft.proxy_command = {{}, line.place};
  draft.proxy_jump = std::move(*jumps);
  return {};
}

taken set_rekey_limit(config_draft& draft, const config_line& line, bool is_in_force) {
  const auto& words = line.arguments;
  if (words.empty() || words.size() > 2)
    return complaint("it takes a number of bytes and, if you like, a time");
  constexpr std::uint64_t smallest = 16;
  const auto bytes = words[0] == "default" ? value_result<std::uint64_t>{0} : to_bytes(words[0]);
  if (!bytes)
    return complaint(bytes.error());
  if (*bytes != 0 && *bytes < smallest)
    return complaint("'" + words[0] + "' is too small");
  const auto interval = to_interval(words.size() > 1 ? words[1] : "none");
  if (!interval)
    return complaint(interval.error());
  if (is_in_force && !draft.rekey_bytes)
    draft.rekey_bytes = *bytes;
  if (is_in_force && !draft.rekey_interval)
    draft.rekey_interval = *interval;
  return {};
}

/// A word with '-' in front takes away the names so far that its pattern matches.
taken add_sent_variables(config_draft& draft, const config_line& line, bool is_in_force) {
  auto& names = draft.options.send_env;
  for (const std::string& word : line.arguments) {
    if (word.empty() || word.find('=') != std::string::npos)
      return complaint("'" + word + "' is no name of a variable");
    if (!is_in_force)
      continue;
    if (word.starts_with('-'))
      std::erase_if(names, [&](const std::string& x) {
        return matches_pattern(x, std::string_view{word}.substr(1));
      });
    else if (std::find(names.begin(), names.end(), word) == names.end())
      names.push_back(word);
    if (names.size() > most_variables)
      return too_many(most_variables);
  }
  return {};
}

taken set_variables(config_draft& draft, const config_line& line, bool is_in_force) {
  if (line.arguments.size() > most_variables)
    return too_many(most_variables);
  std::vector<std::pair<std::string, std::string>> variables;
  for (const std::string& word : line.arguments) {
    const auto equals = word.find('=');
    if (equals == std::string::npos)
      return complaint("'" + word + "' is not NAME=VALUE");
    const std::string name = word.substr(0, equals);
    if (std::none_of(variables.begin(), variables.end(),
                     [&](const auto& x) { return x.first == name; }))
      variables.emplace_back(name, word.substr(equals + 1));
  }
  if (auto& field = draft.options.set_env; is_in_force && !field && !variables.empty())
    field = std::move(variables);
  return {};
}

taken set_canonical_domains(config_draft& draft, const config_line& line, bool is_in_force) {
  if (auto checked = check_list(line); !checked)
    return checked;
  if (line.arguments.size() > most_domains)
    return too_many(most_domains);
  std::vector<std::string> domains;
  for (const std::string& word : line.arguments) {
    std::string domain = to_lower(word);
    if (!is_domain(domain))
      return complaint("'" + word + "' is no domain");
    if (domain.ends_with('.'))
      domain.pop_back();
    if (domain != "none")
      domains.push_back(std::move(domain));
  }
  auto& field = draft.options.canonical_domains;
  if (is_in_force && !field && !line.arguments.empty())
    field = std::move(domains);
  return {};
}

taken set_permitted_cnames(config_draft& draft, const config_line& line, bool is_in_force) {
  if (auto checked = check_list(line); !checked)
    return checked;
  if (line.arguments.size() > most_domains)
    return too_many(most_domains);
  std::vector<cname_rule> rules;
  for (const std::string& word : line.arguments) {
    const std::string rule = to_lower(word);
    const auto colon = rule.find(':');
    if (rule == "*")
      rules.push_back({rule, rule});
    else if (rule != "none" && (colon == std::string::npos || colon + 1 == rule.size()))
      return complaint("'" + word + "' is not NAMES:ALIASES");
    else if (rule != "none")
      rules.push_back({rule.substr(0, colon), rule.substr(colon + 1)});
  }
  auto& field = draft.options.canonicalize_permitted_cnames;
  if (is_in_force && !field && !line.arguments.empty())
    field = std::move(rules);
  return {};
}

// ---- the table ----

namespace table {

using o = ssh_options;
using d = config_draft;
constexpr auto honoured = treatment::honoured;
constexpr auto no_meaning = treatment::no_meaning;
constexpr auto error_as_option = treatment::error_as_option;
constexpr auto error = treatment::error;

constexpr std::string_view no_forwarding = "nothing is forwarded";
constexpr std::string_view own_sharing = "sshexec shares connections in its own way";
constexpr std::string_view no_gssapi = "GSSAPI is not used";
constexpr std::string_view own_messages = "sshexec has messages and a journal of its own";
constexpr std::string_view own_algorithms = "sshexec chooses among algorithms by itself";
constexpr std::string_view keys_first = "sshexec always offers keys";
constexpr std::string_view own_password
  = "a password is said only if an option or setting of sshexec names one";
constexpr std::string_view no_session = "there is no interactive session";

// clang-format off
constexpr config_keyword keywords[] = {
  {"Host", honoured},
  {"Match", honoured, "all, canonical, final, host, originalhost, user, localuser, tagged; exec, with a bound on its time. Other conditions are errors"},
  {"AddKeysToAgent", no_meaning, "no key is given to an agent"},
  {"AddressFamily", honoured, "", set<&d::family, to_one_of<families>>},
  {"BatchMode", no_meaning, "nobody is asked anything", set<&o::batch_mode, to_flag>},
  {"BindAddress", error, "sshexec leaves the address on this side to the system", set<&o::bind_address, as_written>},
  {"BindInterface", error, "sshexec leaves the interface to the system", set<&o::bind_interface, as_written>},
  {"CanonicalDomains", honoured, "", set_canonical_domains},
  {"CanonicalizeFallbackLocal", honoured, "", set<&d::canonicalize_fallback_local, to_flag>},
  {"CanonicalizeHostname", honoured, "", set<&d::canonicalize_hostname, to_one_of<canonicalizations>>},
  {"CanonicalizeMaxDots", honoured, "", set<&d::canonicalize_max_dots, to_count>},
  {"CanonicalizePermittedCNAMEs", honoured, "", set_permitted_cnames},
  {"CASignatureAlgorithms", no_meaning, "no certificate of a host is accepted"},
  {"CertificateFile", error, "a certificate is used if it lies beside its key, as KEY-cert.pub", add_written<&d::certificate_files>, "none"},
  {"ChannelTimeout", no_meaning, "commands have timeouts of their own"},
  {"CheckHostIP", error, "sshexec knows hosts by their names alone", nullptr, "no false"},
  {"Ciphers", error_as_option, own_algorithms, set<&o::ciphers, to_algorithms>},
  {"ClearAllForwardings", no_meaning, no_forwarding},
  {"Compression", no_meaning, "nothing is compressed", set<&o::compression, to_yes_or_no>},
  {"ConnectionAttempts", honoured, "the delays between them are sshexec's own", set<&o::connection_attempts, to_attempts>},
  {"ConnectTimeout", honoured, "", set<&o::connect_timeout, to_interval>},
  {"ControlMaster", no_meaning, own_sharing},
  {"ControlPath", no_meaning, own_sharing},
  {"ControlPersist", no_meaning, own_sharing},
  {"DynamicForward", no_meaning, no_forwarding},
  {"EnableEscapeCommandline", no_meaning, no_session},
  {"EnableSSHKeysign", no_meaning, "see HostbasedAuthentication"},
  {"EscapeChar", no_meaning, no_session},
  {"ExitOnForwardFailure", no_meaning, no_forwarding},
  {"FingerprintHash", no_meaning, "fingerprints are told as SHA256"},
  {"ForkAfterAuthentication", no_meaning, no_session},
  {"ForwardAgent", no_meaning, no_forwarding},
  {"ForwardX11", no_meaning, no_forwarding},
  {"ForwardX11Timeout", no_meaning, no_forwarding},
  {"ForwardX11Trusted", no_meaning, no_forwarding},
  {"GatewayPorts", no_meaning, no_forwarding},
  {"GlobalKnownHostsFile", honoured, "", set_written_list<&d::global_known_hosts_files>},
  {"GSSAPIAuthentication", no_meaning, no_gssapi},
  {"GSSAPIClientIdentity", no_meaning, no_gssapi},
  {"GSSAPIDelegateCredentials", no_meaning, no_gssapi},
  {"GSSAPIKeyExchange", no_meaning, no_gssapi},
  {"GSSAPIRenewalForcesRekey", no_meaning, no_gssapi},
  {"GSSAPIServerIdentity", no_meaning, no_gssapi},
  {"GSSAPITrustDns", no_meaning, no_gssapi},
  {"GSSAPIKexAlgorithms", no_meaning, no_gssapi},
  {"HashKnownHosts", no_meaning, "names are recorded as they are", set<&o::hash_known_hosts, to_flag>},
  {"HostbasedAcceptedAlgorithms", no_meaning, "see HostbasedAuthentication"},
  {"HostbasedAuthentication", error, "sshexec does not authenticate with the key of its host", nullptr, "no false"},
  {"HostKeyAlgorithms", error_as_option, own_algorithms, set<&o::host_key_algorithms, to_algorithms>},
  {"HostKeyAlias", honoured, "", set<&o::host_key_alias, in_lower_case>},
  {"Hostname", honoured, "", set_written<&d::hostname>},
  {"IdentitiesOnly", honoured, "with `yes`, no key of an agent is offered: nor one whose file is named, which ssh would still use", set<&o::identities_only, to_flag>},
  {"IdentityAgent", honoured, "in place of the setting identity-agent", set_written<&d::identity_agent>},
  {"IdentityFile", honoured, "in place of the usual files; a key that a target was given with is the only one", add_written<&d::identity_files>},
  {"IgnoreUnknown", honoured, "", set<&d::ignore_unknown, as_written>},
  {"Include", honoured, "16 deep"},
  {"IPQoS", no_meaning, "the system's default is used"},
  {"KbdInteractiveAuthentication", no_meaning, own_password, set<&o::kbd_interactive_authentication, to_flag>},
  {"KbdInteractiveDevices", no_meaning, own_password, set<&o::kbd_interactive_devices, as_written>},
  {"KexAlgorithms", error_as_option, own_algorithms, set<&o::kex_algorithms, to_algorithms>},
  {"KnownHostsCommand", error, "sshexec asks no program for host keys", nullptr, "none"},
  {"LocalCommand", no_meaning, "no command is run here after a connection is made"},
  {"LocalForward", no_meaning, no_forwarding},
  {"LogLevel", no_meaning, own_messages},
  {"LogVerbose", no_meaning, own_messages},
  {"MACs", error_as_option, own_algorithms, set<&o::macs, to_algorithms>},
  {"NoHostAuthenticationForLocalhost", error, "sshexec checks the key of every host", nullptr, "no false"},
  {"NumberOfPasswordPrompts", no_meaning, own_password, set<&o::number_of_password_prompts, to_count>},
  {"ObscureKeystrokeTiming", no_meaning, no_session},
  {"PasswordAuthentication", no_meaning, own_password, set<&o::password_authentication, to_flag>},
  {"PermitLocalCommand", no_meaning, "see LocalCommand"},
  {"PermitRemoteOpen", no_meaning, no_forwarding},
  {"PKCS11Provider", error, "sshexec uses keys on tokens through an agent alone", nullptr, "none"},
  {"Port", honoured, "a number", set<&d::port, to_port>},
  {"PreferredAuthentications", error, keys_first, set<&o::preferred_authentications, to_list>, "publickey", true},
  {"ProxyCommand", honoured, "ended with its connection; what it wrote to stderr is told when it fails", set_proxy_command},
  {"ProxyJump", honoured, "", set_proxy_jump},
  {"ProxyUseFdpass", error, "sshexec takes no connection over from a ProxyCommand", nullptr, "no false"},
  {"PubkeyAcceptedAlgorithms", error_as_option, own_algorithms, set<&o::pubkey_accepted_algorithms, to_algorithms>},
  {"PubkeyAuthentication", error, keys_first, set<&o::pubkey_authentication, to_one_of<public_key_uses>>, "yes true unbound host-bound"},
  {"RefuseConnection", error, "the configuration refuses to connect"},
  {"RekeyLimit", no_meaning, "keys are made anew as the cipher needs it", set_rekey_limit},
  {"RemoteCommand", no_meaning, "sshexec runs the command that it is given", set_remote_command},
  {"RemoteForward", no_meaning, no_forwarding},
  {"RequestTTY", no_meaning, "a command has a terminal if it asks for one", set<&o::request_tty, to_one_of<terminal_wishes>>},
  {"RequiredRSASize", error_as_option, "sshexec does not look at the size of keys", set<&o::required_rsa_size, to_count>, "1024"},
  {"RevokedHostKeys", error, "sshexec reads no lists of revoked keys; @revoked in a known_hosts file says the same", nullptr, "none"},
  {"SecurityKeyProvider", no_meaning, "keys on authenticators are used through an agent"},
  {"SendEnv", no_meaning, "a command has the environment that it is given, and SetEnv", add_sent_variables},
  {"ServerAliveCountMax", no_meaning, "a server that is silent for three intervals is given up", set<&o::server_alive_count_max, to_count>},
  {"ServerAliveInterval", honoured, "0 leaves it to sshexec", set<&o::server_alive_interval, to_interval>},
  {"SessionType", no_meaning, "sshexec runs commands"},
  {"SetEnv", honoured, "what the command says prevails", set_variables},
  {"StdinNull", no_meaning, "a command has the stdin that it is given"},
  {"StreamLocalBindMask", no_meaning, no_forwarding},
  {"StreamLocalBindUnlink", no_meaning, no_forwarding},
  {"StrictHostKeyChecking", honoured, "`ask` means `yes`, because nobody is asked; `no` looks nothing up, records nothing, and gives no password", set<&o::strict_host_key_checking, to_one_of<checkings>>},
  {"SyslogFacility", no_meaning, own_messages},
  {"Tag", honoured, "", set<&o::tag, as_written>},
  {"TCPKeepAlive", no_meaning, "a dead peer is always noticed"},
  {"Tunnel", no_meaning, no_forwarding},
  {"TunnelDevice", no_meaning, no_forwarding},
  {"UpdateHostKeys", no_meaning, "a server's other keys are not recorded", set<&o::update_host_keys, to_one_of<updates>>},
  {"User", honoured, "", set<&d::user, as_written>},
  {"UserKnownHostsFile", honoured, "", set_written_list<&d::user_known_hosts_files>},
  {"VerifyHostKeyDNS", error, "sshexec trusts no host keys from the DNS", nullptr, "no false ask"},
  {"VersionAddendum", no_meaning, "it is for people who read logs"},
  {"VisualHostKey", no_meaning, own_messages},
  {"WarnWeakCrypto", no_meaning, own_messages},
  {"XAuthLocation", no_meaning, no_forwarding},
};
// clang-format on

} // namespace table

/// Names that the manual does not name (any more), as OpenSSH knows them, some of them Red Hat's
/// alone.
constexpr std::array<std::pair<std::string_view, std::string_view>, 12> older_names{
  {{"challengeresponseauthentication", "kbdinteractiveauthentication"},
   {"dsaauthentication", "pubkeyauthentication"},
   {"hostbasedkeytypes", "hostbasedacceptedalgorithms"},
   {"identityfile2", "identityfile"},
   {"keepalive", "tcpkeepalive"},
   {"protocolkeepalives", "serveraliveinterval"},
   {"pubkeyacceptedkeytypes", "pubkeyacceptedalgorithms"},
   {"rsaminsize", "requiredrsasize"},
   {"setuptimeout", "serveraliveinterval"},
   {"skeyauthentication", "kbdinteractiveauthentication"},
   {"smartcarddevice", "pkcs11provider"},
   {"tisauthentication", "kbdinteractiveauthentication"}}};

/// Names that mean nothing to ssh either.
constexpr config_keyword forgotten{"(of older versions)", treatment::no_meaning};
constexpr std::array<std::string_view, 16> forgotten_names{"afstokenpassing",
                                                           "cipher",
                                                           "compressionlevel",
                                                           "fallbacktorsh",
                                                           "globalknownhostsfile2",
                                                           "kerberosauthentication",
                                                           "kerberostgtpassing",
                                                           "protocol",
                                                           "rhostsauthentication",
                                                           "rhostsrsaauthentication",
                                                           "rsaauthentication",
                                                           "useprivilegedport",
                                                           "userknownhostsfile2",
                                                           "useroaming",
                                                           "usersh",
                                                           "useblacklistedkeys"};

std::map<std::string, const config_keyword*, std::less<>> index_keywords() {
  std::map<std::string, const config_keyword*, std::less<>> result;
  for (const config_keyword& x : table::keywords)
    result.emplace(to_lower(x.name), &x);
  for (const auto& [older, name] : older_names)
    result.emplace(older, result.find(name)->second);
  for (const std::string_view name : forgotten_names)
    result.emplace(name, &forgotten);
  return result;
}

/// Of a keyword that cannot be honoured, the first line in force counts; it is harmless or an
/// objection to connecting.
void judge(config_draft& draft, const config_keyword& keyword, const config_line& line) {
  if (!draft.settled.insert(keyword.name).second)
    return;
  const std::string value = to_lower(line.arguments.front());
  const auto words
    = keyword.is_harmless_in_list ? split_list(value) : std::vector<std::string>{value};
  const std::string harmless = ' ' + std::string{keyword.harmless} + ' ';
  if (std::none_of(words.begin(), words.end(), [&](const std::string& x) {
        return harmless.find(' ' + x + ' ') != std::string::npos;
      }))
    draft.options.objections.push_back({line.place, std::string{keyword.note}});
}

/// Whether a line in force with this keyword must be harmless.
bool is_judged(const config_keyword& keyword, const config_line& line) {
  return keyword.treated == treatment::error
         || (keyword.treated == treatment::error_as_option && line.place.file.empty());
}

} // namespace

std::span<const config_keyword> config_keywords() {
  return table::keywords;
}

const config_keyword* find_keyword(std::string_view name) {
  static const auto index = index_keywords();
  const auto found = index.find(name);
  return found == index.end() ? nullptr : found->second;
}

value_result<void> take_line(config_draft& draft, const config_keyword& keyword,
                             const config_line& line, bool is_in_force) {
  if (keyword.treated == treatment::error && line.arguments.empty())
    return complaint("an argument is missing");
  if (keyword.take != nullptr)
    if (auto took = keyword.take(draft, line, is_in_force); !took)
      return took;
  if (is_in_force && is_judged(keyword, line))
    judge(draft, keyword, line);
  return {};
}

} // namespace sshexec::ssh
