#include "simulated_pool.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <string>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;
namespace ev = sshexec::ssh::event;

namespace {

/// Hours in the life of a pool whose machines fail in every way, all decided by one seed. After
/// each step the promises are checked.
class simulation {
public:
  explicit simulation(std::uint64_t seed) : random_(seed) {
    pool_.network.on_dial = [this](simulated_connection& link) { begin(link); };
    pool_.network.on_start
      = [this](simulated_connection& link, ssh::exec_id id) { begin_command(link, id); };
  }

  void run() {
    const int steps = pick(20, 120);
    for (int i = 0; i < steps; ++i) {
      step();
      check();
    }
    pool_.shut_down();
    check_end();
  }

private:
  struct channel {
    bool sent = false;
  };

  /// What the machine's side knows of one connection.
  struct link_state {
    bool established = false;
    std::map<ssh::exec_id, channel> channels;
  };

  int pick(int low, int high) { return std::uniform_int_distribution{low, high}(random_); }

  bool chance(int percent) { return pick(1, 100) <= percent; }

  void step() {
    switch (pick(0, 9)) {
      case 0:
      case 1:
      case 2:
        submit();
        break;
      case 3:
        pool_.pass(std::chrono::milliseconds{pick(0, 1500)});
        break;
      case 4:
        pool_.pass(std::chrono::seconds{pick(1, 60)});
        break;
      case 5:
        pool_.pass(std::chrono::seconds{chance(20) ? 301 : 4});
        break;
      default:
        disturb();
    }
  }

  void submit() {
    machine target = simulated_pool::some_machine("host-" + std::to_string(pick(1, 3)));
    // The connection's settings tell its machine by the user's name.
    target.username = target.hostname;
    command what = simulated_pool::some_command(chance(5) ? "" : "true");
    what.timeout = std::chrono::seconds{pick(1, 60)};
    what.retry = static_cast<retry_policy>(pick(0, 2));
    idle_dials_ = 0;
    const int burst = chance(10) ? 30 : 1;
    for (int i = 0; i < burst; ++i)
      answers_.push_back(pool_.request(what, target));
  }

  /// How a connection starts out.
  void begin(simulated_connection& link) {
    links_[&link] = {};
    switch (pick(0, 9)) {
      case 0:
        return link.lose(ssh::error_kind::refused);
      case 1:
        return link.lose(chance(50) ? ssh::error_kind::dropped : ssh::error_kind::unreachable);
      case 2:
        return;
      case 3:
        return link.lose(chance(50) ? ssh::error_kind::authentication : ssh::error_kind::protocol);
      default:
        establish(link);
    }
  }

  void establish(simulated_connection& link) {
    links_[&link].established = true;
    link.emit(ev::authenticated{});
  }

  /// How a command starts out.
  void begin_command(simulated_connection& link, ssh::exec_id id) {
    auto& channels = links_[&link].channels;
    channels[id] = {};
    if (channels.size() > 10)
      BOOST_ERROR("more channels than allowed");
    ++link.bytes;
    switch (pick(0, 9)) {
      case 0:
        return refuse(link, id);
      case 1:
        return;
      case 2:
        return lose(link);
      case 3:
      case 4:
        return send(link, id);
      default:
        send(link, id);
        return close(link, id);
    }
  }

  void refuse(simulated_connection& link, ssh::exec_id id) {
    links_[&link].channels.erase(id);
    link.emit(ev::channel_refused{id, 2});
  }

  void send(simulated_connection& link, ssh::exec_id id) {
    links_[&link].channels[id].sent = true;
    link.emit(ev::exec_sent{id});
  }

  void close(simulated_connection& link, ssh::exec_id id) {
    links_[&link].channels.erase(id);
    ssh::exec_outcome outcome;
    if (chance(80))
      outcome.exit_status = 0;
    else if (chance(50))
      outcome.exit_signal = "KILL";
    link.emit(ev::exec_closed{id, std::move(outcome)});
  }

  void lose(simulated_connection& link) {
    links_[&link].channels.clear();
    link.lose(ssh::error_kind::dropped);
  }

  /// Something happens on one of the connections.
  void disturb() {
    if (pool_.network.alive.empty())
      return;
    auto& link = *pool_.network.alive.at(
      static_cast<std::size_t>(pick(0, static_cast<int>(pool_.network.alive.size()) - 1)));
    link_state& state = links_[&link];
    link.bytes += chance(90) ? 1 : 0;
    if (!state.established) {
      chance(50) ? establish(link) : lose(link);
    } else if (chance(5)) {
      lose(link);
    } else if (!state.channels.empty()) {
      const auto [id, channel] = *state.channels.begin();
      if (channel.sent)
        close(link, id);
      else
        chance(50) ? refuse(link, id) : send(link, id);
    }
    pool_.settle();
  }

  void check() {
    std::size_t answered = 0;
    for (const auto& answer : answers_) {
      BOOST_REQUIRE(answer->count <= 1);
      answered += answer->arrived() ? 1 : 0;
    }
    BOOST_REQUIRE(pool_.journal.size() == answered);
    std::set<std::string> connected;
    for (const simulated_connection* link : pool_.network.alive)
      BOOST_REQUIRE(connected.insert(link->settings.username).second);
    if (answered == answers_.size()) {
      BOOST_REQUIRE((idle_dials_ == 0 || idle_dials_ == pool_.network.dialed));
      idle_dials_ = pool_.network.dialed;
    } else {
      idle_dials_ = 0;
    }
  }

  void check_end() {
    for (const auto& answer : answers_) {
      BOOST_REQUIRE(answer->count == 1);
      if (answer->error)
        BOOST_REQUIRE(answer->what().attempts <= 4);
      else
        BOOST_REQUIRE((answer->result->attempts >= 1 && answer->result->attempts <= 4));
    }
    BOOST_REQUIRE(pool_.journal.size() == answers_.size());
    BOOST_REQUIRE(pool_.network.alive.empty());
    BOOST_REQUIRE(pool_.system.registry().running() == 0);
  }

  std::mt19937_64 random_;
  std::map<simulated_connection*, link_state> links_;
  std::vector<std::shared_ptr<pending_answer>> answers_;
  /// Connections made when the last request was answered: without requests there are no more.
  std::size_t idle_dials_ = 0;
  simulated_pool pool_;
};

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

} // namespace

/// SSHEXEC_SIMULATION_SEEDS sets how many seeds are run, SSHEXEC_SIMULATION_SEED replays one.
BOOST_AUTO_TEST_CASE(every_promise_holds_through_random_hours) {
  const auto first = number_from_environment("SSHEXEC_SIMULATION_SEED", 1);
  const bool replay = std::getenv("SSHEXEC_SIMULATION_SEED") != nullptr;
  const auto count = replay ? 1 : number_from_environment("SSHEXEC_SIMULATION_SEEDS", 1000);
  for (auto seed = first; seed < first + count; ++seed) {
    BOOST_TEST_CONTEXT("SSHEXEC_SIMULATION_SEED=" << seed) {
      simulation{seed}.run();
    }
  }
}
