#include "simulated_pool.hpp"

#include <boost/test/unit_test.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <utility>
#include <vector>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;
namespace ev = sshexec::ssh::event;

namespace {

void follow_openssh(settings& x) {
  x.ssh_config = usual_ssh_config;
}

void follow_options(settings& x) {
  follow_openssh(x);
  x.ssh_options = {"User=root"};
}

using planned_pool = special_pool<follow_openssh>;
using optional_pool = special_pool<follow_options>;

machine bare(std::string hostname, std::vector<jump> via = {}) {
  return {{}, std::move(hostname), 0, {}, {}, std::move(via)};
}

output_consumer::behavior_type consume(output_consumer::pointer,
                                       std::vector<output_chunk>* chunks) {
  return {[chunks](const output_chunk& x) { chunks->push_back(x); }};
}

} // namespace

BOOST_AUTO_TEST_SUITE(planned)

BOOST_FIXTURE_TEST_CASE(a_chunk_names_the_machine_by_which_input_and_cancel_find_it, planned_pool) {
  change_plan = [](connection_plan& x) {
    x.target.username = "root";
    x.target.port = 2222;
  };
  network.on_start = start_only;
  std::vector<output_chunk> chunks;
  const auto consumer = system.spawn(consume, &chunks);
  command what = some_command("cat");
  what.output_to = consumer;
  what.stdin_open = true;
  const auto answer = request(what, bare("web"));
  connection().emit(ev::output{connection().started.at(0).first, false, "chunk"});
  settle();
  BOOST_REQUIRE(!chunks.empty());
  BOOST_TEST((chunks.front().machine == bare("web")));
  const auto fed = feed(*answer, "more", false, chunks.front().machine);
  settle();
  BOOST_TEST(!fed->error);
  cancel(*answer, {}, chunks.front().machine);
  pass(1min);
  BOOST_TEST(answer->failed_with(error_code::cancelled));
  caf::anon_send_exit(consumer, caf::exit_reason::user_shutdown);
}

BOOST_FIXTURE_TEST_CASE(a_short_timeout_begins_with_the_connection, planned_pool) {
  plan_delay = 5s;
  change_plan = [](connection_plan& x) { x.config.connect_timeout = 2s; };
  network.on_dial = [](simulated_connection&) {};
  network.on_start = succeed_at_once;
  const auto answer = request(some_command(), bare("web"));
  pass(5s);
  BOOST_REQUIRE(network.alive.size() == 1U);
  pass(2s - 1ns);
  BOOST_TEST(network.alive.size() == 1U);
  pass(1ns);
  BOOST_TEST(network.alive.empty());
  // The next plan has as much time as the first one.
  network.on_dial = nullptr;
  pass(1s + 5s);
  BOOST_TEST(network.dialed == 2U);
  BOOST_TEST(answer->result.has_value());
}

BOOST_FIXTURE_TEST_CASE(a_plan_that_takes_too_long_is_asked_for_again, planned_pool) {
  plan_delay = 11s;
  network.on_start = succeed_at_once;
  const auto answer = request(some_command(), bare("web"));
  pass(10s);
  plan_delay = 0s;
  pass(1s);
  BOOST_TEST(answer->result.has_value());
}

BOOST_FIXTURE_TEST_CASE(a_machine_is_another_one_as_a_jump_with_options, optional_pool) {
  const auto target = bare("web", {{"bastion", 0, {}, {}}});
  network.on_start = succeed_at_once;
  request(some_command(), bare("bastion"));
  request(some_command(), target);
  BOOST_REQUIRE(plans_asked_for.size() == 3U);
  BOOST_TEST(!plans_asked_for.at(0).is_jump);
  BOOST_TEST(!plans_asked_for.at(1).is_jump);
  BOOST_TEST(plans_asked_for.at(2).is_jump);
  BOOST_TEST((plans_asked_for.at(2).target == bare("bastion")));
  // Both are retired, each for itself.
  pass(1h);
  BOOST_TEST(network.alive.empty());
}

BOOST_FIXTURE_TEST_CASE(a_jump_without_options_is_the_machine_itself, planned_pool) {
  request(some_command(), bare("bastion"));
  request(some_command(), bare("web", {{"bastion", 0, {}, {}}}));
  BOOST_TEST(plans_asked_for.size() == 2U);
}

BOOST_FIXTURE_TEST_CASE(a_store_that_was_given_knows_better_than_files, planned_pool) {
  pool_settings.host_key_policy = host_key_policy::strict;
  const ssh::host_key key{"ssh-ed25519", "blob"};
  known_keys.trusted = {key};
  change_plan = [](connection_plan& x) { x.known_hosts = known_hosts_choice{{"/a"}, {}}; };
  network.on_dial = [key](simulated_connection& x) { x.emit(ev::host_key_presented{key}); };
  network.on_start = succeed_at_once;
  const auto answer = request(some_command(), bare("web"));
  BOOST_TEST(answer->result.has_value());
}

BOOST_FIXTURE_TEST_CASE(a_refused_variable_that_the_command_did_not_name_is_not_told,
                        planned_pool) {
  change_plan = [](connection_plan& x) { x.environment = {{"FROM_FILES", "1"}}; };
  network.on_start = [](simulated_connection& x, ssh::exec_id id) {
    start_only(x, id);
    ssh::exec_outcome outcome;
    outcome.exit_status = 0;
    outcome.refused_environment = {"FROM_FILES", "OWN"};
    x.end(id, std::move(outcome));
  };
  command what = some_command();
  what.environment = {{"OWN", "1"}};
  const auto answer = request(what, bare("web"));
  BOOST_REQUIRE(answer->result);
  BOOST_TEST(network.alive.at(0)->started.at(0).second.environment.size() == 2U);
  BOOST_TEST(answer->result->refused_environment == std::vector<std::string>{"OWN"},
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
