#include "actors/cluster/two_nodes.hpp"
#include "actors/pool/simulated_pool.hpp"
#include "sshexec/actors/remote/link/caller_relay.hpp"
#include "sshexec/actors/remote/link/hub_error.hpp"
#include "sshexec/actors/runtime/service_error.hpp"

#include <boost/test/unit_test.hpp>
#include <caf/sec.hpp>

#include <map>
#include <memory>
#include <string>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;
namespace ev = sshexec::ssh::event;

/// Whatever a request about a machine is answered with begins with that machine.
namespace {

using forgetful_actor
  = caf::typed_actor<caf::replies_to<execute_atom, machine>::with<command_result>>;

void check_beginning(const failure& what, error_code code) {
  BOOST_TEST((what.code == code), to_string(what.code) + " instead of " + to_string(code));
  BOOST_TEST(!what.machine.empty());
  BOOST_TEST(what.message.starts_with(what.machine + ": "), what.message);
  BOOST_TEST(what.message.find(what.machine, 1) == std::string::npos, what.message);
}

void check_beginning(const pending_answer& answer, error_code code) {
  BOOST_REQUIRE(answer.error);
  check_beginning(to_failure(*answer.error), code);
}

using answer_ptr = std::shared_ptr<pending_answer>;

/// A pool where one command may wait, and nothing happens by itself.
struct idle_pool : simulated_pool {
  static settings wanted() {
    settings result = default_settings();
    result.host_key_policy = host_key_policy::strict;
    result.max_queued = 1;
    return result;
  }

  idle_pool() : simulated_pool(wanted()) {
    network.on_dial = [](simulated_connection&) {};
  }

  answer_ptr request_lost_by(ssh::error_kind kind) {
    network.on_dial = [kind](simulated_connection& link) { link.lose(kind); };
    return request(some_command());
  }
};

/// How the pool comes to answer with each code.
const std::map<error_code, answer_ptr (*)(idle_pool&)> pools_ways{
  {error_code::invalid_argument,
   [](idle_pool& pool) { return pool.request(simulated_pool::some_command(" ")); }},
  {error_code::configuration_error,
   [](idle_pool& pool) {
     pool.credential_error = make_service_error(error_code::configuration_error, "no such key");
     return pool.request(simulated_pool::some_command());
   }},
  {error_code::authentication_error,
   [](idle_pool& pool) { return pool.request_lost_by(ssh::error_kind::authentication); }},
  {error_code::connection_error,
   [](idle_pool& pool) { return pool.request_lost_by(ssh::error_kind::protocol); }},
  {error_code::host_key_error,
   [](idle_pool& pool) {
     pool.network.on_dial = [](simulated_connection& link) {
       link.emit(ev::host_key_presented{{"ssh-ed25519", "AAAAC3NzaC1lZDI1NTE5AAAAIFmsvsFuZ"}});
     };
     return pool.request(simulated_pool::some_command());
   }},
  {error_code::command_timeout,
   [](idle_pool& pool) {
     command what = simulated_pool::some_command();
     what.deadline = 1s;
     const auto answer = pool.request(what);
     pool.pass(1s);
     return answer;
   }},
  {error_code::cancelled,
   [](idle_pool& pool) {
     const auto answer = pool.request(simulated_pool::some_command());
     pool.cancel(*answer);
     return answer;
   }},
  {error_code::overloaded,
   [](idle_pool& pool) {
     pool.request(simulated_pool::some_command());
     return pool.request(simulated_pool::some_command());
   }},
  {error_code::rejected,
   [](idle_pool& pool) {
     pool.network.on_dial = nullptr;
     pool.network.on_start = [](simulated_connection& link, ssh::exec_id id) {
       link.emit(ev::exec_refused{id, "the server refused to run the command"});
     };
     return pool.request(simulated_pool::some_command());
   }},
  {error_code::shutting_down,
   [](idle_pool& pool) {
     const auto answer = pool.request(simulated_pool::some_command());
     pool.shut_down();
     return answer;
   }},
};

/// The error that one request to a relay is answered with.
template <class... Arguments>
std::shared_ptr<caf::error> ask(caf::actor_system& system, const relay_actor& subject,
                                const Arguments&... arguments) {
  auto result = std::make_shared<caf::error>();
  system.spawn([subject, result, arguments...](caf::event_based_actor* self) {
    self->request(subject, caf::infinite, arguments...)
      .then([](const command_result&) {}, [result](caf::error& x) { *result = std::move(x); });
  });
  return result;
}

} // namespace

BOOST_AUTO_TEST_SUITE(message_beginning)

BOOST_AUTO_TEST_CASE(each_error_of_a_pool_begins_with_the_machine_for_callers_and_in_the_journal) {
  for (int i = 1; i <= static_cast<int>(error_code::shutting_down); ++i) {
    const auto code = static_cast<error_code>(i);
    idle_pool pool;
    const auto answer = pools_ways.at(code)(pool);
    check_beginning(*answer, code);
    BOOST_REQUIRE(!pool.journal.empty());
    BOOST_TEST(pool.journal.back().message.starts_with("admin@host:22: "));
  }
}

BOOST_AUTO_TEST_CASE(a_request_that_comes_when_the_pool_is_closing_is_told_with_its_machine) {
  idle_pool pool;
  pool.network.on_dial = nullptr;
  pool.network.on_start = start_only;
  const auto running = pool.request(simulated_pool::some_command());
  pool.begin_shutdown();
  check_beginning(*pool.request(simulated_pool::some_command()), error_code::shutting_down);
  BOOST_TEST(!running->arrived());
}

BOOST_AUTO_TEST_CASE(input_that_no_command_takes_is_told_with_its_machine) {
  idle_pool pool;
  const auto answer = pool.request(simulated_pool::some_command());
  for (const machine& target :
       {simulated_pool::some_machine(), simulated_pool::some_machine("x")}) {
    const auto input = pool.feed(*answer, "data", false, target);
    BOOST_REQUIRE(input->error);
    check_beginning(to_failure(*input->error), error_code::invalid_argument);
  }
}

BOOST_AUTO_TEST_CASE(an_answer_that_is_forgotten_is_told_with_its_machine) {
  idle_pool pool;
  auto asked = std::make_shared<pending_answer>();
  const auto forgetful
    = pool.system.spawn([](forgetful_actor::pointer self) -> forgetful_actor::behavior_type {
        return {[self](execute_atom, const machine& target) {
          auto promise = self->make_response_promise<command_result>();
          const reply<command_result> answer{promise, target};
          return promise;
        }};
      });
  pool.system.spawn([forgetful, asked](caf::event_based_actor* self) {
    self->request(forgetful, caf::infinite, execute_atom_v, simulated_pool::some_machine())
      .then([](const command_result&) {}, [asked](caf::error& x) { asked->error = std::move(x); });
  });
  pool.settle();
  check_beginning(*asked, error_code::shutting_down);
  caf::anon_send_exit(forgetful, caf::exit_reason::user_shutdown);
}

BOOST_AUTO_TEST_CASE(each_error_of_a_router_begins_with_the_machine) {
  {
    simulated_nodes none;
    check_beginning(*none.request(command_called("c"), machine_called("m")),
                    error_code::connection_error);
  }
  two_nodes nodes;
  const auto lost = nodes.request(command_called("lost", retry_policy::never), nodes.target);
  nodes.input(*lost, "another", nodes.target, "data");
  BOOST_REQUIRE(nodes.input_answers.size() == 1);
  check_beginning(to_failure(nodes.input_answers[0].error()), error_code::invalid_argument);
  nodes.kill(nodes.first);
  check_beginning(*lost, error_code::connection_error);
  const auto open = nodes.request(command_called("open"), nodes.target);
  nodes.leave("second");
  nodes.join("third");
  command limited = command_called("limited");
  limited.deadline = 1s;
  const auto held = nodes.request(limited, nodes.target);
  const auto cancelled = nodes.request(command_called("cancelled"), nodes.target);
  nodes.cancel(*cancelled, "cancelled", nodes.target);
  check_beginning(*cancelled, error_code::cancelled);
  nodes.pass(1s);
  check_beginning(*held, error_code::command_timeout);
  nodes.shut_down();
  nodes.pass(nodes.default_settings().drain_timeout);
  check_beginning(*open, error_code::shutting_down);
}

BOOST_AUTO_TEST_CASE(each_error_of_a_link_begins_with_the_machine) {
  const auto limited = [] {
    command what = simulated_pool::some_command();
    what.deadline = 1s;
    return what;
  };
  const machine target = simulated_pool::some_machine();
  idle_pool pool;
  for (const error_code code : {error_code::connection_error, error_code::shutting_down}) {
    const auto relay = pool.system.spawn(caller_relay, executor_actor{}, "127.0.0.1:7022");
    const auto timed_out = ask(pool.system, relay, execute_atom_v, target, limited());
    const auto refused = ask(pool.system, relay, execute_atom_v, target, command{});
    command named = simulated_pool::some_command();
    named.id = "mine";
    const auto cancelled = ask(pool.system, relay, execute_atom_v, target, named);
    pool.pass(1s);
    caf::anon_send(relay, cancel_atom_v, target, named.id);
    pool.settle();
    check_beginning(to_failure(*cancelled), error_code::cancelled);
    check_beginning(to_failure(*timed_out), error_code::command_timeout);
    caf::anon_send(relay, refuse_atom::value,
                   make_failure(code, hub_failure("127.0.0.1:7022", connection_fault::refused,
                                                  "nobody listens")));
    pool.settle();
    check_beginning(to_failure(*refused), code);
  }
  check_beginning(
    to_failure(about(target, as_own_error("127.0.0.1:7022", caf::sec::request_receiver_down))),
    error_code::shutting_down);
  check_beginning(
    to_failure(about(target, as_own_error("127.0.0.1:7022", caf::sec::runtime_error))),
    error_code::connection_error);
}

BOOST_AUTO_TEST_CASE(a_failure_names_its_machine_once) {
  const machine target = simulated_pool::some_machine();
  const failure once = about(target, "it burns");
  BOOST_TEST(once.message == "host:22: it burns");
  BOOST_TEST((about(simulated_pool::some_machine("other"), once) == once));
  check_beginning(to_failure(about(target, caf::sec::request_receiver_down)),
                  error_code::shutting_down);
  const caf::error foreign = caf::sec::runtime_error;
  BOOST_TEST((about(target, foreign) == foreign));
}

BOOST_AUTO_TEST_SUITE_END()
