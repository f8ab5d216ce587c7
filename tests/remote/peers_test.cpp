#include "nodes.hpp"
#include "served.hpp"

#include <boost/test/unit_test.hpp>

#include <fstream>
#include <string>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;

namespace {

using host_id = caf::node_id::default_data::host_id_type;

/// What the id of a new node is made of, without the byte by which CAF tells the nodes of a
/// process.
host_id host_of_new_node() {
  network_config config;
  const caf::actor_system system{config};
  host_id result = static_cast<const caf::node_id::default_data&>(*system.node()).host_id();
  result.back() = 0;
  return result;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(peers, stage)

BOOST_AUTO_TEST_CASE(have_another_id_at_each_start) {
  const host_id one = host_of_new_node();
  const host_id other = host_of_new_node();
  BOOST_TEST((one != other));
}

BOOST_AUTO_TEST_CASE(in_process_namespaces_of_their_own_get_their_own_answers) {
  const std::string apart = "unshare -p -f ";
  if (testing::run_program({"/bin/sh", "-c", apart + "true 2> /dev/null"}) != 0) {
    BOOST_TEST_MESSAGE("this user may not make process namespaces");
    return;
  }
  const std::string configuration = directory.path() / "sshexec.conf";
  std::ofstream{configuration} << "sshexec { host-key-policy = \"off\" }\n";
  const served hub{{"--plain", "--journal", "none", "--config", configuration}};
  const auto run = [&](int number) {
    const std::string text = "client " + std::to_string(number);
    return apart + SSHEXEC_TOOL + " run --hub-plain --hub " + hub.address() + " -i "
           + target.identity_file + ' ' + to_address(target) + " -- 'sleep 0.3; echo " + text
           + "' | grep -qx '" + text + '\'';
  };
  std::string script;
  for (int i = 0; i < 8; ++i)
    script += run(i) + " & p" + std::to_string(i) + "=$!; ";
  script += "s=0; ";
  for (int i = 0; i < 8; ++i)
    script += "wait $p" + std::to_string(i) + " || s=1; ";
  BOOST_TEST(testing::run_program({"/bin/sh", "-c", script + "exit $s"}) == 0);
}

BOOST_AUTO_TEST_CASE(open_no_port_of_CAFs_own) {
  network_config system_config;
  system_config.set("middleman.enable-automatic-connections", true);
  caf::actor_system system{system_config};
  const auto refused = check_networking(system);
  BOOST_TEST(is(refused, error_code::configuration_error));
  BOOST_TEST(to_failure(refused).message.find("enable-automatic-connections") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(whose_networking_was_loaded_by_other_means_are_refused) {
  network_config system_config;
  system_config.load<caf::io::middleman>();
  caf::actor_system system{system_config};
  const auto refused = check_networking(system);
  BOOST_TEST(is(refused, error_code::configuration_error));
  BOOST_TEST(to_failure(refused).message.find("configure_networking") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
