#include "bad_port.hpp"
#include "fault_cell.hpp"

#include <atomic>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace sshexec::test {

namespace {

using namespace std::chrono_literals;

namespace step = testing::step;

// A sanitizer slows handshakes down, and a fault must not be seen where there is only a slow
// machine.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr std::chrono::milliseconds patience = 6s;
#else
constexpr std::chrono::milliseconds patience = 2s;
#endif

testing::breakage breakage_of(fault what) {
  switch (what) {
    case fault::end:
      return testing::breakage::hang_up;
    case fault::reset:
      return testing::breakage::reset;
    case fault::disconnect:
      return testing::breakage::disconnect;
    default:
      return testing::breakage::silence;
  }
}

settings settings_for(const fault_cell& cell) {
  settings result = quick_settings();
  result.connect_timeout = patience;
  result.keepalive_interval = patience / 3;
  result.kill_grace = 100ms;
  if (cell.where == place::being_retired)
    result.idle_timeout = 1ms;
  return result;
}

/// The scripts of one cell's server.
class faulty_scripts {
public:
  explicit faulty_scripts(const fault_cell& cell) : cell_(cell) {}

  /// From here on everything works.
  void heal() { healed_ = true; }

  /// Before this, everything works, too.
  void begin() { begun_ = true; }

  testing::connection_script connection() {
    using testing::phase;
    const auto broken_at = [this](phase at) {
      return testing::connection_script{.breaks = testing::fault{at, breakage_of(cell_.what)}};
    };
    if (cell_.where >= place::output || !is_about_connections() || !strikes())
      return {};
    switch (cell_.where) {
      case place::banner:
        if (cell_.what == fault::garbage)
          return {.greeting = "SSH-1.5-ancient\r\n"};
        return broken_at(phase::accepted);
      case place::key_exchange:
        return broken_at(phase::key_exchange);
      case place::host_key:
        return {.host_key = 1};
      case place::authentication:
        if (cell_.what == fault::refusal)
          return {.keys = testing::accepted_keys::none};
        return broken_at(phase::authentication);
      case place::authenticated:
        return broken_at(phase::established);
      case place::channel_open:
        if (cell_.what == fault::refusal)
          return {.max_channels = 0};
        return broken_at(phase::channel_open);
      case place::exec_request:
        return broken_at(phase::exec_request);
      default:
        return {};
    }
  }

  testing::command_script command() {
    const auto broken = step::break_connection{breakage_of(cell_.what)};
    if (is_about_connections() || !strikes())
      return testing::print("all");
    switch (cell_.where) {
      case place::exec_request:
        if (cell_.what == fault::refusal)
          return {.granted = false};
        return {.before_answer = {step::wait_for{"never"}}};
      case place::output:
        if (cell_.what == fault::omission)
          return {.steps = {step::out{"half"}}};
        return {.steps = {step::out{"half"}, broken}};
      case place::exit_status:
        if (cell_.what == fault::omission)
          return {.steps = {step::out{"all"}, step::eof{}, step::close{}}};
        return {.steps = {step::out{"all"}, step::exit_status{0}, broken}};
      case place::close:
        if (cell_.what == fault::omission)
          return {.steps = {step::out{"all"}, step::exit_status{0}, step::eof{}}};
        return {.steps = {step::out{"all"}, step::exit_status{0}, step::eof{}, broken}};
      default:
        return testing::print("all");
    }
  }

private:
  /// Whether a connection meets the fault, or a command.
  [[nodiscard]] bool is_about_connections() const {
    if (cell_.where == place::exec_request)
      return cell_.what != fault::refusal && cell_.what != fault::omission;
    return cell_.where < place::output;
  }

  bool strikes() {
    if (!begun_ || healed_)
      return false;
    return cell_.how_often == persistence::always || !struck_.exchange(true);
  }

  fault_cell cell_;
  std::atomic<bool> begun_ = false;
  std::atomic<bool> healed_ = false;
  std::atomic<bool> struck_ = false;
};

/// The executor and the servers of one cell.
class stage {
public:
  explicit stage(const fault_cell& cell)
    : cell_(cell),
      scripts_(cell),
      server_({.connections = [this](unsigned) { return scripts_.connection(); },
               .commands = [this](const std::string&) { return scripts_.command(); }}),
      hub_(settings_for(cell)) {}

  cell_outcome play() {
    cell_outcome result;
    if (cell_.where == place::host_key)
      remember_host_key();
    scripts_.begin();
    if (cell_.where >= place::idle_in_the_pool)
      break_the_pooled_connection();
    result.answers = run(faulty_machine(), cell_.commands);
    scripts_.heal();
    result.afterwards = run(machine_, 1).front();
    hub_.shut_down();
    result.requests = requests_;
    result.journal_lines = hub_.journal().size();
    return result;
  }

private:
  std::vector<answer> run(const machine& target, std::size_t count) {
    requests_ += count;
    command what = make_command("command");
    const bool times_out = expected(cell_).code == error_code::command_timeout;
    what.timeout = times_out ? caf::timespan{300ms} : caf::timespan{1min};
    return hub_.run(target, std::vector<command>(count, what));
  }

  void remember_host_key() {
    run(machine_, 1);
    break_connection(testing::breakage::hang_up);
  }

  void break_the_pooled_connection() {
    run(machine_, 1);
    break_connection(breakage_of(cell_.what));
  }

  void break_connection(testing::breakage how) {
    server_.break_connections(how);
    // A connection that the executor has retired is gone already.
    const bool gone = server_.wait_for([](const testing::observations& seen) {
      return count(seen, testing::event::connection_broken)
               + count(seen, testing::event::disconnected)
             > 0;
    });
    if (!gone)
      throw std::runtime_error("a connection cannot be broken");
  }

  machine faulty_machine() {
    machine result = machine_;
    if (cell_.where == place::name_resolution)
      result.hostname = "no-such-machine.invalid";
    if (cell_.where == place::connect) {
      bad_port_.emplace(cell_.what == fault::silence ? bad_port::kind::unanswered
                                                     : bad_port::kind::refusing);
      result.port = bad_port_->number();
    }
    return result;
  }

  fault_cell cell_;
  faulty_scripts scripts_;
  testing::scripted_server server_;
  hub hub_;
  machine machine_ = machine_of(server_);
  std::optional<bad_port> bad_port_;
  std::size_t requests_ = 0;
};

} // namespace

cell_outcome play(const fault_cell& cell) {
  return stage{cell}.play();
}

} // namespace sshexec::test
