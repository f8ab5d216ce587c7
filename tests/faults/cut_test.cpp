#include "hub.hpp"
#include "process_resources.hpp"
#include "sshexec/testing/faulty_proxy.hpp"
#include "sshexec/testing/scripted_server.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <cstdlib>
#include <future>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

using namespace sshexec;
using namespace sshexec::test;
using testing::direction;
using testing::ending;
using testing::network;

namespace {

constexpr std::size_t commands_per_session = 3;

/// Padding and signatures differ from session to session by a few bytes.
constexpr std::uint64_t variation = 256;

/// Sessions are cut side by side by so many.
constexpr std::size_t cutters = 4;

/// SSHEXEC_CUT_STRIDE=1 cuts at every byte.
std::uint64_t stride(std::uint64_t by_default) {
  const char* wanted = std::getenv("SSHEXEC_CUT_STRIDE");
  return wanted != nullptr ? std::stoull(wanted) : by_default;
}

/// How often each command line ran.
class run_counter {
public:
  void note(const std::string& line) {
    const std::lock_guard lock{mutex_};
    ++runs_[line];
  }

  [[nodiscard]] unsigned operator[](const std::string& line) const {
    const std::lock_guard lock{mutex_};
    const auto i = runs_.find(line);
    return i != runs_.end() ? i->second : 0;
  }

private:
  mutable std::mutex mutex_;
  std::map<std::string, unsigned> runs_;
};

/// Runs sessions that are cut, one after another, each over connections of its own.
class session_cutter {
public:
  explicit session_cutter(const machine& server)
    : proxy_(server.hostname, server.port), hub_(short_lived_connections()), target_(server) {
    target_.hostname = proxy_.host();
    target_.port = proxy_.port();
    // The host key goes on record.
    run("true");
  }

  struct request {
    std::string line;
    test::answer answer;
  };

  /// What three commands are told, one after another, while every connection is cut.
  std::vector<request> run_cut(const network::cut& where) {
    target_.id = std::to_string(++sessions_);
    proxy_.change({.break_at = where});
    std::vector<request> requests;
    for (std::size_t i = 0; i < commands_per_session; ++i)
      requests.push_back(run("cat; echo problem >&2; exit 3 # " + name(where, i)));
    proxy_.change({});
    return requests;
  }

  /// What the next command is told.
  answer run_afterwards() { return run("cat; echo problem >&2; exit 3").answer; }

  /// Bytes of one whole session.
  std::uint64_t bytes_of_session(direction where) {
    target_.id = "whole";
    const std::uint64_t before = proxy_.bytes(where);
    for (std::size_t i = 0; i < commands_per_session; ++i)
      run_afterwards();
    return proxy_.bytes(where) - before;
  }

  /// Whether each request had its line in the journal. Ends the executor.
  bool journal_is_complete() {
    hub_.shut_down();
    return hub_.journal().size() == requests_;
  }

private:
  static settings short_lived_connections() {
    settings result = quick_settings();
    result.retry_delays = {caf::timespan{std::chrono::milliseconds{1}}};
    result.idle_timeout = std::chrono::milliseconds{200};
    return result;
  }

  static std::string name(const network::cut& where, std::size_t command) {
    return std::string{where.where == direction::to_server ? "to server " : "to client "}
           + (where.how == ending::reset ? "reset " : "end ") + std::to_string(where.after_bytes)
           + " command " + std::to_string(command);
  }

  request run(const std::string& line) {
    ++requests_;
    command what = make_command(line);
    what.stdin_data = "input";
    return {line, hub_.run(target_, what)};
  }

  testing::faulty_proxy proxy_;
  hub hub_;
  machine target_;
  std::size_t sessions_ = 0;
  std::size_t requests_ = 0;
};

bool is_right(const answer& x) {
  return x.succeeded() && x->exit_code == 3 && x->output.stdout_data == "input"
         && x->output.stderr_data == "problem\n";
}

std::string describe(const answer& x) {
  if (x.succeeded())
    return "exit code " + std::to_string(x->exit_code) + ", stdout: " + x->output.stdout_data;
  return to_failure(x.outcome.error()).message + " [" + to_string(x.what().progress) + ']';
}

std::uint32_t attempts_told(const answer& x) {
  return x.succeeded() ? x->attempts : x.what().attempts;
}

/// Two attempts are allowed, and one more that found the pooled connection dead.
bool is_told_as_a_cut(const answer& x) {
  return x.failed_with(error_code::connection_error) && x.what().fault == connection_fault::dropped
         && attempts_told(x) >= 2 && attempts_told(x) <= 3;
}

/// Cuts sessions at a byte further on each time, until it no longer matters.
class cut_everywhere {
public:
  cut_everywhere(const machine& server, std::uint64_t step, const run_counter* runs)
    : server_(server), step_(step), runs_(runs) {
    session_cutter measure{server};
    for (const direction where : {direction::to_server, direction::to_client}) {
      const std::uint64_t end = measure.bytes_of_session(where) + variation;
      for (std::uint64_t at = 0; at < end; at += step)
        for (const ending how : {ending::hang_up, ending::reset})
          cuts_.push_back({where, at, how});
    }
  }

  void run() {
    std::vector<std::future<void>> running;
    for (std::size_t i = 0; i < cutters; ++i)
      running.push_back(std::async(std::launch::async, [this] { cut_some(); }));
    for (auto& x : running)
      x.get();
    BOOST_TEST_MESSAGE(cuts_.size()
                       << " sessions cut, " << results_ << " results, " << errors_ << " errors");
    BOOST_TEST(results_ > 0);
    BOOST_TEST(errors_ > 0);
  }

private:
  void cut_some() {
    session_cutter cutter{server_};
    for (std::size_t i = next_++; i < cuts_.size(); i = next_++) {
      const auto requests = cutter.run_cut(cuts_[i]);
      const answer afterwards = cutter.run_afterwards();
      const std::lock_guard lock{mutex_};
      for (const auto& x : requests)
        check(x);
      BOOST_TEST(is_right(afterwards), describe(afterwards));
    }
    const bool complete = cutter.journal_is_complete();
    const std::lock_guard lock{mutex_};
    BOOST_TEST(complete);
  }

  void check(const session_cutter::request& x) {
    BOOST_TEST_CONTEXT(x.line) {
      ++(x.answer.succeeded() ? results_ : errors_);
      BOOST_TEST((is_right(x.answer) || is_told_as_a_cut(x.answer)), describe(x.answer));
      if (runs_ == nullptr)
        return;
      const unsigned runs = (*runs_)[x.line];
      BOOST_TEST(runs <= attempts_told(x.answer));
      if (x.answer.succeeded() || x.answer.what().progress == progress::finished)
        BOOST_TEST(runs >= 1U);
      else if (x.answer.what().progress == progress::not_started)
        BOOST_TEST(runs == 0U);
    }
  }

  machine server_;
  std::uint64_t step_;
  const run_counter* runs_;
  std::vector<network::cut> cuts_;
  std::atomic<std::size_t> next_ = 0;
  std::mutex mutex_;
  std::size_t results_ = 0;
  std::size_t errors_ = 0;
};

} // namespace

BOOST_AUTO_TEST_CASE(a_cut_at_every_byte_is_survived_and_told) {
  const process_resources before;
  {
    run_counter runs;
    testing::scripted_server server{{.commands = [&](const std::string& line) {
      runs.note(line);
      return testing::run_by_shell(line);
    }}};
    cut_everywhere{machine_of(server), stride(97), &runs}.run();
  }
  const auto after = process_resources::back_to(before);
  BOOST_TEST(after.descriptors == before.descriptors);
  BOOST_TEST(after.threads == before.threads);
}

BOOST_AUTO_TEST_CASE(cuts_in_front_of_openssh_are_survived_and_told) {
  testing::openssh_server server{{.configuration = "MaxStartups 1000\n"}};
  cut_everywhere{machine_of(server), stride(97) * 7, nullptr}.run();
}
