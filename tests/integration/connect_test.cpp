#include "hub.hpp"
#include "sshexec/ssh/file_descriptor.hpp"

#include <arpa/inet.h>
#include <boost/test/unit_test.hpp>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <future>
#include <vector>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;

namespace {

/// A TCP listener on loopback that accepts only when told to.
class listener {
public:
  listener() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address_);
    ::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address_), length);
    ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address_), &length);
    ::listen(socket_.get(), 16);
  }

  [[nodiscard]] machine as_machine() const {
    machine result;
    result.hostname = "127.0.0.1";
    result.port = ntohs(address_.sin_port);
    return result;
  }

  [[nodiscard]] ssh::file_descriptor accept() const {
    return ssh::file_descriptor{::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
  }

private:
  ssh::file_descriptor socket_;
  sockaddr_in address_{};
};

/// A hub whose machines need no server to authenticate to: the key exists, that is all.
struct hub_with_key : hub {
  explicit hub_with_key(settings wanted = quick_settings())
    : hub(std::move(wanted)), key(directory.path() / "key") {
    testing::make_key(key);
  }

  machine with_key(machine target) const {
    target.identity_file = key;
    return target;
  }

  std::string key;
};

settings impatient_settings() {
  settings result = quick_settings();
  result.connect_timeout = 200ms;
  return result;
}

struct impatient_hub : hub_with_key {
  impatient_hub() : hub_with_key(impatient_settings()) {}
};

struct default_hub : hub_with_key {
  default_hub() : hub_with_key(settings{}) {}
};

/// Runs one command on each of so many machines that are all the same host.
std::vector<answer> run_on_namesakes(hub& from, machine target, int count) {
  std::vector<std::future<answer>> running;
  for (int i = 0; i < count; ++i) {
    target.id = std::to_string(i);
    running.push_back(
      std::async(std::launch::async, [&from, target] { return from.run(target, "true"); }));
  }
  std::vector<answer> answers;
  answers.reserve(running.size());
  for (auto& answer : running)
    answers.push_back(answer.get());
  return answers;
}

/// The most connections that were not authenticated yet at the same time.
std::size_t most_at_once(const testing::observations& seen) {
  std::size_t now = 0;
  std::size_t most = 0;
  for (const testing::observation& x : seen) {
    if (x.what == testing::event::connection_accepted)
      most = std::max(most, ++now);
    else if (x.what == testing::event::authentication_accepted)
      --now;
  }
  return most;
}

settings settings_of_three_connects() {
  settings result = quick_settings();
  result.max_connects_per_host = 3;
  result.retry_delays.clear();
  return result;
}

} // namespace

BOOST_AUTO_TEST_SUITE(connecting)

BOOST_FIXTURE_TEST_CASE(a_silent_server_is_given_up_after_the_timeout_of_each_attempt,
                        impatient_hub) {
  const listener silent;
  const auto answer = run(with_key(silent.as_machine()), "true");
  BOOST_TEST(answer.failed_with(error_code::connection_error));
  BOOST_TEST((answer.what().fault == connection_fault::timed_out));
  BOOST_TEST(answer.what().attempts == 4U);
  BOOST_TEST((answer.what().progress == progress::not_started));
}

BOOST_FIXTURE_TEST_CASE(a_dropped_connection_is_retried_after_1_2_and_4_seconds_of_the_real_clock,
                        default_hub) {
  const listener dropping;
  auto arrivals = std::async(std::launch::async, [&dropping] {
    std::vector<std::chrono::steady_clock::time_point> times;
    for (int i = 0; i < 4; ++i) {
      const auto socket = dropping.accept();
      times.push_back(std::chrono::steady_clock::now());
    }
    return times;
  });
  const auto answer = run(with_key(dropping.as_machine()), "true");
  const auto times = arrivals.get();
  BOOST_TEST(answer.failed_with(error_code::connection_error));
  BOOST_TEST((answer.what().fault == connection_fault::dropped));
  BOOST_TEST(answer.what().attempts == 4U);
  // An arrival is noted before its connection is dropped, and after the connect that caused it.
  BOOST_TEST((times[1] - times[0] >= 1s));
  BOOST_TEST((times[2] - times[1] >= 2s));
  BOOST_TEST((times[3] - times[2] >= 4s));
}

BOOST_FIXTURE_TEST_CASE(a_server_that_speaks_no_ssh_gives_a_protocol_error_at_once, hub_with_key) {
  const listener other;
  auto talking = std::async(std::launch::async, [&other] {
    auto socket = other.accept();
    const std::string text = "SSH-9.9-not really\r\n";
    ::send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL);
    return socket;
  });
  const auto answer = run(with_key(other.as_machine()), "true");
  BOOST_TEST(answer.failed_with(error_code::connection_error));
  BOOST_TEST((answer.what().fault == connection_fault::protocol));
  BOOST_TEST(answer.what().attempts == 1U);
}

BOOST_AUTO_TEST_CASE(machines_that_share_an_address_connect_few_at_a_time) {
  testing::scripted_server server;
  hub pool{settings_of_three_connects()};
  for (const answer& x : run_on_namesakes(pool, machine_of(server), 20))
    BOOST_TEST(x.succeeded());
  BOOST_TEST(most_at_once(server.record()) <= 3U);
}

BOOST_AUTO_TEST_SUITE_END()
