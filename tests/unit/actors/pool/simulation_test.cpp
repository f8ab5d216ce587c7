#include "seeds.hpp"
#include "simulated_pool.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;
namespace ev = sshexec::ssh::event;

namespace {

constexpr int machines = 3;

/// What one seed decides about the pool.
settings random_settings(std::mt19937_64& random) {
  const auto pick = [&](int low, int high) {
    return std::uniform_int_distribution{low, high}(random);
  };
  settings result = simulated_pool::default_settings();
  result.retry_delays.clear();
  for (int i = pick(0, 4); i > 0; --i)
    result.retry_delays.emplace_back(std::chrono::milliseconds{pick(1, 9) * 500 + i});
  result.max_channels = static_cast<std::uint32_t>(pick(1, 10));
  result.max_queued = pick(0, 4) == 0 ? 20 : 10'000;
  result.max_connects_per_host = static_cast<std::uint32_t>(pick(1, 4));
  result.spare_channel = pick(0, 3) > 0;
  result.drain_timeout = std::chrono::seconds{pick(0, 3) * 10};
  return result;
}

/// Hours in the life of a pool whose machines fail in every way, all decided by one seed. After
/// each step the promises are checked.
class simulation {
public:
  explicit simulation(std::uint64_t seed) : random_(seed) {
    pool_.network.on_dial = [this](simulated_connection& link) { begin(link); };
    pool_.network.on_drop = [this](simulated_connection& link) { dropped(link); };
    pool_.network.on_start
      = [this](simulated_connection& link, ssh::exec_id id) { begin_command(link, id); };
    pool_.network.on_spare = [this](simulated_connection& link) { begin_spare(link); };
    pool_.network.on_abandon
      = [this](simulated_connection& link, ssh::exec_id id) { leave(link, id); };
  }

  void run() {
    take_steps(pick(20, 120));
    pool_.begin_shutdown();
    take_steps(pick(0, 20));
    pool_.shut_down();
    check_end();
  }

private:
  struct request {
    std::shared_ptr<pending_answer> answer = std::make_shared<pending_answer>();
    std::string line;
    std::string machine;
    retry_policy retry = retry_policy::always;
    /// Its caller was ended, and hears of no answer.
    bool orphaned = false;
  };

  struct channel {
    bool sent = false;
    /// When its command ended or was given up; the channel is still to be closed.
    std::optional<caf::actor_clock::time_point> left;
  };

  /// What the machine's side knows of one connection.
  struct link_state {
    std::string machine;
    bool established = false;
    std::map<ssh::exec_id, channel> channels;
  };

  /// What is known of the attempts to connect to one machine.
  struct attempts {
    std::size_t failed = 0;
    caf::actor_clock::time_point failed_at;
    /// Whether a command got a channel since the last moment without open requests: it may wait
    /// for a retry of its own then, whose delay is counted from elsewhere.
    bool started = false;
    /// Whether a request was taken back, or missed its deadline, since the last success: nobody may
    /// have waited for the end of the delay then, which the next request finds under way.
    bool taken_back = false;
  };

  int pick(int low, int high) { return std::uniform_int_distribution{low, high}(random_); }

  bool chance(int percent) { return pick(1, 100) <= percent; }

  [[nodiscard]] auto now() const { return pool_.now(); }

  void take_steps(int count) {
    for (int i = 0; i < count; ++i) {
      step();
      check();
    }
  }

  void step() {
    switch (pick(0, 10)) {
      case 0:
      case 1:
      case 2:
        return submit();
      case 3:
        return pool_.pass(std::chrono::milliseconds{pick(0, 1500)});
      case 4:
        return pool_.pass(std::chrono::seconds{pick(1, 60)});
      case 5:
        return pool_.pass(std::chrono::seconds{chance(20) ? 301 : 4});
      case 6:
        return interfere();
      default:
        return disturb();
    }
  }

  void submit() {
    const std::string name = "host-" + std::to_string(pick(1, machines));
    machine target = simulated_pool::some_machine(name);
    // The connection's settings tell its machine by the user's name.
    target.username = name;
    const bool blank = chance(5);
    const int burst = chance(10) ? 30 : 1;
    for (int i = 0; i < burst; ++i) {
      forget_attempts();
      const auto id = std::to_string(requests_.size());
      command what = simulated_pool::some_command(blank ? "" : "true " + id);
      what.timeout = std::chrono::seconds{pick(1, 60)};
      what.retry = static_cast<retry_policy>(pick(0, 2));
      what.outlives_caller = chance(30);
      what.id = id;
      if (chance(20))
        what.deadline = std::chrono::seconds{pick(1, 30)};
      auto& added = requests_.emplace_back();
      added.line = what.line;
      added.machine = name;
      added.retry = what.retry;
      added.answer = pool_.request(what, target);
    }
  }

  /// A caller cancels or ends.
  void interfere() {
    if (requests_.empty())
      return;
    const int last = static_cast<int>(requests_.size()) - 1;
    const int index = pick(std::max(0, last - 40), last);
    request& chosen = requests_[static_cast<std::size_t>(index)];
    if (chosen.answer->arrived() || chosen.orphaned)
      return;
    attempts_[chosen.machine].taken_back = true;
    if (chance(30)) {
      BOOST_TEST(pool_.cancel_everywhere(std::to_string(index)).has_value());
    } else if (chance(50)) {
      machine target = simulated_pool::some_machine(chosen.machine);
      target.username = chosen.machine;
      pool_.cancel(*chosen.answer, std::to_string(index), target);
    } else {
      chosen.orphaned = true;
      pool_.end_caller(*chosen.answer);
    }
  }

  /// How a connection starts out.
  void begin(simulated_connection& link) {
    links_[&link] = {link.settings.username, false, {}};
    check_dial(link.settings.username);
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
    link_state& state = links_[&link];
    state.established = true;
    attempts_[state.machine] = {};
    link.emit(ev::authenticated{});
  }

  void dropped(simulated_connection& link) {
    const link_state& state = links_[&link];
    if (state.established)
      return;
    attempts& made = attempts_[state.machine];
    ++made.failed;
    made.failed_at = now();
  }

  /// How a command starts out.
  void begin_command(simulated_connection& link, ssh::exec_id id) {
    link_state& state = links_[&link];
    attempts_[state.machine].started = true;
    state.channels[id] = {};
    check_channels(link);
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

  void begin_spare(simulated_connection& link) {
    check_channels(link);
    if (chance(20))
      link.end_spare(chance(80));
  }

  void check_channels(simulated_connection& link) {
    std::size_t open = link.has_spare ? 1 : 0;
    for (const auto& [id, channel] : links_[&link].channels)
      open += counts(channel) ? 1 : 0;
    if (open > pool_.pool_settings.max_channels)
      BOOST_ERROR("more channels than allowed");
  }

  /// One that the server does not close counts for a while only, or it would hold others up for
  /// ever.
  [[nodiscard]] bool counts(const channel& x) const {
    return !x.left || now() - *x.left < pool_.pool_settings.connect_timeout;
  }

  /// The pool gives a command up, or it ended.
  void leave(simulated_connection& link, ssh::exec_id id) {
    auto& channels = links_[&link].channels;
    if (const auto i = channels.find(id); i != channels.end())
      i->second.left = now();
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
    ssh::exec_outcome outcome;
    if (chance(80))
      outcome.exit_status = 0;
    else if (chance(50))
      outcome.exit_signal = "KILL";
    if (chance(20)) {
      leave(link, id);
      return link.end_without_close(id, std::move(outcome));
    }
    links_[&link].channels.erase(id);
    link.end(id, std::move(outcome));
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
      chance(50) ? establish(link) : link.lose(ssh::error_kind::dropped);
    } else if (chance(5)) {
      lose(link);
    } else if (link.has_spare && chance(10)) {
      link.end_spare();
    } else if (!state.channels.empty()) {
      const auto [id, channel] = *state.channels.begin();
      if (channel.left) {
        state.channels.erase(id);
        link.close(id);
      } else if (channel.sent)
        close(link, id);
      else
        chance(50) ? refuse(link, id) : send(link, id);
    }
    pool_.settle();
  }

  [[nodiscard]] bool is_open(const request& x) const {
    return !x.answer->arrived() && !(x.orphaned && recorded_.contains(x.line));
  }

  [[nodiscard]] bool is_wanted(const std::string& machine) const {
    return std::any_of(requests_.begin(), requests_.end(),
                       [&](const request& x) { return x.machine == machine && is_open(x); });
  }

  /// A connection is attempted only for requests, no more than allowed at a time, and after a
  /// failed attempt only when the delay is over to the nanosecond.
  void check_dial(const std::string& machine) {
    read_journal();
    if (!is_wanted(machine))
      BOOST_ERROR("a connection that nobody waits for");
    const auto connecting
      = std::count_if(pool_.network.alive.begin(), pool_.network.alive.end(),
                      [&](simulated_connection* link) { return !links_[link].established; });
    // All machines have one address.
    const auto most = pool_.pool_settings.max_connects_per_host;
    if (connecting > static_cast<std::ptrdiff_t>(most))
      BOOST_ERROR("more attempts at a time than allowed");
    const attempts& made = attempts_[machine];
    if (made.failed == 0 || made.started || made.taken_back)
      return;
    const auto& delays = pool_.pool_settings.retry_delays;
    const auto delay = delays.at(std::min(made.failed, delays.size()) - 1);
    // The attempt may have had to wait for the others.
    const bool was_alone = most >= machines;
    if (was_alone ? now() - made.failed_at != delay : now() - made.failed_at < delay)
      BOOST_ERROR("a delay that was not configured");
  }

  /// A machine whose requests are all answered starts afresh with its next one.
  void forget_attempts() {
    read_journal();
    for (auto& [machine, made] : attempts_) {
      if (is_wanted(machine))
        continue;
      made.failed = 0;
      made.started = false;
    }
  }

  /// The executor had ended when the request was sent.
  static bool came_too_late(const request& x) {
    return x.answer->error && *x.answer->error == caf::sec::request_receiver_down;
  }

  /// No command has more than one line in the journal.
  void read_journal() {
    for (; records_read_ < pool_.journal.size(); ++records_read_) {
      const execution_record& record = pool_.journal[records_read_];
      const std::string& line = record.command_line;
      BOOST_REQUIRE((line.empty() || recorded_.insert(line).second));
      if (record.outcome == error_code::command_timeout)
        attempts_[record.machine.username].taken_back = true;
    }
  }

  void check() {
    read_journal();
    std::size_t answered = 0;
    std::size_t orphaned = 0;
    for (const request& x : requests_) {
      BOOST_REQUIRE(x.answer->count <= 1);
      answered += x.answer->arrived() && !came_too_late(x) ? 1 : 0;
      orphaned += x.orphaned ? 1 : 0;
    }
    BOOST_REQUIRE(pool_.journal.size() >= answered);
    BOOST_REQUIRE(pool_.journal.size() <= answered + orphaned);
    std::set<std::string> connected;
    for (const simulated_connection* link : pool_.network.alive)
      BOOST_REQUIRE(connected.insert(link->settings.username).second);
    forget_attempts();
  }

  void check_end() {
    for (const request& x : requests_) {
      // One more where the first was sent on a connection that turned out dead.
      const auto most
        = pool_.pool_settings.retry_delays.size() + (x.retry == retry_policy::always ? 2 : 1);
      BOOST_REQUIRE(x.answer->count == (x.orphaned ? 0 : 1));
      if (x.answer->error)
        BOOST_REQUIRE(x.answer->what().attempts <= most);
      if (x.answer->result)
        BOOST_REQUIRE((x.answer->result->attempts >= 1 && x.answer->result->attempts <= most));
    }
    const auto late = std::count_if(requests_.begin(), requests_.end(), came_too_late);
    BOOST_REQUIRE(pool_.journal.size() + static_cast<std::size_t>(late) == requests_.size());
    BOOST_REQUIRE(pool_.network.alive.empty());
    BOOST_REQUIRE(pool_.actors_left() == 0);
  }

  std::mt19937_64 random_;
  std::map<simulated_connection*, link_state> links_;
  std::map<std::string, attempts> attempts_;
  std::vector<request> requests_;
  /// The command lines in the journal, and how much of it was read.
  std::set<std::string> recorded_;
  std::size_t records_read_ = 0;
  simulated_pool pool_{random_settings(random_)};
};

} // namespace

BOOST_AUTO_TEST_CASE(every_promise_holds_through_random_hours) {
  run_seeds<simulation>(1000);
}
