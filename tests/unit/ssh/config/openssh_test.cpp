// Configurations, some from the manual and many at random, must mean to "ssh -G" what they mean
// here. Nothing is connected to or looked up: names are not made canonical, and addresses are
// numbers.

#include "files.hpp"
#include "seeds.hpp"
#include "shown_options.hpp"
#include "sshexec/ssh/config/jump_list.hpp"
#include "sshexec/ssh/config/keywords.hpp"
#include "sshexec/ssh/config/resolve.hpp"
#include "sshexec/ssh/lower_case.hpp"
#include "sshexec/testing/process.hpp"
#include "sshexec/testing/temporary_directory.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace sshexec;
using namespace sshexec::test;

const std::string no_look_ups = "CanonicalizeHostname=no";

/// "ssh -G".
class openssh {
public:
  explicit openssh(std::string folder) : folder_(std::move(folder)) {}

  /// What it shows for a host; nothing if it refuses the configuration.
  std::optional<shown_options> ask(const std::string& file, const std::string& host,
                                   const std::vector<std::string>& options) {
    testing::arguments line{"/bin/sh",
                            "-c",
                            R"(out=$1; shift; exec ssh -G "$@" >"$out" 2>/dev/null </dev/null)",
                            "sh",
                            folder_ + "/shown",
                            "-F",
                            file,
                            "-o",
                            no_look_ups};
    for (const std::string& x : options)
      line.insert(line.end(), {"-o", x});
    line.insert(line.end(), {"--", host});
    if (testing::run_program(line) != 0)
      return std::nullopt;
    return parse(read_file(folder_ + "/shown"));
  }

  /// What it shows where nothing is said.
  const shown_options& defaults(const std::string& host) {
    const auto [found, is_new] = defaults_.try_emplace(host);
    if (is_new)
      found->second = ask("none", host, {}).value();
    return found->second;
  }

  /// What a changed list of algorithms comes to.
  std::string assembled(const std::string& keyword, const std::string& list) {
    const auto [found, is_new] = assembled_.try_emplace(keyword + '=' + list);
    if (is_new)
      found->second = shown(ask("none", "x", {found->first}).value(), keyword);
    return found->second;
  }

private:
  static shown_options parse(const std::string& text) {
    shown_options result;
    std::istringstream lines{text};
    for (std::string line; std::getline(lines, line);) {
      const auto blank = std::min(line.find(' '), line.size());
      result[ssh::to_lower(line.substr(0, blank))].push_back(
        line.substr(std::min(blank + 1, line.size())));
    }
    return result;
  }

  std::string folder_;
  std::map<std::string, shown_options> defaults_;
  std::map<std::string, std::string> assembled_;
};

/// Brings what ssh shows as it was written to the form in which it is used.
class comparison {
public:
  comparison(openssh& oracle, std::string host, const shown_options& theirs,
             const ssh::ssh_options& ours, const ssh::config_environment& environment)
    : oracle_(oracle),
      host_(std::move(host)),
      theirs_(theirs),
      ours_(show(ours)),
      environment_(environment) {}

  /// How many keywords were compared.
  std::size_t run(const std::string& context) {
    static const std::set<std::string_view> not_shown{"Host", "Match", "Include", "IgnoreUnknown",
                                                      "Tag"};
    // Their defaults depend on other values.
    static const std::set<std::string> dependent{"serveraliveinterval", "updatehostkeys"};
    std::size_t count = 0;
    for (const ssh::config_keyword& x : ssh::config_keywords()) {
      const std::string keyword = ssh::to_lower(x.name);
      if (x.take == nullptr || not_shown.contains(x.name)
          || (dependent.contains(keyword) && shown(ours_, keyword).empty()))
        continue;
      ++count;
      BOOST_TEST(ours(keyword) == theirs(keyword),
                 keyword << ": " << ours(keyword) << ", but ssh: " << theirs(keyword) << '\n'
                         << context);
    }
    return count;
  }

private:
  std::string ours(const std::string& keyword) {
    const std::string value = shown(ours_, keyword);
    // Of identities there may be none.
    if (value.empty() && !ours_.contains(keyword) && !is_list_of_files(keyword))
      return shown(oracle_.defaults(host_), keyword);
    if (is_algorithms(keyword) && std::string_view{"+-^"}.find(value.front()) < 3)
      return oracle_.assembled(keyword, value);
    return value;
  }

  std::string theirs(const std::string& keyword) {
    auto values = theirs_.contains(keyword) ? theirs_.at(keyword) : std::vector<std::string>{};
    const shown_options& defaults = oracle_.defaults(host_);
    if (keyword == "identityfile" && values == defaults.at(keyword))
      return "";
    if (is_list_of_files(keyword))
      for (std::string& x : values)
        x = expanded(x);
    if (is_list_of_files(keyword))
      std::erase(values, "none");
    if (keyword == "proxycommand")
      for (std::string& x : values)
        x = with_tokens(x);
    if (keyword == "proxyjump")
      for (std::string& x : values)
        x = to_text(ssh::parse_jumps(x).value());
    if (keyword == "sendenv")
      values = without_repetitions(values);
    return shown({{keyword, values}}, keyword);
  }

  static bool is_list_of_files(const std::string& keyword) {
    return keyword == "identityfile" || keyword == "certificatefile";
  }

  static bool is_algorithms(const std::string& keyword) {
    return keyword == "macs" || keyword == "ciphers" || keyword.ends_with("algorithms");
  }

  [[nodiscard]] std::string expanded(const std::string& path) const {
    return with_tokens(path.starts_with("~/") ? environment_.home + path.substr(1) : path);
  }

  [[nodiscard]] std::string with_tokens(const std::string& text) const {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i)
      result += text[i] == '%' && i + 1 < text.size() ? token(text[++i]) : std::string{text[i]};
    return result;
  }

  [[nodiscard]] std::string token(char name) const {
    switch (name) {
      case 'd':
        return environment_.home;
      case 'h':
        return theirs_.at("hostname").front();
      case 'n':
        return host_;
      case 'p':
        return theirs_.at("port").front();
      case 'r':
        return theirs_.at("user").front();
      default:
        return std::string{name};
    }
  }

  static std::vector<std::string> without_repetitions(const std::vector<std::string>& values) {
    std::vector<std::string> result;
    for (const std::string& x : values)
      if (std::find(result.begin(), result.end(), x) == result.end())
        result.push_back(x);
    return result;
  }

  openssh& oracle_;
  std::string host_;
  const shown_options& theirs_;
  shown_options ours_;
  const ssh::config_environment& environment_;
};

struct fixture {
  std::string path(const std::string& name) const { return (folder.path() / name).string(); }

  void compare(const std::string& text, const std::string& host,
               const std::vector<std::string>& options = {}) {
    const std::string context = "for " + host + ":\n" + text;
    write_file(path("config"), text);
    const auto theirs = oracle.ask(path("config"), host, options);
    ssh::config_query query{host, {no_look_ups}};
    query.options.insert(query.options.end(), options.begin(), options.end());
    const auto ours = ssh::resolve_config(ssh::named_config(path("config")), query, environment);
    BOOST_TEST(ours.has_value() == theirs.has_value(),
               (ours ? "only ssh refuses it " : "only we refuse it, " + to_text(ours.error()))
                 << context);
    if (ours && theirs)
      compared += comparison{oracle, host, *theirs, *ours, environment}.run(context);
    else
      ++refused;
  }

  testing::temporary_directory folder;
  ssh::config_environment environment = ssh::system_environment();
  openssh oracle{folder.path().string()};
  std::size_t compared = 0;
  std::size_t refused = 0;
};

/// Makes configurations of what both understand.
class generator {
public:
  generator(std::uint64_t seed, std::string folder) : random_(seed), folder_(std::move(folder)) {}

  std::string host() {
    return one_of({"web-1", "web-2", "WEB-1", "db.example.org", "10.0.0.1", "::1"});
  }

  std::string configuration(int depth = 0) {
    std::string text;
    for (int lines = 2 + pick(10); lines > 0; --lines)
      text += line(depth);
    // The last line may have no end.
    if (pick(4) == 0)
      text.pop_back();
    return text;
  }

private:
  struct setting {
    const char* keyword;
    std::vector<std::string> values;
  };

  static const std::vector<setting>& settings();
  static const std::vector<setting>& others();

  std::string line(int depth) {
    switch (pick(12)) {
      case 0:
        return written("Host", patterns(" ")) + '\n';
      case 1:
        return written("Match", conditions()) + '\n';
      case 2:
        return depth < 2 ? include(depth) + '\n' : "\n";
      case 3:
        return one_of({"", "  # Port 7", "#Port 7", "\t"}) + '\n';
      case 4:
        return setting_of(others()) + '\n';
      case 5:
        // What ssh refuses, even where it is not in force.
        return (pick(12) == 0 ? broken_line() : "") + '\n';
      default:
        return setting_of(settings()) + '\n';
    }
  }

  std::string setting_of(const std::vector<setting>& all) {
    const setting& x = all[static_cast<std::size_t>(pick(static_cast<int>(all.size())))];
    const std::string keyword = x.keyword;
    const bool is_command = keyword.ends_with("Command") || keyword == "ProxyJump";
    const bool has_comment = !is_command && pick(8) == 0;
    return written(keyword, one_of(x.values) + (has_comment ? " # a comment" : ""));
  }

  std::string written(std::string keyword, const std::string& value) {
    if (pick(4) == 0)
      keyword = ssh::to_lower(keyword);
    const std::string separator = one_of({" ", " ", " ", "  ", "\t", "=", " = ", "= ", " ="});
    return one_of({"", "", "  ", "\t"}) + keyword + separator + value + one_of({"", "", " ", "\r"});
  }

  std::string patterns(const std::string& separator) {
    std::string result;
    for (int more = 1 + pick(3); more > 0; --more)
      result += (result.empty() ? "" : separator) + one_of({"", "", "!"})
                + one_of({"*", "web-*", "web-?", "web-1", "*.example.org", "10.*", "db*", "real-*",
                          "*:*", "x"});
    return result;
  }

  std::string conditions() {
    std::string result;
    for (int more = 1 + pick(2); more > 0; --more) {
      const std::string negation = one_of({"", "", "!"});
      result += (result.empty() ? "" : " ") + negation
                + one_of({"host " + patterns(","), "originalhost " + patterns(","), "user=root,a*",
                          "localuser *", "localuser nobody", "final", "canonical", "exec true",
                          "exec \"test %h = web-1\"", "exec \"test %p -gt 22 # x\""});
    }
    return pick(5) == 0 ? one_of({"all", "ALL", "final all", "canonical all", "!all"}) : result;
  }

  std::string include(int depth) {
    const std::string name = folder_ + "/included-" + std::to_string(++included_) + ".conf";
    write_file(name, configuration(depth + 1));
    return written("Include", one_of({name, '"' + name + '"', name + " /no/such/file",
                                      folder_ + "/included-*.none", name + ' ' + name}));
  }

  std::string broken_line() {
    return one_of({"Port 0",
                   "Port",
                   "User \"a",
                   "Compression true",
                   "NoSuchKeyword x",
                   "Host \"\"",
                   "Match",
                   "Match foo x",
                   "Match user",
                   "Match host a user b all",
                   "ConnectTimeout 1x",
                   "RekeyLimit 3",
                   "ProxyJump a:b",
                   "User a b",
                   "AddressFamily inet5",
                   "SendEnv A=b",
                   "SetEnv A",
                   "UserKnownHostsFile none a",

                   "CanonicalDomains .",
                   "HostName %p",
                   "ProxyCommand 'x",
                   "ConnectionAttempts x",
                   "StrictHostKeyChecking maybe"});
  }

  std::string one_of(const std::vector<std::string>& values) {
    return values[static_cast<std::size_t>(pick(static_cast<int>(values.size())))];
  }

  int pick(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }

  std::mt19937_64 random_;
  std::string folder_;
  int included_ = 0;
};

const std::vector<generator::setting>& generator::settings() {
  static const std::vector<setting> result{
    {"HostName", {"%h.example.org", "10.0.0.5", "127.1", "0::1", "real-%h", "UPPER", "\"quoted\""}},
    {"Port", {"22", "2222", "65535", "\"23\""}},
    {"User", {"root", "admin", "\"with blank\"", "DOMAIN\\\\me", "DOMAIN\\me"}},
    {"AddressFamily", {"any", "inet", "INET6"}},
    {"BatchMode", {"yes", "no", "True"}},
    {"BindAddress", {"127.0.0.1", "::1"}},
    {"BindInterface", {"lo", "eth0"}},
    {"CanonicalDomains", {"example.org", "Example.ORG. b.org", "none"}},
    {"CanonicalizeFallbackLocal", {"yes", "no"}},
    {"CanonicalizeMaxDots", {"0", "3"}},
    {"CanonicalizePermittedCNAMEs", {"none"}},
    {"CertificateFile", {"~/c.pub", "/c", "\"/with blank\""}},
    {"Ciphers", {"aes128-ctr", "aes128-ctr,aes256-ctr", "+3des-cbc", "-*gcm*", "^aes256-ctr"}},
    {"Compression", {"yes", "no"}},
    {"ConnectionAttempts", {"1", "5"}},
    {"ConnectTimeout", {"none", "0", "10", "1m30s"}},
    {"GlobalKnownHostsFile", {"/g", "/g /h", "none"}},
    {"HashKnownHosts", {"yes", "no"}},
    {"HostKeyAlgorithms", {"ssh-ed25519", "+ssh-rsa", "-*cert*", "^rsa-sha2-512"}},
    {"HostKeyAlias", {"alias", "ALIAS", "[a]:22"}},
    {"IdentitiesOnly", {"yes", "no"}},
    {"IdentityAgent", {"none", "~/agent", "/run/agent-%h-%p", "${HOME}/a-%%"}},
    {"IdentityFile", {"~/.ssh/a", "/b", "%d/c-%h", "/d-%n-%r-%p", "\"/with blank\"", "none"}},
    {"KbdInteractiveAuthentication", {"yes", "no"}},
    {"KbdInteractiveDevices", {"pam", "bsdauth,pam"}},
    {"KexAlgorithms", {"curve25519-sha256", "+diffie-hellman-group14-sha1", "-ecdh*"}},
    {"MACs", {"hmac-sha2-256", "+hmac-md5", "-umac*", "^hmac-sha2-512"}},
    {"NumberOfPasswordPrompts", {"0", "1"}},
    {"PasswordAuthentication", {"yes", "no"}},
    {"PreferredAuthentications", {"publickey", "publickey,password"}},
    {"ProxyCommand", {"none", "nc %h %p", "nc -x \"a b\" %%h # x", "ssh -W %h:%p 'x y'"}},
    {"ProxyJump", {"bastion", "me@bastion:2222", "a,b,me@c:1", "[::1]:22", "ssh://me@b:24"}},
    {"PubkeyAcceptedAlgorithms", {"ssh-ed25519", "+ssh-rsa", "-rsa*"}},
    {"PubkeyAuthentication", {"yes", "no", "unbound", "host-bound"}},
    {"RekeyLimit", {"default", "1G", "512K 1h", "default none", "0 30"}},
    {"RemoteCommand", {"none", "echo \"%h\"  %u@%L # x", "uptime"}},
    {"RequestTTY", {"yes", "no", "force", "AUTO"}},
    {"RequiredRSASize", {"2048", "1024"}},
    {"SendEnv", {"LANG LC_*", "A B C", "-L*", "-*"}},
    {"ServerAliveCountMax", {"0", "5"}},
    {"ServerAliveInterval", {"0", "30", "5m", "none"}},
    {"SetEnv", {"A=1", "A=1 B=2 A=3", "\"C=with blank\" D="}},
    {"StrictHostKeyChecking", {"yes", "no", "ask", "off", "accept-new"}},
    {"UpdateHostKeys", {"yes", "no"}},
    {"UserKnownHostsFile", {"/a", "~/b /c-%h-%k", "none", "${HOME}/x", "\"/with blank\" /y"}}};
  return result;
}

/// What is of no meaning, or asks for nothing.
const std::vector<generator::setting>& generator::others() {
  static const std::vector<setting> result{{"VisualHostKey", {"yes", "no"}},
                                           {"LogLevel", {"ERROR"}},
                                           {"ForwardAgent", {"no"}},
                                           {"ForwardX11", {"no"}},
                                           {"LocalForward", {"8080 localhost:80"}},
                                           {"ControlMaster", {"auto"}},
                                           {"ControlPath", {"~/.ssh/cm-%C"}},
                                           {"ControlPersist", {"10m"}},
                                           {"CheckHostIP", {"no"}},
                                           {"KnownHostsCommand", {"none"}},
                                           {"HostbasedAuthentication", {"no"}},
                                           {"ChallengeResponseAuthentication", {"yes", "no"}},
                                           {"PubkeyAcceptedKeyTypes", {"ssh-ed25519"}},
                                           {"Protocol", {"2"}},
                                           {"TCPKeepAlive", {"yes"}},
                                           {"IPQoS", {"lowdelay throughput"}},
                                           {"IgnoreUnknown", {"UseKeychain,X*"}}};
  return result;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(openssh_config, fixture)

BOOST_AUTO_TEST_CASE(written_configurations_mean_the_same_to_openssh) {
  const std::vector<std::string> texts{
    "",
    "Host *.co.uk\nPort 1\nHost web-?\nPort 2",
    "Host web-1 !web-1\nPort 1\nHost *\nPort 3",
    "Match originalhost web-1 !host real\nHostName real\nMatch host real\nPort 5",
    "HostName real\nHost real\nPort 1\nMatch final host real\nPort 2\nUser x",
    "Match user root\nPort 1\nHost *\nUser root\nMatch user root\nPort 2",
    "IgnoreUnknown Use*\nUseKeychain yes\nusefoo x",
    "User 'a b'\nUserKnownHostsFile \"/a b\" /c\\ d '/e \"f\"'",
    "RemoteCommand x-%C-%L-%l-%i-%u-%d-%n-%k-%r-%p-%h-%%",
    "IdentityAgent %d/a\nUserKnownHostsFile %d/${HOME}x",
    "Host =web-1\nPort = 2\nHost==\nPort 3",
    "SendEnv A B\nSendEnv -A\nSendEnv A\nMatch final\nSendEnv C",
    "SetEnv A=1\nMatch final\nSetEnv B=2",
    "RekeyLimit 1.5G 1d\nConnectTimeout 1w2d",
    "CanonicalizePermittedCNAMEs none",
    "Match final\nCanonicalizeMaxDots 0\nCanonicalizeFallbackLocal no\nCanonicalDomains a.org",
    "Match exec \"exit 1\"\nPort 1\nMatch !exec \"exit 1\"\nPort 2",
    "Match host web-1 exec \"false\" \nPort 1\nMatch all\nPort 2",
    "Match all # web\nPort 4",
    "\"Port\" 24",
    "Port 22 # a\nUser a#b",
    "ProxyJump none\nProxyJump bastion",
    "ProxyCommand none\nProxyJump bastion"};
  for (const std::string& text : texts)
    for (const char* host : {"web-1", "a.co.uk"})
      compare(text, host);
  BOOST_TEST(refused == 0U);
  compare("Host *\nPort 4", "web-1", {"Port=5", "User=x", "ProxyCommand=nc \"a b\""});
  compare("CanonicalizePermittedCNAMEs *.A:*.b,c *", "127.0.0.1");
  compare("HostName 10.1\nAddressFamily inet6", "web-1");
}

BOOST_AUTO_TEST_CASE(what_openssh_refuses_is_refused) {
  const std::vector<std::string> texts{"Port",
                                       "Port 0",
                                       "Port 65536",
                                       "Port 22 23",
                                       "Port \"",
                                       "Foo x",
                                       "Host web\nFoo x",
                                       "Match",
                                       "Match all host a",
                                       "Match host",
                                       "Host \"\"",
                                       "User \"\"",
                                       "HostName %x",
                                       "UserKnownHostsFile %x",
                                       "Compression 1",
                                       "SetEnv A",
                                       "SendEnv =",
                                       "RekeyLimit x",
                                       "ConnectTimeout",
                                       "ConnectTimeout x",
                                       "ProxyJump @a",
                                       "ProxyJump a:",
                                       "ProxyJump a,,b",
                                       "ProxyJump ssh://a/b",
                                       "IdentityAgent ${}",
                                       "RemoteCommand %x"};
  for (const std::string& text : texts)
    compare(text, "web-1");
  BOOST_TEST(refused == texts.size() - 1);
}

BOOST_AUTO_TEST_CASE(random_configurations_mean_the_same_to_openssh) {
  const auto count = number_from_environment("SSHEXEC_CONFIGURATIONS", 400);
  for (std::uint64_t seed = 1; seed <= count; ++seed)
    BOOST_TEST_CONTEXT("seed " << seed) {
      generator make{seed, folder.path().string()};
      const std::string host = make.host();
      compare(make.configuration(), host);
    }
  BOOST_TEST_MESSAGE(compared << " values compared, " << refused << " configurations refused");
  BOOST_TEST(compared > 30 * count);
  BOOST_TEST(refused > 0U);
}

BOOST_AUTO_TEST_SUITE_END()
