#include "files.hpp"
#include "simulated_pool.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;

namespace {

jump some_jump(std::string hostname) {
  jump result;
  result.hostname = std::move(hostname);
  return result;
}

machine behind(std::vector<std::string> jumps, std::string hostname = "host") {
  machine result = simulated_pool::some_machine(std::move(hostname));
  for (std::string& x : jumps)
    result.via.push_back(some_jump(std::move(x)));
  return result;
}

/// A pool whose jumps carry what they are asked to, and whose machines run all commands.
struct pool_with_jumps : simulated_pool {
  explicit pool_with_jumps(settings wanted = default_settings())
    : simulated_pool(std::move(wanted)) {
    network.on_start = succeed_at_once;
    network.on_forward = [this](simulated_connection& x, ssh::forward_id id) { carry(x, id); };
    network.on_dial = [](simulated_connection& x) {
      x.answers_keepalives = true;
      x.emit(ssh::event::authenticated{});
    };
    network.on_drop = [this](simulated_connection& x) {
      if (x.settings.carrier)
        end_stream(*x.settings.carrier);
    };
  }

  // While `streams` is there.
  ~pool_with_jumps() { shut_down(); }

  void carry(simulated_connection& by, ssh::forward_id id) {
    auto stream = std::make_shared<ssh::carried_stream>();
    streams[stream.get()] = {&by, id};
    by.emit(ssh::event::forwarded{id, std::move(stream)});
  }

  void end_stream(const ssh::carried_stream& stream) {
    const auto [by, id] = streams.at(&stream);
    if (std::find(network.alive.begin(), network.alive.end(), by) != network.alive.end())
      by->emit(ssh::event::forward_closed{id});
  }

  void let_forwards_fail(ssh::error_kind kind, const std::string& text) {
    network.on_forward = [kind, text](simulated_connection& x, ssh::forward_id id) {
      x.emit(ssh::event::forward_refused{id, {kind, text}});
    };
  }

  /// Who carries them.
  std::map<const ssh::carried_stream*, std::pair<simulated_connection*, ssh::forward_id>> streams;
};

/// Checks host keys, without which nobody is given a password.
struct checking_pool : pool_with_jumps {
  static settings wanted() {
    settings result = default_settings();
    result.host_key_policy = host_key_policy::accept_new;
    return result;
  }

  checking_pool() : pool_with_jumps(wanted()) { password = ssh::secret{"open sesame"}; }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(jumps, pool_with_jumps)

BOOST_AUTO_TEST_CASE(a_machine_behind_a_jump_is_reached_through_its_connection) {
  const auto answer = request(some_command(), behind({"bastion"}));
  BOOST_REQUIRE(answer->result);
  BOOST_REQUIRE(network.alive.size() == 2U);
  BOOST_TEST(!connection().settings.carrier);
  BOOST_REQUIRE(connection().forwards.size() == 1U);
  BOOST_TEST(connection().forwards[0].second.host == "host");
  BOOST_TEST(connection().forwards[0].second.port == 22);
  BOOST_TEST((network.alive[1]->settings.carrier != nullptr));
  BOOST_TEST(network.alive[1]->settings.addresses.empty());
}

BOOST_FIXTURE_TEST_CASE(a_jump_is_given_no_password, checking_pool) {
  BOOST_TEST(request(some_command(), behind({"bastion"}))->result.has_value());
  BOOST_REQUIRE(network.alive.size() == 2U);
  BOOST_TEST(network.alive[0]->settings.password.empty());
  BOOST_TEST(network.alive[0]->settings.passed_over == "a jump is given no password");
  BOOST_TEST(network.alive[1]->settings.password.text() == "open sesame");
}

BOOST_AUTO_TEST_CASE(all_that_go_through_a_jump_share_its_connection) {
  for (const char* name : {"one", "two", "three"})
    BOOST_TEST(request(some_command(), behind({"bastion"}, name))->result.has_value());
  // A command for the jump itself has it, too.
  BOOST_TEST(request(some_command(), some_machine("bastion"))->result.has_value());
  BOOST_TEST(network.dialed == 4U);
  BOOST_TEST(connection().forwards.size() == 3U);
}

BOOST_AUTO_TEST_CASE(each_jump_is_reached_through_the_one_before) {
  BOOST_TEST(request(some_command(), behind({"outer", "inner"}))->result.has_value());
  BOOST_REQUIRE(network.alive.size() == 3U);
  BOOST_TEST(network.alive[0]->forwards.at(0).second.host == "inner");
  BOOST_TEST(network.alive[1]->forwards.at(0).second.host == "host");
  BOOST_TEST(network.alive[2]->forwards.empty());
}

BOOST_AUTO_TEST_CASE(a_jump_that_cannot_be_reached_is_named_and_costs_the_attempts_of_its_guests) {
  network.on_dial = refuse_connection;
  const auto answer = request(some_command(), behind({"bastion"}));
  pass(1min);
  BOOST_REQUIRE(answer->failed_with(error_code::connection_error));
  BOOST_TEST((answer->what().fault == connection_fault::refused));
  BOOST_TEST(answer->what().attempts == 4U);
  BOOST_TEST(contains(answer->what().message, "jump admin@bastion:22: "));
  BOOST_TEST(contains(answer->what().message, "Connection refused"));
  BOOST_TEST(network.dialed == 4U);
}

BOOST_AUTO_TEST_CASE(a_jump_that_refuses_our_login_ends_the_attempts_of_its_guests) {
  network.on_dial = [](simulated_connection& x) {
    x.lose(ssh::error_kind::authentication, "the server refused the login");
  };
  const auto answer = request(some_command(), behind({"bastion"}));
  BOOST_REQUIRE(answer->failed_with(error_code::authentication_error));
  BOOST_TEST(contains(answer->what().message, "jump admin@bastion:22: "));
  BOOST_TEST(answer->what().attempts == 1U);
}

BOOST_AUTO_TEST_CASE(a_jump_that_does_not_forward_is_not_asked_again) {
  let_forwards_fail(ssh::error_kind::forbidden, "it does not forward connections");
  const auto answer = request(some_command(), behind({"bastion"}));
  BOOST_REQUIRE(answer->failed_with(error_code::rejected));
  BOOST_TEST(
    contains(answer->what().message, "jump admin@bastion:22: it does not forward connections"));
  BOOST_TEST(answer->what().attempts == 1U);
  BOOST_TEST(network.alive.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_machine_that_the_jump_does_not_reach_is_tried_again) {
  let_forwards_fail(ssh::error_kind::refused, "it could not connect");
  const auto answer = request(some_command(), behind({"bastion"}));
  pass(1min);
  BOOST_REQUIRE(answer->failed_with(error_code::connection_error));
  BOOST_TEST(answer->what().attempts == 4U);
  BOOST_TEST(connection().forwards.size() == 4U);
  BOOST_TEST(network.dialed == 1U);
}

BOOST_AUTO_TEST_CASE(the_time_to_connect_holds_for_the_whole_way) {
  network.on_forward = {};
  const auto answer = request(some_command(), behind({"bastion"}));
  pass(5min);
  BOOST_REQUIRE(answer->failed_with(error_code::connection_error));
  BOOST_TEST((answer->what().fault == connection_fault::timed_out));
  BOOST_TEST(
    contains(answer->what().message, "stopped at: connecting through jump admin@bastion:22"));
}

BOOST_AUTO_TEST_CASE(a_stream_that_comes_too_late_is_let_go) {
  network.on_forward = {};
  const auto answer = request(some_command(), behind({"bastion"}));
  pass(5min);
  BOOST_REQUIRE(answer->error);
  auto stream = std::make_shared<ssh::carried_stream>();
  const std::weak_ptr late = stream;
  connection().emit(ssh::event::forwarded{connection().forwards[0].first, std::move(stream)});
  settle();
  BOOST_TEST(late.expired());
  connection().emit(ssh::event::forward_closed{connection().forwards[0].first});
}

BOOST_AUTO_TEST_CASE(a_jump_is_not_retired_while_it_has_guests) {
  network.on_drop = {};
  BOOST_REQUIRE(request(some_command(), behind({"bastion"}))->result);
  // The guest is idle for five minutes, and closes its connection.
  pass(5min);
  BOOST_REQUIRE(network.alive.size() == 1U);
  pass(1h);
  BOOST_REQUIRE(network.alive.size() == 1U);
  connection().emit(ssh::event::forward_closed{connection().forwards[0].first});
  pass(5min - 1ns);
  BOOST_TEST(network.alive.size() == 1U);
  pass(1ns);
  BOOST_TEST(network.alive.empty());
}

BOOST_AUTO_TEST_CASE(the_guests_of_a_jump_that_is_lost_connect_again_through_it) {
  BOOST_REQUIRE(request(some_command(), behind({"bastion"}))->result);
  network.alive[1]->lose(ssh::error_kind::dropped);
  network.alive[0]->lose(ssh::error_kind::dropped);
  settle();
  const auto answer = request(some_command(), behind({"bastion"}));
  BOOST_REQUIRE(answer->result);
  BOOST_TEST(answer->result->attempts == 1U);
  BOOST_TEST(network.dialed == 4U);
}

BOOST_AUTO_TEST_CASE(a_stream_that_is_being_opened_fails_with_its_jump) {
  network.on_forward = {};
  const auto answer = request(some_command(), behind({"bastion"}));
  network.on_forward = [this](simulated_connection& x, ssh::forward_id id) { carry(x, id); };
  connection().lose(ssh::error_kind::dropped, "disconnected");
  pass(1s);
  BOOST_REQUIRE(answer->result);
  BOOST_TEST(answer->result->attempts == 2U);
}

BOOST_AUTO_TEST_CASE(a_loop_of_jumps_is_refused) {
  for (const auto& target : {behind({"a", "b", "a"}), behind({"host"}), behind({"a", ""})}) {
    const auto answer = request(some_command(), target);
    BOOST_TEST(answer->failed_with(error_code::invalid_argument));
  }
  BOOST_TEST(network.dialed == 0U);
}

BOOST_AUTO_TEST_CASE(a_jump_ends_behind_its_guests) {
  network.on_drop = {};
  BOOST_REQUIRE(request(some_command(), behind({"bastion"}))->result);
  begin_shutdown();
  BOOST_REQUIRE(network.alive.size() == 1U);
  BOOST_TEST(!connection().settings.carrier);
  connection().emit(ssh::event::forward_closed{connection().forwards[0].first});
  settle();
  BOOST_TEST(network.alive.empty());
}

BOOST_AUTO_TEST_CASE(a_jump_whose_guests_never_seem_to_leave_ends_all_the_same) {
  network.on_drop = {};
  BOOST_REQUIRE(request(some_command(), behind({"bastion"}))->result);
  begin_shutdown();
  pass(1min);
  BOOST_TEST(network.alive.empty());
}

BOOST_AUTO_TEST_CASE(a_jump_that_forwards_only_refuses_commands_and_keeps_its_guests) {
  BOOST_REQUIRE(request(some_command(), behind({"bastion"}))->result);
  network.on_start = [](simulated_connection& x, ssh::exec_id id) {
    x.emit(ssh::event::channel_refused{id, 1});
  };
  const auto answer = request(some_command(), some_machine("bastion"));
  pass(10s);
  BOOST_TEST(answer->failed_with(error_code::rejected));
  BOOST_TEST(network.alive.size() == 2U);
  BOOST_TEST(network.dialed == 2U);
}

BOOST_AUTO_TEST_CASE(a_jump_with_guests_serves_commands_although_its_credentials_changed) {
  BOOST_REQUIRE(request(some_command(), behind({"bastion"}))->result);
  BOOST_REQUIRE(request(some_command(), some_machine("bastion"))->result);
  caf::anon_send(registry, changed_atom_v);
  settle();
  BOOST_TEST(request(some_command(), some_machine("bastion"))->result.has_value());
  BOOST_TEST(std::count_if(network.alive.begin(), network.alive.end(),
                           [](const auto* x) { return x->settings.carrier == nullptr; })
             == 1);
}

BOOST_AUTO_TEST_CASE(a_shutdown_answers_those_who_wait_for_a_jump) {
  network.on_dial = [](simulated_connection&) {};
  const auto answer = request(some_command(), behind({"bastion"}));
  begin_shutdown();
  BOOST_TEST(answer->failed_with(error_code::shutting_down));
  BOOST_TEST(network.alive.empty());
}

BOOST_AUTO_TEST_CASE(the_jump_has_the_default_user_as_a_machine_has) {
  BOOST_REQUIRE(request(some_command(), behind({"bastion"}))->result);
  machine same = some_machine("bastion");
  same.username = "admin";
  BOOST_REQUIRE(request(some_command(), same)->result);
  BOOST_TEST(network.dialed == 2U);
}

BOOST_AUTO_TEST_SUITE_END()
