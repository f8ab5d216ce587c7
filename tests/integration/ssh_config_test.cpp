// The tool with OpenSSH's configuration, against real servers: what the page of keywords calls
// honoured is honoured from end to end.

#include "hub.hpp"
#include "sshexec/testing/loopback.hpp"
#include "tool.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <string>

using namespace sshexec;
using namespace sshexec::test;

namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// A machine that the configuration calls web-1.
struct configured_tool : tool {
  using tool::tool;

  /// How to reach a server, under some name.
  static std::string block(const std::string& name, const testing::real_server& at,
                           const std::string& more = "") {
    return "Host " + name + "\n  HostName " + at.host() + "\n  Port " + std::to_string(at.port())
           + "\n  User " + at.user() + "\n  IdentityFile " + at.identity_file() + '\n' + more;
  }

  [[nodiscard]] std::string known_hosts() const {
    return "UserKnownHostsFile " + file("known") + "\nGlobalKnownHostsFile none\n";
  }

  void configure(const std::string& text) const { std::ofstream{file("config")} << text; }

  void configure_web(const std::string& more = "") const {
    configure(block("web-1", server, more) + known_hosts());
  }

  /// `sshexec run` with that file.
  [[nodiscard]] finished run_on(const std::string& target, const std::string& options = "",
                                const std::string& line = "echo ran") const {
    return shell("$tool run --retries 0 -F " + file("config") + ' ' + options + ' ' + target
                 + " -- '" + line + '\'');
  }
};

settings with_ssh_config(const std::string& file) {
  settings result = quick_settings();
  result.ssh_config = file;
  return result;
}

/// An executor that is told of web-1 by a file.
struct configured_executor {
  void configure(const testing::real_server& server) const {
    // Another file, as editors make one: its stamp cannot be that of the one before.
    std::ofstream{file + ".new"} << configured_tool::block("web-1", server);
    std::filesystem::rename(file + ".new", file);
  }

  static machine web(const std::string& id) { return {id, "web-1", 0, "", "", {}}; }

  testing::temporary_directory directory;
  std::string file = directory.path() / "config";
  testing::openssh_server first;
  testing::openssh_server second;
  hub executing{with_ssh_config(file)};
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(openssh_configuration_of_an_executor, configured_executor)

BOOST_AUTO_TEST_CASE(it_is_read_when_its_file_is_named) {
  configure(first);
  BOOST_TEST(executing.run(web("1"), "true").succeeded());
  BOOST_TEST(first.authentications() == 1U);
}

BOOST_AUTO_TEST_CASE(it_is_read_again_when_it_changes) {
  configure(first);
  BOOST_TEST(executing.run(web("1"), "true").succeeded());
  configure(second);
  BOOST_TEST(executing.run(web("2"), "true").succeeded());
  BOOST_TEST(first.authentications() == 1U);
  BOOST_TEST(second.authentications() == 1U);
}

BOOST_AUTO_TEST_CASE(a_user_a_port_and_a_key_of_a_request_prevail) {
  configure(first);
  machine target = machine_of(second);
  target.hostname = "web-1";
  BOOST_TEST(executing.run(target, "true").succeeded());
  BOOST_TEST(second.authentications() == 1U);
}

BOOST_AUTO_TEST_CASE(a_failure_names_the_machine_by_the_name_of_the_request) {
  configure(first);
  first.stop();
  const auto failed = executing.run(web("1"), "true");
  BOOST_TEST(failed.failed_with(error_code::connection_error));
  BOOST_TEST(failed.what().machine == first.user() + "@web-1:" + std::to_string(first.port()));
}

BOOST_AUTO_TEST_CASE(a_file_that_is_no_configuration_is_a_configuration_error) {
  std::ofstream{file} << "Port many\n";
  const auto failed = executing.run(web("1"), "true");
  BOOST_TEST(failed.failed_with(error_code::configuration_error));
  BOOST_TEST(contains(failed.what().message, file + ":1: Port: "));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(openssh_configuration, configured_tool)

BOOST_AUTO_TEST_CASE(an_alias_has_a_host_port_user_key_and_known_hosts_file) {
  configure_web();
  const auto result = run_on("web-1");
  BOOST_TEST(result.err == "");
  BOOST_TEST(result.out == "ran\n");
  BOOST_TEST(
    contains(content(file("known")), '[' + server.host() + "]:" + std::to_string(server.port())));
}

BOOST_AUTO_TEST_CASE(a_machine_keeps_the_name_by_which_it_was_asked_for) {
  configure_web();
  const auto result = run_on("web-1", "", "kill -9 $$");
  BOOST_TEST(contains(run_on("web-1", "-t 1s", "sleep 1000").err,
                      server.user() + "@web-1:" + std::to_string(server.port())));
  BOOST_TEST(run_on("web-1,web-1").exit_code == 0);
  BOOST_TEST(contains(run_on("'web-[1,1]' web-1").out, "web-1: ran\n"));
  BOOST_TEST(result.exit_code == 137);
}

BOOST_AUTO_TEST_CASE(the_command_line_prevails) {
  configure(block("web-1", server) + known_hosts());
  const testing::openssh_server other;
  const auto port = std::to_string(other.port());
  for (const std::string& options : {"-p " + port, "-o Port=" + port, "-o 'Port " + port + '\''}) {
    const auto result = run_on("web-1", options + " -i " + other.identity_file());
    BOOST_TEST(result.out == "ran\n", options << ": " << result.err);
  }
  const auto without_file = shell("$tool run -F none -o HostName=" + other.host() + " -o Port="
                                  + port + " -l " + other.user() + " --known-hosts " + file("mine")
                                  + " -i " + other.identity_file() + " web-1 -- echo ran");
  BOOST_TEST(without_file.out == "ran\n", without_file.err);
  BOOST_TEST(run_on("web-1:" + port, "-i " + other.identity_file()).out == "ran\n");
  BOOST_TEST(other.authentications() == 5U);
  BOOST_TEST(server.authentications() == 0U);
}

BOOST_AUTO_TEST_CASE(a_host_key_is_on_record_under_its_alias) {
  configure_web("  HostKeyAlias the-web\n");
  BOOST_TEST(run_on("web-1").out == "ran\n");
  BOOST_TEST(content(file("known")).starts_with("the-web "));
  std::ofstream{file("known")}
    << "the-web ssh-ed25519 "
       "AAAAC3NzaC1lZDI1NTE5AAAAIJ4vJ4vJ4vJ4vJ4vJ4vJ4vJ4vJ4vJ4vJ4vJ4vJ4vJ4v"
       "J\n";
  BOOST_TEST(run_on("web-1").exit_code == 255);
}

BOOST_AUTO_TEST_CASE(strict_checking_refuses_what_is_in_none_of_the_files) {
  configure_web("  StrictHostKeyChecking yes\n");
  const auto refused = run_on("web-1");
  BOOST_TEST(refused.exit_code == 255);
  BOOST_TEST(contains(refused.err, "host key is unknown"));
  BOOST_TEST(run_on("web-1", "--host-key-policy accept-new").out == "ran\n");
  BOOST_TEST(run_on("web-1").out == "ran\n");
  BOOST_TEST(run_on("web-1", "-o 'UserKnownHostsFile=/dev/null " + file("known") + '\'').out
             == "ran\n");
  BOOST_TEST(
    run_on("web-1", "-o UserKnownHostsFile=none -o GlobalKnownHostsFile=" + file("known")).out
    == "ran\n");
  BOOST_TEST(run_on("web-1", "-o UserKnownHostsFile=none").exit_code == 255);
}

BOOST_AUTO_TEST_CASE(several_keys_are_tried) {
  const testing::openssh_server other;
  configure("Host web-1\n  IdentityFile " + other.identity_file() + "\n  IdentityFile /nowhere\n"
            + block("web-1", server) + known_hosts());
  BOOST_TEST(run_on("web-1").out == "ran\n");
}

BOOST_AUTO_TEST_CASE(the_address_family_chooses_among_addresses) {
  configure_web();
  BOOST_TEST(run_on("web-1", "-o AddressFamily=inet").out == "ran\n");
  const auto result = run_on("web-1", "-o AddressFamily=inet6");
  BOOST_TEST(result.exit_code == 255);
  BOOST_TEST(contains(result.err, "AddressFamily"));
}

BOOST_AUTO_TEST_CASE(attempts_and_their_time_are_bounded) {
  const auto silent = testing::listen_on("127.0.0.1");
  configure_web();
  const auto result
    = shell("$tool run -F " + file("config") + " -o ConnectTimeout=1 -o ConnectionAttempts=1 -p "
            + std::to_string(testing::port_of(silent)) + " web-1 -- true");
  BOOST_TEST(result.exit_code == 255);
  BOOST_TEST(contains(result.err, "no connection within 1s"));
}

BOOST_AUTO_TEST_CASE(variables_are_set) {
  const configured_tool other{{.configuration = "AcceptEnv A B\n"}};
  other.configure_web("  SetEnv A=1 B=2\n");
  BOOST_TEST(other.run_on("web-1", "--env B=3", "echo $A $B").out == "1 3\n");
}

BOOST_AUTO_TEST_CASE(jumps_have_blocks_of_their_own) {
  const testing::openssh_server outer;
  const testing::openssh_server inner;
  configure(block("web-1", server, "  ProxyJump inner\n")
            + block("inner", inner, "  ProxyJump outer\n") + block("outer", outer) + known_hosts());
  const auto result = run_on("web-1", "-o ConnectTimeout=30");
  BOOST_TEST(result.out == "ran\n", result.err);
  BOOST_TEST(outer.authentications() == 1U);
  BOOST_TEST(inner.authentications() == 1U);
  BOOST_TEST(run_on("-J none web-1").out == "ran\n");
  BOOST_TEST(run_on("-J outer web-1").out == "ran\n");
  BOOST_TEST(inner.authentications() == 1U);
  BOOST_TEST(outer.authentications() == 2U);
}

BOOST_AUTO_TEST_CASE(options_of_the_command_line_are_not_for_jumps) {
  const testing::openssh_server bastion;
  configure(block("web-1", server, "  ProxyJump bastion\n") + block("bastion", bastion)
            + known_hosts());
  BOOST_TEST(run_on("web-1", "-o User=nobody-here").exit_code == 255);
  BOOST_TEST(bastion.authentications() == 1U);
}

BOOST_AUTO_TEST_CASE(a_loop_of_jumps_is_an_error) {
  configure("Host a\n  ProxyJump b\nHost b\n  ProxyJump a\n");
  const auto result = run_on("a");
  BOOST_TEST(result.exit_code == 255);
  BOOST_TEST(contains(result.err, "loop"));
}

BOOST_AUTO_TEST_CASE(a_program_carries_the_connection) {
  const testing::openssh_server bastion;
  configure_web("  ProxyCommand ssh -F none -o StrictHostKeyChecking=no -o UserKnownHostsFile="
                + file("bastion") + " -i " + bastion.identity_file() + " -p "
                + std::to_string(bastion.port()) + " -W %h:%p " + bastion.user() + '@'
                + bastion.host() + '\n');
  const auto result = run_on("web-1");
  BOOST_TEST(result.out == "ran\n", result.err);
  BOOST_TEST(bastion.authentications() == 1U);
  BOOST_TEST(server.authentications() == 1U);
}

BOOST_AUTO_TEST_CASE(a_program_that_fails_is_told_with_what_it_complained_of) {
  configure_web("  ProxyCommand echo no way to %h >&2; exit 3\n");
  const auto result = run_on("web-1", "-o ConnectTimeout=30");
  BOOST_TEST(result.exit_code == 255);
  BOOST_TEST(is_one_line(result.err));
  BOOST_TEST(contains(result.err, "ProxyCommand: it ended with exit code"), result.err);
  BOOST_TEST(contains(result.err, "no way to " + server.host()), result.err);
}

BOOST_AUTO_TEST_CASE(no_jumps_are_no_program_either) {
  configure_web("  ProxyCommand false\n");
  BOOST_TEST(run_on("-J none web-1").out == "ran\n");
}

BOOST_AUTO_TEST_CASE(a_program_ends_with_its_connection) {
  configure_web("  ProxyCommand sh -c \"echo \\$\\$ > " + file("pid")
                + "; exec sleep 1000\"\n  ConnectTimeout 1\n");
  BOOST_TEST(run_on("web-1").exit_code == 255);
  BOOST_TEST(!content(file("pid")).empty());
  const auto result = shell("kill -0 $(cat " + file("pid") + ')');
  BOOST_TEST(result.exit_code != 0);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_honoured_is_an_error_with_its_place) {
  configure_web("  CertificateFile ~/mine.pub\nHost other\n  Ciphers aes128-ctr\n");
  const auto result = run_on("web-1");
  BOOST_TEST(result.exit_code == 255);
  BOOST_TEST(is_one_line(result.err));
  BOOST_TEST(contains(result.err, "web-1: " + file("config") + ":6: CertificateFile: "),
             result.err);
  BOOST_TEST(server.connections() == 0U);
  BOOST_TEST(contains(run_on("web-1", "-o Ciphers=aes128-ctr").err, "-o Ciphers: "));
  BOOST_TEST(contains(shell("$tool run -F /nowhere/config web-1 -- true").err, "/nowhere/config"));
}

BOOST_AUTO_TEST_CASE(blocks_of_others_and_what_has_no_meaning_do_no_harm) {
  configure("Host other\n  CertificateFile x\n  BindAddress ::1\n" + block("web-1", server)
            + "ForwardAgent yes\nControlMaster auto\nHashKnownHosts yes\nIdentitiesOnly yes\n"
              "IdentityAgent none\nPreferredAuthentications publickey,password\n"
              "Ciphers aes128-ctr\nRequiredRSASize 2048\n"
            + known_hosts());
  BOOST_TEST(run_on("web-1").out == "ran\n");
}

BOOST_AUTO_TEST_CASE(with_a_hub_they_are_the_hub_s) {
  configure_web();
  for (const char* option : {"-F none", "-o Port=22"}) {
    const auto result
      = shell(std::string{"$tool run --hub localhost:1 --hub-plain "} + option + " web-1 -- true");
    BOOST_TEST(result.exit_code == 255);
    BOOST_TEST(contains(result.err, "is decided by the hub"), result.err);
  }
}

BOOST_AUTO_TEST_SUITE_END()
