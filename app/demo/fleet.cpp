#include "sshexec/app/demo/fleet.hpp"

#include "sshexec/app/rollout/rollout_account.hpp"
#include "sshexec/app/rollout/rollout_request.hpp"
#include "sshexec/app/rollout/run_rollout.hpp"
#include "sshexec/testing/scripted_server.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace sshexec::app {

namespace {

using namespace std::chrono_literals;
using testing::command_script;

/// What the servers are asked; they make the answers up.
constexpr auto question = "systemctl is-active shop";

command_script running(std::chrono::milliseconds after = 0ms) {
  command_script result = testing::print("active\n");
  result.before_answer.emplace_back(testing::step::pause{after});
  return result;
}

command_script stopped() {
  return testing::print("inactive\n", 3);
}

/// Servers that each give the same answer to any command.
class fleet {
public:
  void add(const std::string& name, const command_script& answer) {
    testing::scripted_server::options wanted;
    wanted.commands = [answer](const std::string&) { return answer; };
    const auto& server = servers_.emplace_back(std::move(wanted));
    machine& added = machines_.emplace_back();
    added.id = name;
    added.hostname = server.host();
    added.port = server.port();
    added.username = "demo";
    added.identity_file = server.client_key_file();
  }

  [[nodiscard]] const std::vector<machine>& machines() const { return machines_; }

private:
  std::deque<testing::scripted_server> servers_;
  std::vector<machine> machines_;
};

} // namespace

bool show_rollout(const settings& config) {
  fleet shop;
  shop.add("web-1", running());
  shop.add("web-2", running());
  shop.add("web-3", running(500ms));
  shop.add("web-4", running());
  shop.add("db-1", stopped());

  rollout_request request;
  request.what.machines = shop.machines();
  request.what.command.line = question;
  request.config = config;
  request.form = output_form::gathered;
  fmt::print("One command on five more servers, of which one is slow and one answers otherwise:\n"
             "  sshexec run --gather web-[1-4],db-1 -- {}\n\n",
             question);
  // What follows does not go through stdio.
  std::fflush(stdout);
  return run_rollout(std::move(request)) == exit_some_ended_otherwise;
}

} // namespace sshexec::app
