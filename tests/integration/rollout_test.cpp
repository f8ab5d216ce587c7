#include "hub.hpp"
#include "rolled_out.hpp"
#include "sshexec/testing/loopback.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <string>
#include <vector>

using namespace sshexec;
using namespace sshexec::test;

namespace {

namespace step = testing::step;

/// What a machine does with its command, by its user's name.
testing::command_script script_of(const std::string& line) {
  if (line.starts_with("hang"))
    return {.steps = {step::wait_for{"never"}}};
  if (line.starts_with("break"))
    return {.steps = {step::out{"partial"}, step::break_connection{testing::breakage::reset}}};
  return testing::print(line, line.starts_with("bad") ? 3 : 0);
}

/// Machines of every kind, each with an address or a user of its own.
struct mixed_fleet : hub {
  mixed_fleet() {
    for (std::size_t i = 0; i < 120; ++i)
      add_user(i % 10 == 0 ? "bad" : "good");
    for (int i = 0; i < 6; ++i) {
      add_user("hang");
      add_user("break");
      refusing.push_back(testing::reserve_port(address(2)));
      add_address(2, refusing.back());
      // It takes connections, and nobody ever says a word on them.
      silent.push_back(testing::listen_on(address(3)));
      add_address(3, silent.back());
    }
    what.command.line = "%u";
    what.expand = true;
    what.command.retry = retry_policy::never;
    what.shuffle_seed = 17;
  }

  std::string address(int net) const {
    return "127.1." + std::to_string(net) + '.' + std::to_string(what.machines.size() % 250 + 1);
  }

  void add_user(const std::string& kind) {
    machine x = machine_of(server);
    x.username = kind + '-' + std::to_string(what.machines.size());
    what.machines.push_back(std::move(x));
  }

  void add_address(int net, const testing::file_descriptor& socket) {
    machine x = machine_of(server);
    x.hostname = address(net);
    x.port = testing::port_of(socket);
    x.id = net == 2 ? "refusing" : "silent";
    what.machines.push_back(std::move(x));
  }

  testing::scripted_server server{{.commands = script_of}};
  std::vector<testing::file_descriptor> refusing;
  std::vector<testing::file_descriptor> silent;
  rollout what;
};

/// Whether this is the one true outcome of a machine.
bool is_true(const machine_outcome& x) {
  const std::string& user = x.machine.username;
  if (x.machine.id == "refusing")
    return x.code == error_code::connection_error && x.what.fault == connection_fault::refused
           && x.what.progress == progress::not_started;
  if (x.machine.id == "silent")
    return x.code == error_code::cancelled && x.what.progress == progress::not_started;
  if (user.starts_with("hang"))
    return x.code == error_code::cancelled && x.what.progress == progress::may_have_run;
  if (user.starts_with("break"))
    return x.code == error_code::connection_error && x.what.progress == progress::may_have_run
           && x.what.output.stdout_data == "partial";
  return x.kind == outcome_kind::ended && x.result.output.stdout_data == user
         && x.result.exit_code == (user.starts_with("bad") ? 3 : 0);
}

} // namespace

BOOST_AUTO_TEST_SUITE(rollout_test)

BOOST_FIXTURE_TEST_CASE(each_of_many_machines_has_its_one_true_outcome, mixed_fleet) {
  const std::size_t stuck = 12;
  const rolled_out seen
    = run_rollout(system, executor, what, [&](const rollout_actor& subject, std::size_t outcomes) {
        if (outcomes == what.machines.size() - stuck)
          caf::anon_send(subject, cancel_atom_v, true);
      });
  BOOST_TEST(!seen.told_twice);
  BOOST_TEST(seen.outcomes.size() == what.machines.size());
  for (const auto& [place, x] : seen.outcomes) {
    BOOST_TEST_CONTEXT(to_address(x.machine) << ": " << to_string(x.kind) << ' '
                                             << to_string(x.code) << ' ' << x.what.message) {
      BOOST_TEST((x.machine == what.machines.at(place)));
      BOOST_TEST(is_true(x));
    }
  }
  BOOST_TEST(seen.summary.succeeded == 108U);
  BOOST_TEST(seen.summary.exit_codes.at(3) == 12U);
  BOOST_TEST(seen.summary.errors.at(error_code::connection_error) == 12U);
  BOOST_TEST(seen.summary.errors.at(error_code::cancelled) == stuck);
}

BOOST_FIXTURE_TEST_CASE(a_rollout_over_an_executor_that_shuts_down_ends_with_it, mixed_fleet) {
  const rolled_out seen
    = run_rollout(system, executor, what, [&](const rollout_actor&, std::size_t outcomes) {
        if (outcomes == 30)
          caf::anon_send_exit(executor, caf::exit_reason::user_shutdown);
      });
  BOOST_TEST(!seen.told_twice);
  BOOST_TEST(seen.outcomes.size() == what.machines.size());
  BOOST_TEST(seen.summary.never_started.at(skip_reason::executor_gone) > 0U);
  for (const auto& [place, x] : seen.outcomes) {
    if (x.kind == outcome_kind::failed)
      BOOST_TEST(!x.what.message.empty());
  }
}

BOOST_FIXTURE_TEST_CASE(output_that_comes_as_it_is_written_tells_its_machine, mixed_fleet) {
  std::erase_if(what.machines, [](const machine& x) { return !x.username.starts_with("good"); });
  std::map<std::uint64_t, std::string> output;
  const output_consumer reader{
    system.spawn([&output](output_consumer::pointer) -> output_consumer::behavior_type {
      return {
        [&output](const output_chunk& x) { output[place_of(x.command_id).value()] += x.data; }};
    })};
  what.command.output_to = reader;
  const rolled_out seen = run_rollout(system, executor, what);
  caf::scoped_actor self{system};
  self->send_exit(reader, caf::exit_reason::user_shutdown);
  self->wait_for(reader);
  BOOST_TEST(output.size() == 108U);
  for (const auto& [place, text] : output)
    BOOST_TEST(text == what.machines.at(place).username);
}

BOOST_AUTO_TEST_SUITE_END()
