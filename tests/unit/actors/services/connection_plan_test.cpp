#include "sshexec/actors/services/connection_plan.hpp"
#include "sshexec/ssh/config/environment.hpp"
#include "sshexec/ssh/config/resolve.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace {

using namespace sshexec;
using namespace std::chrono_literals;

const machine web{"", "web-1", 0, "", "", {}};

settings with(std::vector<std::string> prevailing) {
  settings result;
  result.user = "me";
  result.over_ssh_config = std::move(prevailing);
  return result;
}

/// The plan for a machine of which these lines say more.
connection_plan plan_of(const std::vector<std::string>& lines, const machine& asked = web,
                        const settings& config = with({}), std::vector<jump> way = {}) {
  ssh::config_query query{asked.hostname, lines};
  query.usual_user = config.user;
  const auto said = ssh::resolve_config({}, query, ssh::system_environment());
  BOOST_REQUIRE(said.has_value());
  return make_plan(asked, config, *said, std::move(way));
}

} // namespace

BOOST_AUTO_TEST_SUITE(connection_plan_test)

BOOST_AUTO_TEST_CASE(without_a_configuration_a_machine_is_what_it_says) {
  const auto plan = make_plan({"id", "web-1", 23, "you", "/key", {}}, with({}));
  BOOST_TEST(plan.hostname == "web-1");
  BOOST_TEST(plan.key_name == "web-1");
  BOOST_TEST(plan.key_port == 23);
  BOOST_TEST(to_address(plan.target) == "you@web-1:23");
  BOOST_TEST(!plan.proxy_command);
  BOOST_TEST(!plan.known_hosts);
  BOOST_TEST((plan.login == login_wishes{}));
}

BOOST_AUTO_TEST_CASE(what_is_said_nowhere_is_usual) {
  const auto plan = plan_of({});
  BOOST_TEST(to_address(plan.target) == "me@web-1:22");
  BOOST_TEST(plan.key_port == 22);
  BOOST_TEST(!plan.known_hosts);
  BOOST_TEST((plan.config.host_key_policy == host_key_policy::accept_new));
  BOOST_TEST((plan.config.retry_delays == settings{}.retry_delays));
}

BOOST_AUTO_TEST_CASE(a_machine_is_shown_by_its_own_name) {
  const auto plan = plan_of({"HostName=10.0.0.1", "Port=2222", "User=root"});
  BOOST_TEST(to_address(plan.target) == "root@web-1:2222");
  BOOST_TEST(plan.hostname == "10.0.0.1");
  BOOST_TEST(plan.key_name == "10.0.0.1");
  BOOST_TEST(plan.key_port == 2222);
}

BOOST_AUTO_TEST_CASE(an_alias_of_a_host_key_has_no_port) {
  const auto plan = plan_of({"Port=2222", "HostKeyAlias=Web"});
  BOOST_TEST(plan.key_name == "web");
  BOOST_TEST(plan.key_port == 22);
}

BOOST_AUTO_TEST_CASE(settings_follow_keywords) {
  const auto config = plan_of({"StrictHostKeyChecking=yes", "ConnectTimeout=3",
                               "ConnectionAttempts=6", "ServerAliveInterval=30"})
                        .config;
  BOOST_TEST((config.host_key_policy == host_key_policy::strict));
  BOOST_TEST((config.connect_timeout == 3s));
  BOOST_TEST((config.retry_delays == std::vector<caf::timespan>{1s, 2s, 4s, 4s, 4s}));
  BOOST_TEST((config.keepalive_interval == 30s));
  BOOST_TEST(plan_of({"ConnectionAttempts=1"}).config.retry_delays.empty());
  BOOST_TEST((plan_of({"ConnectTimeout=0", "ServerAliveInterval=0"}).config.connect_timeout
              == settings{}.connect_timeout));
}

BOOST_AUTO_TEST_CASE(host_keys_are_checked_as_told_and_nobody_is_asked) {
  const auto policy = [](const std::string& word) {
    return plan_of({"StrictHostKeyChecking=" + word}).config.host_key_policy;
  };
  BOOST_TEST((policy("ask") == host_key_policy::strict));
  BOOST_TEST((policy("accept-new") == host_key_policy::accept_new));
  BOOST_TEST((policy("no") == host_key_policy::off));
}

BOOST_AUTO_TEST_CASE(settings_that_prevail_stay) {
  const auto plan
    = plan_of({"StrictHostKeyChecking=yes", "ConnectTimeout=3", "ConnectionAttempts=6",
               "ServerAliveInterval=30", "UserKnownHostsFile=/a"},
              web,
              with({"host-key-policy", "known-hosts-file", "connect-timeout", "retry-delays",
                    "keepalive-interval"}));
  BOOST_TEST((plan.config.host_key_policy == host_key_policy::accept_new));
  BOOST_TEST((plan.config.connect_timeout == settings{}.connect_timeout));
  BOOST_TEST((plan.config.retry_delays == settings{}.retry_delays));
  BOOST_TEST((plan.config.keepalive_interval == settings{}.keepalive_interval));
  BOOST_TEST(!plan.known_hosts);
}

BOOST_AUTO_TEST_CASE(known_hosts_files_are_those_that_are_named) {
  const std::string system = "/etc/ssh/ssh_known_hosts";
  BOOST_TEST((plan_of({"UserKnownHostsFile=/a /b"}).known_hosts
              == known_hosts_choice{{"/a", "/b"}, {system}}));
  BOOST_TEST((plan_of({"GlobalKnownHostsFile=none"}).known_hosts
              == known_hosts_choice{{"~/.ssh/known_hosts"}, {}}));
  auto config = with({});
  config.known_hosts_file = "/mine";
  BOOST_TEST((plan_of({"GlobalKnownHostsFile=/g"}, web, config).known_hosts
              == known_hosts_choice{{"/mine"}, {"/g"}}));
}

BOOST_AUTO_TEST_CASE(a_key_of_the_machine_is_the_only_one) {
  machine keyed = web;
  keyed.identity_file = "/key";
  BOOST_TEST((plan_of({"IdentityFile=/a", "IdentityFile=/b"}).login.identity_files
              == std::vector<std::string>{"/a", "/b"}));
  BOOST_TEST(!plan_of({"IdentityFile=/a"}, keyed).login.identity_files);
}

BOOST_AUTO_TEST_CASE(an_agent_is_the_one_that_is_named_or_none) {
  const auto login_of = [](const std::vector<std::string>& lines) { return plan_of(lines).login; };
  BOOST_TEST(!login_of({"IdentitiesOnly=no"}).leaves_agents_out);
  BOOST_TEST(login_of({"IdentitiesOnly=yes"}).leaves_agents_out);
  BOOST_TEST(!login_of({"User=x"}).agent);
  BOOST_TEST(login_of({"IdentityAgent=none"}).agent.value() == "");
  BOOST_TEST(login_of({"IdentityAgent=/run/my-%h"}).agent.value() == "/run/my-web-1");
}

BOOST_AUTO_TEST_CASE(jumps_are_there_in_place_of_a_program) {
  BOOST_TEST(plan_of({"ProxyCommand=nc %h %p"}).proxy_command.value() == "nc web-1 22");
  const auto plan = plan_of({"ProxyCommand=nc %h %p"}, web, with({}), {{"bastion", 0, "", ""}});
  BOOST_TEST(!plan.proxy_command);
  BOOST_TEST(plan.target.via.size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
