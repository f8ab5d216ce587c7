#include "simulated_pool.hpp"
#include "sshexec/actors/runtime/reply.hpp"

#include <boost/test/unit_test.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <deque>
#include <memory>
#include <vector>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;
namespace ev = sshexec::ssh::event;

namespace {

/// A consumer that answers its chunks when the test says so.
struct patient_consumer {
  std::vector<output_chunk> chunks;
  std::deque<reply<void>> unanswered;
};

using answer_atom = caf::atom_constant<caf::atom("answer")>;
using patient_consumer_actor = output_consumer::extend<caf::reacts_to<answer_atom>>;

patient_consumer_actor::behavior_type consume(patient_consumer_actor::pointer self,
                                              patient_consumer* state) {
  // Promises can be kept only while their actor runs.
  self->set_exit_handler([self, state](const caf::exit_msg& message) {
    state->unanswered.clear();
    self->quit(message.reason);
  });
  return {
    [self, state](const output_chunk& chunk) -> caf::result<void> {
      state->chunks.push_back(chunk);
      // What is to wait for its answer is the output.
      if (chunk.end)
        return caf::unit;
      auto promise = self->make_response_promise<void>();
      state->unanswered.emplace_back(promise);
      return promise;
    },
    [state](answer_atom) {
      state->unanswered.front().deliver();
      state->unanswered.pop_front();
    },
  };
}

struct streaming_pool : simulated_pool {
  streaming_pool() {
    consumer = system.spawn(consume, &taken);
    network.on_start = [](simulated_connection& x, ssh::exec_id id) { x.emit(ev::exec_sent{id}); };
    what = some_command();
    what.id = "request 1";
    what.output_to = consumer;
  }

  ~streaming_pool() {
    caf::anon_send_exit(consumer, caf::exit_reason::user_shutdown);
    settle();
  }

  /// The only command of the only connection.
  ssh::exec_id id() { return connection().started.back().first; }

  void write(std::string data, bool is_stderr = false) {
    connection().emit(ev::output{id(), is_stderr, std::move(data)});
    settle();
  }

  void finish() {
    connection().finish(id(), 0);
    settle();
  }

  output_chunk chunk(output_stream stream, std::string data) {
    output_chunk result;
    result.machine = some_machine();
    result.machine.username = "admin";
    result.command_id = what.id;
    result.stream = stream;
    result.attempt = 1;
    result.data = std::move(data);
    return result;
  }

  void answer_chunk() {
    caf::anon_send(consumer, answer_atom::value);
    settle();
  }

  patient_consumer taken;
  patient_consumer_actor consumer;
  command what;
};

struct feeding_pool : simulated_pool {
  feeding_pool() {
    network.on_start = [](simulated_connection& x, ssh::exec_id id) { x.emit(ev::exec_sent{id}); };
    what = some_command("cat");
    what.stdin_data = "first ";
    what.stdin_open = true;
  }

  ssh::exec_id id() { return connection().started.back().first; }

  command what;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(output_as_it_comes, streaming_pool)

BOOST_AUTO_TEST_CASE(chunks_reach_the_consumer_in_order_and_the_result_follows) {
  const auto answer = request(what);
  write("one");
  write("two", true);
  const output_chunk first = chunk(output_stream::stdout_stream, "one");
  const output_chunk second = chunk(output_stream::stderr_stream, "two");
  BOOST_TEST((taken.chunks == std::vector{first, second}));
  answer_chunk();
  answer_chunk();
  finish();
  BOOST_TEST(answer->result.has_value());
}

BOOST_AUTO_TEST_CASE(each_stream_of_a_command_that_ran_to_its_end_has_a_mark) {
  const auto answer = request(what);
  write("one");
  answer_chunk();
  finish();
  BOOST_TEST(answer->result.has_value());
  output_chunk out = chunk(output_stream::stdout_stream, {});
  output_chunk err = chunk(output_stream::stderr_stream, {});
  out.end = err.end = true;
  BOOST_TEST((taken.chunks == std::vector{chunk(output_stream::stdout_stream, "one"), out, err}));
}

BOOST_AUTO_TEST_CASE(the_connection_gives_more_only_for_what_the_consumer_answered) {
  request(what);
  write("one");
  BOOST_TEST(connection().granted[id()] == 0U);
  answer_chunk();
  BOOST_TEST(connection().granted[id()] == 3U);
  finish();
}

BOOST_AUTO_TEST_CASE(the_result_waits_for_the_answer_to_the_last_chunk) {
  const auto answer = request(what);
  write("one");
  finish();
  BOOST_TEST(!answer->arrived());
  answer_chunk();
  BOOST_TEST(answer->result.has_value());
}

BOOST_AUTO_TEST_CASE(a_consumer_that_never_answers_holds_the_result_up_to_the_run_timeout) {
  const auto answer = request(what);
  write("one");
  finish();
  pass(30s - 1ns);
  BOOST_TEST(!answer->arrived());
  pass(1ns);
  BOOST_TEST(answer->result.has_value());
}

BOOST_AUTO_TEST_CASE(a_consumer_that_ends_gets_no_more_and_the_command_goes_on) {
  const auto answer = request(what);
  write("one");
  caf::anon_send_exit(consumer, caf::exit_reason::user_shutdown);
  settle();
  write("more");
  BOOST_TEST(taken.chunks.size() == 1U);
  BOOST_TEST(connection().granted[id()] == 7U);
  finish();
  BOOST_TEST(answer->result.has_value());
}

BOOST_AUTO_TEST_CASE(a_lost_connection_does_not_take_the_result_of_a_command_that_ended) {
  const auto answer = request(what);
  write("one");
  finish();
  connection().lose(ssh::error_kind::dropped);
  settle();
  answer_chunk();
  BOOST_TEST(answer->result.has_value());
}

BOOST_AUTO_TEST_CASE(the_output_of_a_repeated_command_begins_anew_and_says_so) {
  request(what);
  write("one");
  connection().lose(ssh::error_kind::dropped);
  settle();
  pass(1s);
  answer_chunk();
  write("one");
  BOOST_TEST(taken.chunks.back().attempt == 2U);
  BOOST_TEST(connection().granted[id()] == 0U);
  answer_chunk();
  BOOST_TEST(connection().granted[id()] == 3U);
  finish();
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(input_as_it_comes, feeding_pool)

BOOST_AUTO_TEST_CASE(more_input_follows_the_first_and_is_answered_when_more_may_come) {
  const auto answer = request(what);
  BOOST_TEST(*connection().started.at(0).second.stdin_data == "first ");
  const auto more = feed(*answer, "second");
  BOOST_TEST(connection().input[id()] == "second");
  BOOST_TEST(!more->accepted);
  connection().emit(ev::input_wanted{id()});
  settle();
  BOOST_TEST(more->accepted);
  feed(*answer, "", true);
  BOOST_TEST(connection().input[id()] == "second<end>");
}

BOOST_AUTO_TEST_CASE(input_that_comes_before_the_command_was_sent_waits_for_it) {
  network.on_start = nullptr;
  const auto answer = request(what);
  feed(*answer, "second", true);
  BOOST_TEST(connection().input[id()].empty());
  connection().emit(ev::exec_sent{id()});
  settle();
  BOOST_TEST(connection().input[id()] == "second<end>");
}

BOOST_AUTO_TEST_CASE(input_for_no_command_is_an_error) {
  const auto answer = request(some_command());
  const auto stray = feed(*answer, "data");
  BOOST_TEST((stray->error && is(*stray->error, error_code::invalid_argument)));
  const auto elsewhere = feed(*answer, "data", false, some_machine("other"));
  BOOST_TEST((elsewhere->error && is(*elsewhere->error, error_code::invalid_argument)));
}

BOOST_AUTO_TEST_CASE(input_behind_its_end_is_an_error) {
  const auto answer = request(what);
  feed(*answer, "", true);
  const auto late = feed(*answer, "data");
  BOOST_TEST((late->error && is(*late->error, error_code::invalid_argument)));
}

BOOST_AUTO_TEST_CASE(a_command_that_consumed_input_is_not_run_again) {
  const auto answer = request(what);
  feed(*answer, "second");
  connection().lose(ssh::error_kind::dropped);
  settle();
  BOOST_TEST(answer->failed_with(error_code::connection_error));
  BOOST_TEST((answer->what().progress == progress::may_have_run));
}

BOOST_AUTO_TEST_CASE(whoever_waits_to_feed_a_command_is_told_of_its_end) {
  const auto answer = request(what);
  const auto more = feed(*answer, "second");
  connection().finish(id(), 0);
  settle();
  BOOST_TEST(answer->result.has_value());
  BOOST_TEST((more->error && is(*more->error, error_code::invalid_argument)));
}

BOOST_AUTO_TEST_SUITE_END()
