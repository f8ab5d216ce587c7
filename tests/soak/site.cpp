#include "site.hpp"

#include "sshexec/messages/failure.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace sshexec::soak {

namespace {

using std::chrono::milliseconds;

namespace step = testing::step;

std::string to_string(testing::breakage x) {
  switch (x) {
    case testing::breakage::silence:
      return "silence";
    case testing::breakage::hang_up:
      return "hang-up";
    case testing::breakage::reset:
      return "reset";
    case testing::breakage::disconnect:
      return "disconnect";
  }
  return "unknown";
}

bool tells_end(const testing::command_step& x) {
  return std::holds_alternative<step::exit_status>(x)
         || std::holds_alternative<step::exit_signal>(x);
}

} // namespace

site::site(const temper& kind, std::string name, std::uint64_t first_task, std::size_t tasks)
  : temper_(kind), name_(std::move(name)), runs_(tasks) {
  for (std::uint64_t number = first_task; number < first_task + tasks; ++number) {
    dice random = decide("task", number);
    tasks_.push_back(random_task(number, random.chance(temper_.shell), random));
  }
  if (temper_.is_openssh)
    start_openssh();
  else
    start_scripted_server();
  address_.id = name_;
}

dice site::decide(const char* about, std::uint64_t number, unsigned again) const {
  return dice{name_ + '/' + about + '/' + std::to_string(number) + '/' + std::to_string(again)};
}

void site::note(const std::string& fault) {
  const std::lock_guard lock{mutex_};
  ++faults_[fault];
}

void site::start_scripted_server() {
  scripted_.emplace(testing::scripted_server::options{
    .connections = [this](unsigned number) { return connection(number); },
    .commands = [this](const std::string& line) { return command(line); }});
  address_.hostname = scripted_->host();
  address_.port = scripted_->port();
  address_.username = "anyone";
  address_.identity_file = scripted_->client_key_file();
  if (!temper_.has_proxy)
    return;
  proxy_.emplace(scripted_->host(), scripted_->port());
  address_.port = proxy_->port();
}

void site::start_openssh() {
  openssh_.emplace();
  address_.hostname = openssh_->host();
  address_.port = openssh_->port();
  address_.username = openssh_->user();
  address_.identity_file = openssh_->identity_file();
}

testing::connection_script site::connection(unsigned number) {
  ++connections_;
  dice random = decide("connection", number);
  testing::connection_script result;
  if (random.chance(temper_.breaking)) {
    using testing::phase;
    const auto where
      = random.one_of({phase::accepted, phase::banner, phase::key_exchange, phase::authentication,
                       phase::established, phase::channel_open, phase::exec_request});
    result.breaks = testing::fault{where, some_breakage(random)};
  }
  if (random.chance(temper_.narrow)) {
    note("few channels");
    result.max_channels = random.between<std::size_t>(1, 8);
  }
  // The first key is the one that the executor remembers.
  if (number > 1 && random.chance(temper_.impostor)) {
    note("changed host key");
    result.host_key = 1;
  }
  if (random.chance(temper_.locked)) {
    note("key refused");
    result.keys = testing::accepted_keys::none;
  }
  return result;
}

testing::command_script site::command(const std::string& line) {
  const std::size_t place = number_in(line).value() - tasks_.front().number;
  const unsigned run = ++runs_.at(place);
  const task& wanted = tasks_[place];
  dice random = decide("run", wanted.number, run);
  testing::command_script result = to_script(wanted);
  if (random.chance(temper_.bad_runs))
    spoil(result, random);
  return result;
}

void site::spoil(testing::command_script& script, dice& random) {
  switch (random.between(0, 4)) {
    case 0:
      note("slow answer");
      script.before_answer.emplace_back(step::pause{milliseconds{random.between(1, 20)}});
      return;
    case 1:
      script.before_answer.emplace_back(step::break_connection{some_breakage(random)});
      return;
    case 2: {
      const auto place = random.between<std::size_t>(0, script.steps.size());
      script.steps.insert(script.steps.begin() + static_cast<std::ptrdiff_t>(place),
                          step::break_connection{some_breakage(random)});
      return;
    }
    case 3:
      note("no exit status");
      std::erase_if(script.steps, tells_end);
      return;
    default:
      note("no close");
      std::erase_if(script.steps, [](const testing::command_step& x) {
        return std::holds_alternative<step::close>(x);
      });
  }
}

/// Silence is rare, for nothing else takes the executor so long to notice.
testing::breakage site::some_breakage(dice& random) {
  using testing::breakage;
  const auto result = random.chance(1)
                        ? breakage::silence
                        : random.one_of({breakage::hang_up, breakage::reset, breakage::disconnect});
  note(to_string(result));
  return result;
}

void site::disturb(std::uint64_t number) {
  dice random = decide("disturbance", number);
  const bool strikes = random.chance(temper_.disturbed);
  if (proxy_)
    proxy_->change(strikes ? bad_network(random) : testing::network{});
  else if (strikes)
    scripted_->break_connections(some_breakage(random));
}

testing::network site::bad_network(dice& random) {
  using testing::network;
  switch (random.between(0, 6)) {
    case 0:
      // Connections that outlive it miss the bytes that it took.
      note("black hole");
      return {.behaviour = network::mode::black_hole};
    case 1:
      note("half-open network");
      return {.behaviour = network::mode::half_open};
    case 2:
      note("refused connections");
      proxy_->break_connections(testing::ending::reset);
      return {.behaviour = network::mode::refuse};
    case 3:
      note("latency");
      return {.latency = milliseconds{random.between(1, 20)}};
    case 4:
      note("narrow network");
      return {.bytes_per_second = random.between<std::uint64_t>(20'000, 1'000'000)};
    case 5:
      note("damaged byte");
      return {.damages = network::damage{
                random.one_of({testing::direction::to_server, testing::direction::to_client}),
                random.between<std::uint64_t>(0, 20'000)}};
    default:
      note("cut after some bytes");
      return {.break_at = network::cut{
                random.one_of({testing::direction::to_server, testing::direction::to_client}),
                random.between<std::uint64_t>(0, 20'000),
                random.one_of({testing::ending::hang_up, testing::ending::reset})}};
  }
}

bool site::explains(const caf::error& error) const {
  if (is(error, error_code::host_key_error))
    return temper_.impostor > 0;
  if (is(error, error_code::authentication_error))
    return temper_.locked > 0;
  if (!is(error, error_code::connection_error))
    return false;
  switch (to_failure(error).fault) {
    case connection_fault::dropped:
    case connection_fault::timed_out:
      return temper_.breaking > 0 || temper_.bad_runs > 0 || temper_.disturbed > 0;
    case connection_fault::refused:
    case connection_fault::protocol:
      return temper_.has_proxy;
    default:
      return false;
  }
}

std::optional<unsigned> site::runs(const task& x) const {
  return openssh_ ? std::nullopt : std::optional{runs_[x.number - tasks_.front().number].load()};
}

std::uint64_t site::connections() const {
  return openssh_ ? openssh_->connections() : connections_.load();
}

std::map<std::string, std::uint64_t> site::faults() const {
  const std::lock_guard lock{mutex_};
  return faults_;
}

} // namespace sshexec::soak
