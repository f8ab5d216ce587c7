#include "hub.hpp"
#include "sshexec/ssh/file_descriptor.hpp"

#include <arpa/inet.h>
#include <boost/test/unit_test.hpp>
#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
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

BOOST_AUTO_TEST_SUITE_END()
