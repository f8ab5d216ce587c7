#include "played_system.hpp"
#include "shown_options.hpp"
#include "sshexec/ssh/config/resolve.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace {

using namespace sshexec;
using namespace sshexec::test;

const std::string config = "/home/me/.ssh/config";
const std::string system_config = "/etc/ssh/ssh_config";

struct fixture {
  ssh::config_result<ssh::ssh_options> resolve(const ssh::config_query& query) {
    const auto environment = system.environment();
    return ssh::resolve_config(ssh::usual_config(environment), query, environment, limits);
  }

  /// The values of a keyword for a host, or what is wrong.
  std::string value(const std::string& keyword, const ssh::config_query& query) {
    const auto options = resolve(query);
    return options ? shown(show(*options), keyword) : to_text(options.error());
  }

  std::string value_in(const std::string& text, const std::string& keyword,
                       const ssh::config_query& query = {"web"}) {
    system.files[config] = text;
    return value(keyword, query);
  }

  /// Why nobody may connect.
  std::string wrong_in(const std::string& text, const ssh::config_query& query = {"web"}) {
    system.files[config] = text;
    const auto result = resolve(query);
    if (!result)
      return to_text(result.error());
    return result->objections.empty() ? "" : to_text(result->objections.front());
  }

  played_system system;
  ssh::config_limits limits;
};

struct wrong_row {
  std::string text;
  /// Behind the name of the file.
  std::string expected;
};

struct row {
  std::string text;
  std::string keyword;
  std::string expected;
  std::string host = "web";
};

const std::vector<row> rows{
  // Which value counts.
  {"", "port", "22"},
  {"", "user", "me"},
  {"", "hostname", "web"},
  {"", "serveraliveinterval", ""},
  {"Port 1\nPort 2", "port", "1"},
  {"Host db\nPort 1\nHost web\nPort 2\nHost *\nPort 3", "port", "2"},
  {"Host web !web\nPort 1", "port", "22"},
  {"Host !db\nPort 1", "port", "22"},
  {"Host * !db\nPort 1", "port", "1"},
  {"Host # nobody\nPort 1", "port", "22"},
  {"Host w?b\nPort 1", "port", "1"},
  {"Host web\nPort 1", "port", "22", "WEB"},
  {"Host WEB\nPort 1", "port", "1", "WEB"},
  // Match.
  {"Match host WEB\nPort 1", "port", "1"},
  {"Match all\nPort 1", "port", "1"},
  {"Match !all\nPort 1", "port", "22"},
  {"Match host db,w*\nPort 1", "port", "1"},
  {"Match host w*,!web\nPort 1", "port", "22"},
  {"Match !host db\nPort 1", "port", "1"},
  {"HostName db\nMatch host db\nPort 1", "port", "1"},
  {"HostName db\nMatch originalhost web\nPort 1", "port", "1"},
  {"HostName db\nMatch originalhost db\nPort 1", "port", "22"},
  {"HostName %h.x\nMatch host web.x\nPort 1", "port", "1"},
  {"Match user me\nPort 1", "port", "1"},
  {"User root\nMatch user root\nPort 1", "port", "1"},
  {"User root\nMatch localuser me\nPort 1", "port", "1"},
  {"Match host web user root\nPort 1", "port", "22"},
  {"Match final\nPort 1", "port", "1"},
  {"Match canonical\nPort 1", "port", "22"},
  {"Match !final\nPort 1\nMatch final\nPort 2", "port", "1"},
  {"Match final all\nPort 1\nHost *\nPort 2", "port", "2"},
  {"HostName db\nHost db\nPort 1", "port", "22"},
  {"HostName db\nHost db\nPort 1\nMatch final\nUser x", "port", "1"},
  {"Tag blue\nMatch tagged b*\nPort 1", "port", "1"},
  {"Match tagged b*\nPort 1", "port", "22"},
  // Names and who.
  {"HostName 127.1", "hostname", "127.0.0.1"},
  {"HostName %h.example.org", "hostname", "web.example.org"},
  {"HostName %%", "hostname", "%"},
  {"", "hostname", "web", "WeB"},
  {"", "hostname", "::1", "0::1"},
  {"HostName DB", "hostname", "db"},
  {"User a b", "port", config + ":1: User: there is too much at the end of the line"},
  // What adds up, and what does not.
  {"IdentityFile a\nIdentityFile b\nIdentityFile a", "identityfile", "a|b"},
  {"IdentityFile ~/.ssh/%n-%r-%p-%u", "identityfile", "/home/me/.ssh/web-me-22-me"},
  {"IdentityFile %d/x\nIdentityFile ~other/y", "identityfile", "/home/me/x|/home/other/y"},
  {"IdentityFile none", "identityfile", ""},
  {"CertificateFile ~/c\nCertificateFile d", "certificatefile", "/home/me/c|d"},
  {"UserKnownHostsFile a ~/b\nUserKnownHostsFile c", "userknownhostsfile", "a /home/me/b"},
  {"UserKnownHostsFile none", "userknownhostsfile", "none"},
  {"UserKnownHostsFile ${DIR}/%k\nHostKeyAlias Alias", "userknownhostsfile", "/dir/alias"},
  {"GlobalKnownHostsFile ~/g %h", "globalknownhostsfile", "/home/me/g %h"},
  {"SendEnv A B*\nSendEnv C\nSendEnv -B*", "sendenv", "A|C"},
  {"SetEnv A=1 B=2 A=3\nSetEnv C=4", "setenv", "A=1|B=2"},
  // Tokens.
  {"RemoteCommand %C", "remotecommand", "95ed338784b3668f383774fab0d7af3545ab6e65"},
  {"RemoteCommand echo %%%L-%l-%i # %h", "remotecommand", "echo %desk-desk.example.org-1000 # web"},
  {"RemoteCommand none", "remotecommand", ""},
  {"RemoteCommand ${DIR}", "remotecommand", "${DIR}"},
  {"IdentityAgent none", "identityagent", "none"},
  {"IdentityAgent ~/agent-%h", "identityagent", "/home/me/agent-web"},
  {"IdentityAgent ${DIR}/a", "identityagent", "/dir/a"},
  {"IdentityAgent SSH_AUTH_SOCK", "identityagent", "/run/agent"},
  {"IdentityAgent $SSH_AUTH_SOCK", "identityagent", "/run/agent"},
  {"IdentityAgent $NO_SUCH", "identityagent", "none"},
  // The way there.
  {"HostName db\nProxyCommand nc \"%h\" %p %r %n %k", "proxycommand", "nc \"db\" 22 me web web"},
  {"ProxyCommand=nc %h", "proxycommand", "nc web"},
  {"ProxyCommand none\nProxyJump a", "proxyjump", ""},
  {"ProxyJump none\nProxyCommand nc", "proxycommand", "nc"},
  {"ProxyJump none\nProxyJump a", "proxyjump", ""},
  {"ProxyJump a\nProxyCommand nc", "proxycommand", ""},
  {"ProxyJump a\nProxyCommand nc", "proxyjump", "a"},
  {"ProxyCommand nc\nProxyJump a", "proxyjump", ""},
  {"ProxyCommand nc\nProxyJump a", "proxycommand", "nc"},
  {"ProxyJump %r@jump-%h:22,b", "proxyjump", "me@jump-web:22,b"},
  {"ProxyJump a # b", "proxyjump", "a"},
  // Values.
  {"ConnectTimeout none\nConnectTimeout 1m", "connecttimeout", "60"},
  {"ServerAliveInterval 1h", "serveraliveinterval", "3600"},
  {"StrictHostKeyChecking off", "stricthostkeychecking", "false"},
  {"StrictHostKeyChecking accept-new", "stricthostkeychecking", "accept-new"},
  {"Ciphers +aes128-cbc\nCiphers aes128-ctr", "ciphers", "+aes128-cbc"},
  {"MACs -*sha1*", "macs", "-*sha1*"},
  {"RekeyLimit 1G 1h", "rekeylimit", "1073741824 3600"},
  {"RekeyLimit default none\nRekeyLimit 1G 5", "rekeylimit", "0 5"},
  {"PreferredAuthentications publickey,password", "preferredauthentications", "publickey,password"},
  {"ChallengeResponseAuthentication no", "kbdinteractiveauthentication", "no"},
  {"CanonicalDomains Example.ORG. b.org", "canonicaldomains", "example.org b.org"},
  {"CanonicalizePermittedCNAMEs *.A:*.b,c *", "canonicalizepermittedcnames", "*.a:*.b,c *:*"},
  {"CanonicalizePermittedCNAMEs none\nCanonicalizePermittedCNAMEs *", "canonicalizepermittedcnames",
   "none"},
  // What has no meaning, or none any more.
  {"VisualHostKey yes\nGSSAPIAuthentication yes\nLocalForward 1 a:2\nPort 1", "port", "1"},
  {"Protocol 2\nPort 1", "port", "1"},
  {"IgnoreUnknown Use*,Bar\nUseKeychain yes\nBAR x\nPort 1", "port", "1"}};

const std::vector<wrong_row> wrong_rows{
  {"Foo 1", ":1: Foo: there is no such keyword"},
  {"Host db\nFoo 1", ":2: Foo: there is no such keyword"},
  {"Foo 1\nIgnoreUnknown Foo", ":1: Foo: there is no such keyword"},
  {"Host db\nPort 0", ":2: Port: '0' is no port"},
  {"Compression true", ":1: Compression: 'true' is none of yes, no"},
  {"ConnectionAttempts 0", ":1: ConnectionAttempts: there must be one attempt at least"},
  {"Port 22 23", ":1: Port: there is too much at the end of the line"},
  {"Port # 22", ":1: Port: an argument is missing"},
  {"Port", ":1: Port: an argument is missing"},
  {"User \"\"", ":1: User: an argument is missing"},
  {"Host \"\"", ":1: Host: an argument is empty"},
  {"\n\nMatch foo bar",
   ":3: Match: 'foo' is none of all, canonical, final, host, originalhost, user, localuser, exec, "
   "tagged"},
  {"Ciphers a,,b", ":1: Ciphers: 'a,,b' is no list of algorithms"},
  {"RekeyLimit 15", ":1: RekeyLimit: '15' is too small"},
  {"SendEnv A=b", ":1: SendEnv: 'A=b' is no name of a variable"},
  {"SetEnv A", ":1: SetEnv: 'A' is not NAME=VALUE"},
  {"UserKnownHostsFile none a", ":1: UserKnownHostsFile: 'none' stands alone"},
  {"CanonicalDomains -a", ":1: CanonicalDomains: '-a' is no domain"},
  {"CanonicalizePermittedCNAMEs a:", ":1: CanonicalizePermittedCNAMEs: 'a:' is not NAMES:ALIASES"},
  {"ProxyJump a:0", ":1: ProxyJump: 'a:0' is not [user@]host[:port]"},
  {"ProxyCommand -", ":1: ProxyCommand: sshexec has no connection on its stdin"},
  {"ProxyCommand nc %d", ":1: ProxyCommand: there is no token %d here"},
  {"HostName %p", ":1: HostName: there is no token %p here"},
  {"HostName a%", ":1: HostName: a '%' stands at the end"},
  {"IdentityFile %z", ":1: IdentityFile: there is no token %z here"},
  {"IdentityFile ~nobody/x", ":1: IdentityFile: there is no user nobody"},
  {"IdentityAgent ${NO_SUCH}", ":1: IdentityAgent: there is no environment variable NO_SUCH"},
  {"IdentityAgent ${A", ":1: IdentityAgent: a '${' has no '}'"},
  {"IdentityAgent ${}", ":1: IdentityAgent: a '${}' names no variable"},
  {"ProxyJump me@web", ":1: ProxyJump: the last jump is the host itself"},
  // What would change where we connect, whom we trust or who we are.
  {"KnownHostsCommand /bin/x", ":1: KnownHostsCommand: sshexec asks no program for host keys"},
  {"Port 1\nHostbasedAuthentication yes",
   ":2: HostbasedAuthentication: sshexec does not authenticate with the key of its host"},
  {"CheckHostIP yes", ":1: CheckHostIP: sshexec knows hosts by their names alone"},
  {"PreferredAuthentications password,keyboard-interactive",
   ":1: PreferredAuthentications: sshexec always offers keys"},
  {"Port 7\nrevokedHostKeys /x",
   ":2: revokedHostKeys: sshexec reads no lists of revoked keys; @revoked in a known_hosts file "
   "says the same"},
  {"BindAddress ::1", ":1: BindAddress: sshexec leaves the address on this side to the system"},
  {"VerifyHostKeyDNS yes", ":1: VerifyHostKeyDNS: sshexec trusts no host keys from the DNS"}};

} // namespace

BOOST_FIXTURE_TEST_SUITE(resolve_config_test, fixture)

BOOST_AUTO_TEST_CASE(each_line_means_what_it_means_to_ssh) {
  system.variables = {{"DIR", "/dir"}, {"SSH_AUTH_SOCK", "/run/agent"}};
  for (const row& x : rows) {
    const std::string actual = value_in(x.text, x.keyword, {x.host});
    BOOST_TEST(actual == x.expected, x.text << " -> " << actual);
  }
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_told_with_file_line_keyword_and_reason) {
  for (const wrong_row& x : wrong_rows) {
    const std::string actual = wrong_in(x.text);
    BOOST_TEST(actual == config + x.expected, x.text << " -> " << actual);
  }
}

BOOST_AUTO_TEST_CASE(what_cannot_be_honoured_counts_only_where_it_is_in_force_and_first) {
  BOOST_TEST(wrong_in("Host db\nHostbasedAuthentication yes\nBindAddress ::1").empty());
  BOOST_TEST(wrong_in("PKCS11Provider none\nPKCS11Provider /lib/x.so").empty());
  BOOST_TEST(wrong_in("VerifyHostKeyDNS ask\nCheckHostIP no\nRevokedHostKeys none").empty());
  BOOST_TEST(wrong_in("PreferredAuthentications publickey").empty());
  BOOST_TEST(wrong_in("PreferredAuthentications gssapi-with-mic,publickey,password").empty());
}

/// What Fedora and Red Hat write to /etc/ssh.
BOOST_AUTO_TEST_CASE(lists_of_algorithms_in_files_are_no_objection_and_behind_o_they_are) {
  system.files[system_config] = "Include ssh_config.d/*.conf";
  system.files["/etc/ssh/ssh_config.d/50-redhat.conf"]
    = "Match final all\n\tInclude /etc/crypto-policies/back-ends/openssh.config\n"
      "\tGSSAPIAuthentication yes\n\tForwardX11Trusted yes\n\tSendEnv LANG LC_CTYPE\n";
  system.files["/etc/crypto-policies/back-ends/openssh.config"]
    = "Ciphers aes256-gcm@openssh.com,aes256-ctr\nMACs hmac-sha2-256-etm@openssh.com\n"
      "GSSAPIKexAlgorithms gss-curve25519-sha256-\nKexAlgorithms curve25519-sha256\n"
      "HostKeyAlgorithms ssh-ed25519,rsa-sha2-256\nPubkeyAcceptedAlgorithms ssh-ed25519\n"
      "CASignatureAlgorithms ssh-ed25519\nRequiredRSASize 2048\nRSAMinSize 2048\n";
  BOOST_TEST(wrong_in("") == "");
  BOOST_TEST(value("ciphers", {"web"}) == "aes256-gcm@openssh.com,aes256-ctr");
  for (const std::string keyword :
       {"Ciphers", "MACs", "KexAlgorithms", "HostKeyAlgorithms", "PubkeyAcceptedAlgorithms"})
    BOOST_TEST(wrong_in("", {"web", {keyword + "=x"}})
               == "-o " + keyword + ": sshexec chooses among algorithms by itself");
  BOOST_TEST(wrong_in("", {"web", {"RequiredRSASize=2048"}})
             == "-o RequiredRSASize: sshexec does not look at the size of keys");
}

BOOST_AUTO_TEST_CASE(options_and_the_query_go_before_all_files) {
  const std::string text = "Port 1\nUser a\nProxyJump b";
  BOOST_TEST(value_in(text, "port", {"web", {}, {}, 2}) == "2");
  BOOST_TEST(value_in(text, "user", {"web", {}, "c"}) == "c");
  BOOST_TEST(value_in(text, "user", {"web", {"User=d"}, "c"}) == "d");
  BOOST_TEST(value_in(text, "port", {"web", {"Port=3", "port 4"}}) == "3");
  BOOST_TEST(value_in(text, "proxyjump", {"web", {"ProxyJump=none"}}).empty());
  BOOST_TEST(value_in("Match user c\nPort 1", "port", {"web", {}, "c"}) == "1");
  BOOST_TEST(value_in("Foo x", "port", {"web", {"IgnoreUnknown=foo"}}) == "22");
}

BOOST_AUTO_TEST_CASE(the_usual_user_is_who_it_is_where_nothing_says_more) {
  system.commands = {{"test boss", 0}};
  ssh::config_query query{"web"};
  query.usual_user = "boss";
  BOOST_TEST(value_in("Match user boss\nPort 1", "port", query) == "1");
  BOOST_TEST(value_in("Match user me\nPort 1", "port", query) == "22");
  BOOST_TEST(value_in("Match localuser me\nPort 1", "port", query) == "1");
  BOOST_TEST(value_in("Match exec \"test %r\"\nPort 1", "port", query) == "1");
  BOOST_TEST(value_in("ProxyCommand nc %r", "proxycommand", query) == "nc boss");
  BOOST_TEST(value_in("User a\nMatch user a\nPort 1", "port", query) == "1");
}

BOOST_AUTO_TEST_CASE(a_wrong_option_is_told_as_one) {
  BOOST_TEST(value_in("", "port", {"web", {"Port=x"}}) == "-o Port: 'x' is no port");
  BOOST_TEST(value_in("", "port", {"web", {"Host=x"}}) == "-o Host: it stands in files alone");
  BOOST_TEST(value_in("", "port", {"web", {"Include=x"}})
             == "-o Include: it stands in files alone");
  BOOST_TEST(value_in("", "port", {"web", {""}}) == "it says nothing");
  BOOST_TEST(value_in("", "port", {"web", {"# x"}}) == "-o # x: it says nothing");
  BOOST_TEST(wrong_in("", {"web", {"ProxyUseFdpass=yes"}})
             == "-o ProxyUseFdpass: sshexec takes no connection over from a ProxyCommand");
}

BOOST_AUTO_TEST_CASE(names_that_a_shell_would_understand_are_refused) {
  for (const char* host : {"", "a;b", "$(x)", "`x`", "a b", "-oProxyCommand=x", "a\nb", "a|b",
                           "a/b", "..", ".", "a#", "a*", "a?", "[a]", "~a", "!a", "a\\b"})
    BOOST_TEST(!resolve({host}), host);
  for (const char* user : {"a;b", "$(x)", "-x", "a\nb", "a\\", "a -b", "a b", "a@evil #", "svc$",
                           "a$IFS-b", "#a", "a*", "a?", "a[b]", "~a", "!a", "../a", "..", "."})
    BOOST_TEST(!resolve({"web", {}, user}), user);
  for (const char* user : {"DOMAIN\\me", "a.b-c_d@e"})
    BOOST_TEST(value("user", {"web", {}, user}) == user);
  BOOST_TEST(!resolve({std::string(1025, 'a')}));
}

BOOST_AUTO_TEST_CASE(the_system_s_file_comes_last) {
  system.files[system_config] = "Port 2\nUser b\nInclude ssh_config.d/*.conf\nInclude more";
  system.files["/etc/ssh/ssh_config.d/1.conf"] = "ConnectTimeout 1";
  system.files["/etc/ssh/ssh_config.d/2.conf"] = "ConnectTimeout 2\nCompression yes";
  system.files["/etc/ssh/ssh_config.d/x"] = "Compression no";
  system.files["/etc/ssh/more"] = "BatchMode yes";
  BOOST_TEST(value_in("Port 1", "port") == "1");
  BOOST_TEST(value("user", {"web"}) == "b");
  BOOST_TEST(value("connecttimeout", {"web"}) == "1");
  BOOST_TEST(value("compression", {"web"}) == "yes");
  BOOST_TEST(value("batchmode", {"web"}) == "yes");
  system.files[system_config] = "Include ~/x";
  BOOST_TEST(value("port", {"web"})
             == system_config + ":1: Include: '~' is nobody's home in a system's file");
}

BOOST_AUTO_TEST_CASE(an_include_is_part_of_its_block_and_ends_in_it) {
  system.files["/home/me/.ssh/a"] = "Port 1\nHost web\nUser a\nHost db\nUser b";
  const std::string text = "Host web\nInclude a\nConnectTimeout 3\nHost *\nPort 9\nUser z";
  BOOST_TEST(value_in(text, "port") == "1");
  BOOST_TEST(value("user", {"web"}) == "a");
  BOOST_TEST(value("connecttimeout", {"web"}) == "3");
  BOOST_TEST(value("port", {"db"}) == "9");
  BOOST_TEST(value("user", {"db"}) == "z");
  BOOST_TEST(value("connecttimeout", {"db"}).empty());
}

BOOST_AUTO_TEST_CASE(included_files_are_found_from_the_user_s_folder) {
  system.files["/home/me/.ssh/a"] = "Include b";
  system.files["/home/me/.ssh/b"] = "Port 1";
  system.files["/home/me/conf"] = "User x";
  system.files["/srv/conf"] = "ConnectTimeout 5";
  const std::string text = "Include a none-such ~/conf /srv/*";
  BOOST_TEST(value_in(text, "port") == "1");
  BOOST_TEST(value("user", {"web"}) == "x");
  BOOST_TEST(value("connecttimeout", {"web"}) == "5");
}

BOOST_AUTO_TEST_CASE(an_error_in_an_included_file_is_told_there) {
  system.files["/home/me/.ssh/a"] = "\nPort x";
  BOOST_TEST(value_in("Host db\nInclude a", "port") == "/home/me/.ssh/a:2: Port: 'x' is no port");
}

BOOST_AUTO_TEST_CASE(files_that_others_may_write_to_are_refused) {
  system.files["/home/me/.ssh/a"] = "Port 1";
  system.unsafe_files = {"/home/me/.ssh/a"};
  BOOST_TEST(value_in("Include a", "port")
             == config + ":1: Include: others than root and you may write to /home/me/.ssh/a");
  system.unsafe_files = {config};
  BOOST_TEST(value_in("Port 1", "port") == config + ": others than root and you may write to it");
  // As ssh has it, whoever names a file answers for it.
  const auto environment = system.environment();
  BOOST_TEST(resolve_config(ssh::named_config(config), {"web"}, environment)->port == 1);
}

BOOST_AUTO_TEST_CASE(files_that_cannot_be_read_are_told) {
  BOOST_TEST(value_in("unreadable", "port")
             == config + ": cannot read " + config + ": Permission denied");
  const auto environment = system.environment();
  const auto missing = resolve_config(ssh::named_config("/no/such"), {"web"}, environment);
  BOOST_REQUIRE(!missing);
  BOOST_TEST(to_text(missing.error()) == "/no/such: there is no such file");
  BOOST_TEST(resolve_config(ssh::named_config("none"), {"web"}, environment)->port == 22);
}

BOOST_AUTO_TEST_CASE(files_include_each_other_sixteen_deep) {
  for (int i = 0; i < 17; ++i)
    system.files["/home/me/.ssh/" + std::to_string(i)]
      = "Include " + std::to_string(i + 1) + (i == 16 ? "\nPort 1" : "");
  BOOST_TEST(value_in("Include 1", "port") == "1");
  BOOST_TEST(value_in("Include 0", "port")
             == "/home/me/.ssh/15:1: Include: files include each other more than 16 deep");
  BOOST_TEST(value_in("Include config", "port")
             == config + ":1: Include: files include each other more than 16 deep");
}

BOOST_AUTO_TEST_CASE(what_is_read_has_a_bound) {
  system.files["/home/me/.ssh/a"] = "Port 1\nPort 2";
  const std::string text = "Include a\nInclude a";
  limits = {3, 6, text.size() + 2 * 13, 16};
  BOOST_TEST(value_in(text, "port") == "1");
  const std::string too_large = "the configuration is too large";
  for (const ssh::config_limits& x : std::vector<ssh::config_limits>{
         {2, 6, 1000, 16}, {3, 5, 1000, 16}, {3, 6, 44, 16}, {3, 6, 5, 16}}) {
    limits = x;
    const auto found = resolve({"web"});
    BOOST_REQUIRE(!found);
    BOOST_TEST(found.error().reason == too_large);
  }
}

BOOST_AUTO_TEST_CASE(a_tree_of_files_that_doubles_at_each_level_ends_at_the_bound) {
  system.files["/home/me/.ssh/a"] = "Include a a";
  const auto found = resolve({"web"});
  BOOST_TEST(found.has_value());
  BOOST_TEST(value_in("Include a a", "port")
             == "/home/me/.ssh/a:1: Include: files include each other more than 16 deep");
  for (int i = 0; i < 16; ++i)
    system.files["/home/me/.ssh/" + std::to_string(i)]
      = "Include " + std::to_string(i + 1) + ' ' + std::to_string(i + 1);
  system.files["/home/me/.ssh/16"] = "Port 1";
  system.files[config] = "Include 2 2";
  const auto wide = resolve({"web"});
  BOOST_REQUIRE(!wide);
  BOOST_TEST(wide.error().reason == "the configuration is too large");
}

BOOST_AUTO_TEST_CASE(lists_have_a_bound) {
  const auto text = [](const std::string& keyword, int count, const std::string& value,
                       const std::string& separator) {
    std::string result = keyword;
    for (int i = 0; i < count; ++i)
      result += (i == 0 ? ' ' + value : separator + value) + std::to_string(i);
    return result;
  };

  struct bound {
    std::string keyword;
    int most = 0;
    std::string value = {};
    std::string separator = " ";
  };

  for (const bound& x : std::vector<bound>{{"IdentityFile", 100, "/k", "\nIdentityFile /k"},
                                           {"CertificateFile", 100, "/c", "\nCertificateFile /c"},
                                           {"UserKnownHostsFile", 32, "/u"},
                                           {"GlobalKnownHostsFile", 32, "/g"},
                                           {"CanonicalDomains", 32, "d"},
                                           {"CanonicalizePermittedCNAMEs", 32, "a:b"},
                                           {"SendEnv", 1000, "V"},
                                           {"SetEnv", 1000, "V=x"}}) {
    BOOST_TEST(value_in(text(x.keyword, x.most, x.value, x.separator), "port") == "22", x.keyword);
    const std::string beyond = value_in(text(x.keyword, x.most + 1, x.value, x.separator), "port");
    BOOST_TEST(beyond.ends_with(": there are more than " + std::to_string(x.most)), beyond);
  }
}

BOOST_AUTO_TEST_CASE(match_exec_runs_a_command_and_asks_for_its_status) {
  system.commands = {{"is web web me 22 me", 0}, {"fails", 1}};
  BOOST_TEST(value_in("Match exec \"is %h %n %r %p %u\"\nPort 1", "port") == "1");
  BOOST_TEST(value_in("Match exec fails\nPort 1", "port") == "22");
  BOOST_TEST(value_in("Match !exec fails\nPort 1", "port") == "1");
  BOOST_TEST(value_in("\nMatch exec missing\nPort 1", "port")
             == config + ":2: Match: cannot run 'missing': No such file or directory");
  BOOST_TEST(value_in("Match exec %z\nPort 1", "port")
             == config + ":1: Match: there is no token %z here");
}

BOOST_AUTO_TEST_CASE(match_exec_runs_nothing_whose_status_does_not_count) {
  system.files["/home/me/.ssh/a"] = "Match exec missing\nPort 1";
  BOOST_TEST(value_in("Match host db exec missing\nPort 1\nHost db\nInclude a", "port") == "22");
  BOOST_TEST(system.commands_run.empty());
}

BOOST_AUTO_TEST_CASE(files_are_read_once_although_they_are_gone_through_twice) {
  system.files["/home/me/.ssh/a"] = "User a";
  BOOST_TEST(value_in("Include a\nMatch final\nPort 1", "port") == "1");
  // The system's file is looked for.
  BOOST_TEST(system.files_read == 3U);
}

// ---- canonical names ----

BOOST_AUTO_TEST_CASE(a_name_gets_the_first_domain_in_which_it_is_found) {
  system.hosts = {{"web.b.org.", ""}, {"web.c.org.", ""}};
  const std::string text
    = "CanonicalizeHostname yes\nCanonicalDomains a.org b.org c.org\n"
      "Host web\nUser short\nHost *.b.org\nPort 1\nMatch canonical host web.b.org\n"
      "ConnectTimeout 1";
  BOOST_TEST(value_in(text, "hostname") == "web.b.org");
  BOOST_TEST(value("port", {"web"}) == "1");
  BOOST_TEST(value("user", {"web"}) == "short");
  BOOST_TEST(value("connecttimeout", {"web"}) == "1");
  BOOST_TEST(
    (system.hosts_looked_up.at(0) == "web.a.org." && system.hosts_looked_up.at(1) == "web.b.org."));
}

BOOST_AUTO_TEST_CASE(a_name_that_is_not_found_is_left_alone_or_an_error) {
  const std::string text = "CanonicalizeHostname yes\nCanonicalDomains a.org\n";
  BOOST_TEST(value_in(text, "hostname") == "web");
  BOOST_TEST(value_in(text + "CanonicalizeFallbackLocal no", "hostname")
             == "web is not found in any of CanonicalDomains");
}

BOOST_AUTO_TEST_CASE(names_with_dots_and_addresses_are_not_made_longer) {
  system.hosts = {{"a.b.a.org.", ""}, {"a.b.", ""}};
  const std::string text = "CanonicalizeHostname yes\nCanonicalDomains a.org\n";
  BOOST_TEST(value_in(text, "hostname", {"a.b"}) == "a.b.a.org");
  BOOST_TEST(value_in(text + "CanonicalizeMaxDots 0", "hostname", {"a.b"}) == "a.b");
  BOOST_TEST(value("hostname", {"a.b."}) == "a.b");
  system.hosts_looked_up.clear();
  BOOST_TEST(value("hostname", {"127.0.0.1"}) == "127.0.0.1");
  BOOST_TEST(value("hostname", {"1:2"}) == "1:2");
  BOOST_TEST(system.hosts_looked_up.empty());
}

BOOST_AUTO_TEST_CASE(names_behind_a_proxy_are_left_to_it_unless_always) {
  system.hosts = {{"web.a.org.", ""}};
  const std::string text = "CanonicalDomains a.org\nCanonicalizeHostname ";
  BOOST_TEST(value_in(text + "yes\nProxyJump b", "hostname") == "web");
  BOOST_TEST(value_in(text + "yes\nProxyCommand nc", "hostname") == "web");
  BOOST_TEST(value_in(text + "yes\nProxyCommand none", "hostname") == "web.a.org");
  BOOST_TEST(value_in(text + "always\nProxyJump b", "hostname") == "web.a.org");
  BOOST_TEST(value_in(text + "no", "hostname") == "web");
}

BOOST_AUTO_TEST_CASE(aliases_are_followed_where_a_rule_permits_it) {
  system.hosts = {{"web.a.org.", "srv.b.org"}, {"web", "srv.b.org"}, {"bad", "x;y"}};
  const std::string text = "CanonicalizeHostname yes\nCanonicalDomains a.org\n"
                           "CanonicalizePermittedCNAMEs ";
  BOOST_TEST(value_in(text + "*.a.org:*.b.org", "hostname") == "srv.b.org");
  BOOST_TEST(value_in(text + "*.a.org:*.c.org", "hostname") == "web.a.org");
  BOOST_TEST(value_in(text + "none", "hostname") == "web.a.org");
  const std::string plain = "CanonicalizeHostname yes\nCanonicalizePermittedCNAMEs *";
  BOOST_TEST(value_in(plain, "hostname") == "srv.b.org");
  BOOST_TEST(value_in(plain, "hostname", {"bad"}) == "bad");
}

BOOST_AUTO_TEST_SUITE_END()
