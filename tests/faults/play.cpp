#include "bad_port.hpp"
#include "fault_cell.hpp"
#include "sshexec/actors/pool/connect_gate.hpp"
#include "sshexec/actors/pool/pool_registry.hpp"
#include "sshexec/actors/runtime/spawn_poller.hpp"
#include "sshexec/actors/services/cipher_check.hpp"
#include "sshexec/actors/services/execution_journal.hpp"
#include "sshexec/actors/services/file_credential_store.hpp"
#include "sshexec/actors/services/file_host_key_store.hpp"
#include "sshexec/actors/services/key_ring.hpp"
#include "sshexec/actors/services/resolver.hpp"
#include "sshexec/ssh/poller.hpp"

#include <caf/spawn_options.hpp>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sshexec::test {

namespace {

using namespace std::chrono_literals;

namespace step = testing::step;

// A fault must not be seen where there is only a slow machine, and a sanitizer makes it slower.
#if defined(__SANITIZE_THREAD__)
constexpr std::chrono::milliseconds patience = 30s;
#elif defined(__SANITIZE_ADDRESS__)
constexpr std::chrono::milliseconds patience = 18s;
#else
constexpr std::chrono::milliseconds patience = 6s;
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
    const bool comes_later = cell_.where >= place::output || !is_about_connections();
    if (cell_.where < place::banner || comes_later || !strikes())
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

  /// Whether the fault is met now.
  bool strikes() {
    if (!begun_ || healed_)
      return false;
    return cell_.how_often == persistence::always || !struck_.exchange(true);
  }

private:
  /// Whether a connection meets the fault, or a command.
  [[nodiscard]] bool is_about_connections() const {
    if (cell_.where == place::exec_request)
      return cell_.what != fault::refusal && cell_.what != fault::omission;
    return cell_.where < place::output;
  }

  fault_cell cell_;
  std::atomic<bool> begun_ = false;
  std::atomic<bool> healed_ = false;
  std::atomic<bool> struck_ = false;
};

/// An executor with another name service.
caf::expected<executor_actor> spawn_with(look_up_function look_up, caf::actor_system& system,
                                         const settings& config) {
  auto journal = spawn_journal(system, config);
  if (!journal)
    return std::move(journal.error());
  supervisor_services services;
  const auto credentials
    = system.spawn(file_credential_store, config.identity_file, config.passphrase_file,
                   config.identity_agent, login_password{});
  services.ticks = spawn_tick_relay(system);
  services.resolver = system.spawn(
    resolver, resolver_settings{.look_up = std::move(look_up), .patience = config.connect_timeout});
  services.keys = system.spawn<caf::detached>(
    key_ring, credentials, key_ring_settings{.patience = config.connect_timeout});
  services.host_keys = system.spawn<caf::detached>(file_host_key_store, config.known_hosts_file);
  services.ciphers = system.spawn(cipher_check, cipher_check_settings{});
  services.gate = system.spawn(connect_gate, config.max_connects_per_host);
  services.journal = std::move(*journal);
  services.connect = ssh::make_connection_factory(*spawn_poller(system));
  const auto to_actor = [](const auto& x) { return caf::actor_cast<caf::actor>(x); };
  std::vector<caf::actor> owned{to_actor(credentials),      to_actor(services.resolver),
                                to_actor(services.keys),    to_actor(services.host_keys),
                                to_actor(services.ciphers), to_actor(services.gate),
                                to_actor(services.journal)};
  return executor_actor{system.spawn(pool_registry, config, std::move(services), std::move(owned))};
}

/// The executor and the servers of one cell.
class stage {
public:
  explicit stage(const fault_cell& cell)
    : cell_(cell),
      scripts_(cell),
      server_({.connections = [this](unsigned) { return scripts_.connection(); },
               .commands = [this](const std::string&) { return scripts_.command(); }}),
      hub_(settings_for(cell), [this](caf::actor_system& system, const settings& config) {
        return spawn_with([this](const std::string&, std::uint16_t) { return look_up(); }, system,
                          config);
      }) {
    if (cell.where == place::connect)
      bad_port_.emplace(cell.what == fault::silence ? bad_port::kind::unanswered
                                                    : bad_port::kind::refusing,
                        server_.port());
    // Only a name is looked up, not an address.
    if (cell.where < place::banner)
      machine_.hostname = "machine.test";
  }

  stage(const stage&) = delete;
  stage& operator=(const stage&) = delete;

  ~stage() { end_silence(); }

  cell_outcome play() {
    cell_outcome result;
    if (cell_.where == place::host_key)
      remember_host_key();
    scripts_.begin();
    if (is_in_the_pool(cell_.where))
      break_the_pooled_connection();
    result.answers = run(cell_.commands);
    scripts_.heal();
    result.afterwards = run(1).front();
    end_silence();
    hub_.shut_down();
    result.requests = requests_;
    result.journal_lines = hub_.journal().size();
    return result;
  }

private:
  std::vector<answer> run(std::size_t count) {
    requests_ += count;
    command what = make_command("command");
    const bool times_out = expected(cell_).code == error_code::command_timeout;
    what.timeout = times_out ? caf::timespan{300ms} : caf::timespan{1min};
    return hub_.run(machine_, std::vector<command>(count, what));
  }

  /// Look-ups that nobody answers would go on for ever.
  void end_silence() {
    if (std::exchange(silent_, false))
      silence_.set_value();
  }

  void remember_host_key() {
    run(1);
    break_connection(testing::breakage::hang_up);
  }

  void break_the_pooled_connection() {
    run(1);
    break_connection(breakage_of(cell_.what));
  }

  void break_connection(testing::breakage how) {
    server_.break_connections(how);
    // A connection that the executor has retired is gone already, and one that is silent stays.
    const bool gone = server_.wait_for([how](const testing::observations& seen) {
      return count(seen, testing::event::disconnected) > 0
             || (how == testing::breakage::silence
                 && count(seen, testing::event::connection_broken) > 0);
    });
    if (!gone)
      throw std::runtime_error("a connection cannot be broken");
  }

  /// What the name service answers; called on threads of its own.
  ssh::result<address_list> look_up() {
    const bool strikes = cell_.where < place::banner && scripts_.strikes();
    if (strikes && cell_.where == place::name_resolution) {
      if (cell_.what == fault::refusal)
        return tl::unexpected(ssh::error{ssh::error_kind::name_not_found, "no such name"});
      end_of_silence_.wait();
    }
    const bool is_led_astray = strikes && cell_.where == place::connect;
    return ssh::resolve(is_led_astray ? bad_port::host : server_.host(), server_.port());
  }

  fault_cell cell_;
  faulty_scripts scripts_;
  testing::scripted_server server_;
  std::optional<bad_port> bad_port_;
  std::promise<void> silence_;
  std::shared_future<void> end_of_silence_ = silence_.get_future().share();
  bool silent_ = true;
  hub hub_;
  machine machine_ = machine_of(server_);
  std::size_t requests_ = 0;
};

} // namespace

cell_outcome play(const fault_cell& cell) {
  return stage{cell}.play();
}

} // namespace sshexec::test
