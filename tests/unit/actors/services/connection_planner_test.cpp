#include "actor_fixture.hpp"
#include "ssh/config/played_system.hpp"
#include "sshexec/actors/services/connection_planner.hpp"

#include <boost/test/unit_test.hpp>
#include <caf/actor_clock.hpp>
#include <caf/spawn_options.hpp>

#include <chrono>
#include <future>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace sshexec;
using namespace sshexec::test;

constexpr const char* file = "/home/me/.ssh/config";

struct fixture : actor_fixture {
  void start_planner(thread_starter start_one = start_thread, std::size_t max_slow_plans = 16) {
    planner_settings wanted{config, played.environment(), max_slow_plans, std::move(start_one)};
    wanted.environment.run = [this](const std::string& line) -> ssh::result<int> {
      if (line == "hang")
        may_end.wait();
      return played.is_short ? ssh::result<int>{tl::unexpected{lack}} : 0;
    };
    wanted.environment.read = [this, read = wanted.environment.read](const std::string& path) {
      const std::lock_guard guard{one_reads};
      return read(path);
    };
    subject = start(
      connection_planner_actor{system.spawn<caf::detached>(connection_planner, std::move(wanted))});
  }

  plan_request request_of(const std::string& host, std::chrono::seconds left = an_hour) {
    return {{{}, host, 0, {}, {}, {}}, false, system.clock().now() + left};
  }

  auto ask_for(const plan_request& what) { return request(subject, plan_atom::value, what); }

  caf::expected<connection_plan> plan(const plan_request& what) {
    return receive<connection_plan>(ask_for(what));
  }

  caf::expected<connection_plan> plan(const std::string& host) { return plan(request_of(host)); }

  static constexpr std::chrono::seconds an_hour{3600};
  const ssh::error lack{ssh::error_kind::shortage, "Too many open files"};

  played_system played{{{file, "Host web\nPort 1\nMatch host slow exec hang\nPort 2\n"
                               "Match host quick exec true\nPort 3"}}};
  settings config = [] {
    settings result;
    result.user = "me";
    result.ssh_config = usual_ssh_config;
    return result;
  }();
  std::promise<void> end;
  std::shared_future<void> may_end = end.get_future().share();
  std::mutex one_reads;
  connection_planner_actor subject;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(connection_planner_test, fixture)

BOOST_AUTO_TEST_CASE(a_command_that_hangs_delays_no_other_machine) {
  start_planner();
  auto slow = ask_for(request_of("slow"));
  BOOST_TEST(plan("web")->target.port == 1);
  BOOST_TEST(plan("quick")->target.port == 3);
  end.set_value();
  BOOST_TEST(receive<connection_plan>(std::move(slow))->target.port == 2);
}

BOOST_AUTO_TEST_CASE(no_more_commands_run_at_once_than_may) {
  start_planner(start_thread, 1);
  auto first = ask_for(request_of("slow"));
  auto second = ask_for(request_of("slow"));
  auto third = ask_for(request_of("quick"));
  BOOST_TEST(plan("web")->target.port == 1);
  end.set_value();
  BOOST_TEST(receive<connection_plan>(std::move(first))->target.port == 2);
  BOOST_TEST(receive<connection_plan>(std::move(second))->target.port == 2);
  BOOST_TEST(receive<connection_plan>(std::move(third))->target.port == 3);
}

BOOST_AUTO_TEST_CASE(a_plan_that_comes_too_late_may_be_asked_for_again) {
  start_planner();
  const auto late = plan(request_of("web", std::chrono::seconds{0}));
  BOOST_REQUIRE(!late);
  BOOST_TEST(is(late.error(), error_code::connection_error));
  BOOST_TEST((to_failure(late.error()).fault == connection_fault::timed_out));
}

BOOST_AUTO_TEST_CASE(a_shortage_is_no_verdict_about_the_configuration) {
  played.files[file] += "\nMatch host included exec true\nInclude *.conf";
  start_planner();
  played.is_short = true;
  for (const char* host : {"web", "quick", "included"}) {
    const auto failed = plan(host);
    BOOST_REQUIRE(!failed);
    BOOST_TEST(is(failed.error(), error_code::connection_error), host);
    BOOST_TEST((to_failure(failed.error()).fault == connection_fault::unreachable), host);
  }
  played.is_short = false;
  BOOST_TEST(plan("quick")->target.port == 3);
  // Its files are known now, and only the command is left to fail.
  played.files[file] = "Match host quick exec true\nPort 3";
  BOOST_TEST(plan("quick")->target.port == 3);
  played.is_short = true;
  BOOST_TEST((to_failure(plan("quick").error()).fault == connection_fault::unreachable));
}

BOOST_AUTO_TEST_CASE(where_there_is_no_thread_a_later_attempt_may_find_one) {
  start_planner([](caf::actor_system&, const auto&) { return false; });
  const auto failed = plan("quick");
  BOOST_REQUIRE(!failed);
  BOOST_TEST((to_failure(failed.error()).fault == connection_fault::unreachable));
  BOOST_TEST(plan("web")->target.port == 1);
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_a_configuration_is_final) {
  played.files[file] = "NoSuchWord 1";
  start_planner();
  BOOST_TEST(is(plan("web").error(), error_code::configuration_error));
}

BOOST_AUTO_TEST_CASE(variables_that_no_server_takes_are_not_sent) {
  played.files[file] = "Host empty\nSetEnv \"=1\"\nHost good\nSetEnv A=1";
  start_planner();
  BOOST_TEST(is(plan("empty").error(), error_code::configuration_error));
  const auto good = plan("good");
  BOOST_REQUIRE(good);
  BOOST_TEST((good->environment == std::map<std::string, std::string>{{"A", "1"}}));
}

BOOST_AUTO_TEST_CASE(a_variable_that_fits_into_no_packet_is_an_error) {
  config.ssh_options = {"SetEnv=A=" + std::string(255 << 10, 'x')};
  start_planner();
  const auto failed = plan("web");
  BOOST_REQUIRE(!failed);
  BOOST_TEST(to_failure(failed.error()).message
             == "SetEnv: the environment variable A is longer than 255 KiB, which no server takes");
}

BOOST_AUTO_TEST_CASE(options_of_a_command_line_are_not_for_jumps) {
  config.ssh_options = {"User=root"};
  start_planner();
  auto what = request_of("web");
  BOOST_TEST(plan(what)->target.username == "root");
  what.is_jump = true;
  BOOST_TEST(plan(what)->target.username == "me");
}

BOOST_AUTO_TEST_SUITE_END()
