#include "seeds.hpp"
#include "simulated_pool.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;
namespace ev = sshexec::ssh::event;

namespace {

settings random_settings(std::mt19937_64& random) {
  settings result = simulated_pool::default_settings();
  std::uniform_int_distribution few{0, 3};
  result.retry_delays.assign(static_cast<std::size_t>(few(random)), 1s);
  result.drain_timeout = std::chrono::seconds{few(random) * 10};
  return result;
}

/// Hours in the life of a pool whose machines stand behind others, which fail in every way.
class simulation {
public:
  explicit simulation(std::uint64_t seed) : random_(seed) {
    pool_.network.on_dial = [this](simulated_connection& link) { begin(link); };
    pool_.network.on_drop = [this](simulated_connection& link) { dropped(link); };
    pool_.network.on_start
      = [this](simulated_connection& link, ssh::exec_id id) { begin_command(link, id); };
    pool_.network.on_forward
      = [this](simulated_connection& link, ssh::forward_id id) { begin_forward(link, id); };
  }

  void run() {
    take_steps(pick(20, 120));
    pool_.begin_shutdown();
    take_steps(pick(0, 10));
    end_streams();
    pool_.shut_down();
    // Each hop is left when the one behind it has said that it is.
    for (int hops = 0; hops < 3; ++hops) {
      end_streams();
      pool_.settle();
    }
    for (const auto& answer : answers_)
      BOOST_REQUIRE(answer->count == 1);
    BOOST_REQUIRE(pool_.network.alive.empty());
    BOOST_REQUIRE(pool_.actors_left() == 0);
  }

private:
  /// What the machine's side knows of one connection.
  struct link_state {
    bool established = false;
    bool lost = false;
    std::set<ssh::exec_id> commands;
    std::set<ssh::forward_id> unanswered;
    /// The streams that it carries; their holders let them go.
    std::map<ssh::forward_id, std::weak_ptr<ssh::carried_stream>> streams;
  };

  int pick(int low, int high) { return std::uniform_int_distribution{low, high}(random_); }

  bool chance(int percent) { return pick(1, 100) <= percent; }

  void take_steps(int count) {
    for (int i = 0; i < count; ++i) {
      step();
      end_streams();
      check();
    }
  }

  void step() {
    switch (pick(0, 9)) {
      case 0:
      case 1:
      case 2:
        return submit();
      case 3:
        return pool_.pass(std::chrono::milliseconds{pick(0, 1500)});
      case 4:
        return pool_.pass(std::chrono::seconds{chance(30) ? 301 : pick(1, 20)});
      default:
        return disturb();
    }
  }

  /// For a machine behind no, one or two jumps, or for a jump.
  void submit() {
    machine target = simulated_pool::some_machine("host-" + std::to_string(pick(1, 4)));
    for (int i = 1, hops = pick(0, 2); i <= hops; ++i) {
      // The connection's settings tell its machine by the user's name.
      const std::string name = "jump-" + std::to_string(i);
      target.via.push_back({name, 22, name, {}});
    }
    if (chance(10))
      target.hostname = "jump-1", target.via.clear();
    target.username = target.hostname + "-" + std::to_string(target.via.size());
    if (target.hostname == "jump-1")
      target.username = "jump-1";
    command what = simulated_pool::some_command();
    what.timeout = std::chrono::seconds{pick(1, 60)};
    answers_.push_back(pool_.request(what, target));
  }

  void begin(simulated_connection& link) {
    links_[&link] = {};
    link.answers_keepalives = true;
    switch (pick(0, 9)) {
      case 0:
        return lose(link, ssh::error_kind::refused);
      case 1:
        return lose(link, ssh::error_kind::authentication);
      case 2:
        return;
      default:
        return establish(link);
    }
  }

  void establish(simulated_connection& link) {
    links_[&link].established = true;
    link.emit(ev::authenticated{});
  }

  void begin_command(simulated_connection& link, ssh::exec_id id) {
    link.emit(ev::exec_sent{id});
    if (chance(70))
      link.finish(id, 0);
    else
      links_[&link].commands.insert(id);
  }

  void begin_forward(simulated_connection& link, ssh::forward_id id) {
    if (chance(20))
      links_[&link].unanswered.insert(id);
    else
      answer_forward(link, id);
  }

  void answer_forward(simulated_connection& link, ssh::forward_id id) {
    if (chance(20))
      return link.emit(ev::forward_refused{
        id, {chance(50) ? ssh::error_kind::refused : ssh::error_kind::forbidden, "no"}});
    auto stream = std::make_shared<ssh::carried_stream>();
    links_[&link].streams[id] = stream;
    link.emit(ev::forwarded{id, std::move(stream)});
  }

  /// With all that goes through it.
  void lose(simulated_connection& link, ssh::error_kind kind = ssh::error_kind::dropped) {
    link_state& state = links_[&link];
    if (std::exchange(state.lost, true))
      return;
    for (simulated_connection* other : pool_.network.alive) {
      const auto is_its_stream
        = [&](const auto& x) { return x.second.lock() == other->settings.carrier; };
      if (other->settings.carrier
          && std::any_of(state.streams.begin(), state.streams.end(), is_its_stream))
        lose(*other);
    }
    link.lose(kind);
  }

  void dropped(simulated_connection& link) {
    const link_state state = std::move(links_[&link]);
    links_.erase(&link);
    if (link.settings.carrier)
      end_stream(link.settings.carrier);
    if (state.lost)
      return;
    for (const auto& [id, stream] : state.streams) {
      if (!stream.expired())
        BOOST_ERROR("a jump was left under its guests");
    }
  }

  void end_stream(const std::shared_ptr<ssh::carried_stream>& ended) {
    for (simulated_connection* link : pool_.network.alive) {
      auto& streams = links_[link].streams;
      const auto found = std::find_if(streams.begin(), streams.end(),
                                      [&](const auto& x) { return x.second.lock() == ended; });
      if (found == streams.end())
        continue;
      link->emit(ev::forward_closed{found->first});
      streams.erase(found);
    }
  }

  /// Streams that nobody speaks on end, too.
  void end_streams() {
    for (simulated_connection* link : std::vector{pool_.network.alive}) {
      auto& streams = links_[link].streams;
      for (auto i = streams.begin(); i != streams.end();) {
        if (i->second.expired()) {
          link->emit(ev::forward_closed{i->first});
          i = streams.erase(i);
        } else {
          ++i;
        }
      }
    }
    pool_.settle();
  }

  void disturb() {
    if (pool_.network.alive.empty())
      return;
    auto& link = *pool_.network.alive.at(
      static_cast<std::size_t>(pick(0, static_cast<int>(pool_.network.alive.size()) - 1)));
    link_state& state = links_[&link];
    if (state.lost)
      return;
    if (!state.established) {
      chance(50) ? establish(link) : lose(link);
    } else if (chance(10)) {
      lose(link);
    } else if (!state.unanswered.empty()) {
      answer_forward(link, state.unanswered.extract(state.unanswered.begin()).value());
    } else if (!state.commands.empty()) {
      link.finish(state.commands.extract(state.commands.begin()).value(), 0);
    }
    pool_.settle();
  }

  void check() {
    std::set<std::string> connected;
    for (const simulated_connection* link : pool_.network.alive)
      BOOST_REQUIRE(connected.insert(link->settings.username).second);
    for (const auto& answer : answers_)
      BOOST_REQUIRE(answer->count <= 1);
  }

  std::mt19937_64 random_;
  std::map<simulated_connection*, link_state> links_;
  std::vector<std::shared_ptr<pending_answer>> answers_;
  simulated_pool pool_{random_settings(random_)};
};

} // namespace

BOOST_AUTO_TEST_CASE(every_promise_holds_through_random_jumps) {
  run_seeds<simulation>(300);
}
