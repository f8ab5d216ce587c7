#include "sshexec/ssh/agent_client.hpp"
#include "sshexec/ssh/wire_format.hpp"
#include "sshexec/testing/temporary_directory.hpp"

#include <boost/test/unit_test.hpp>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <future>
#include <memory>
#include <semaphore>
#include <string>
#include <vector>

using namespace sshexec;

namespace {

using ssh::file_descriptor;

/// An agent's socket, on which nobody answers yet, and of which the kernel keeps one caller
/// waiting.
struct fixture {
  fixture() {
    address.sun_family = AF_UNIX;
    path.copy(static_cast<char*>(address.sun_path), path.size());
    BOOST_REQUIRE(::bind(listener.get(), any_address(), sizeof(address)) == 0);
    BOOST_REQUIRE(::listen(listener.get(), 0) == 0);
  }

  [[nodiscard]] const sockaddr* any_address() const {
    return reinterpret_cast<const sockaddr*>(&address);
  }

  /// Calls until the agent takes no more calls.
  void crowd_in() {
    for (;;) {
      file_descriptor caller{::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
      if (::connect(caller.get(), any_address(), sizeof(address)) != 0)
        return;
      crowd.push_back(std::move(caller));
    }
  }

  /// Gives each of the crowd its turn, and then answers the next caller's question.
  /// Whether it was asked and its answer left; on a thread of its own, so it checks nothing itself.
  bool serve() const {
    for (std::size_t i = 0; i < crowd.size(); ++i)
      const file_descriptor one{::accept(listener.get(), nullptr, nullptr)};
    const file_descriptor caller{::accept(listener.get(), nullptr, nullptr)};
    std::array<char, 64> question{};
    if (::recv(caller.get(), question.data(), question.size(), 0) <= 0)
      return false;
    std::string answer;
    ssh::append_string(answer, "answer");
    return ::send(caller.get(), answer.data(), answer.size(), 0)
           == static_cast<ssize_t>(answer.size());
  }

  testing::temporary_directory directory;
  std::string path = directory.path() / "agent";
  sockaddr_un address{};
  file_descriptor listener{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  std::vector<file_descriptor> crowd;
  ssh::poller sockets;
  /// Outlives the poller's last notification.
  std::shared_ptr<std::counting_semaphore<>> news = std::make_shared<std::counting_semaphore<>>(0);
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(agent_client_test, fixture)

BOOST_AUTO_TEST_CASE(an_agent_with_too_many_callers_is_called_again) {
  crowd_in();
  ssh::agent_client subject{path, sockets, [news = news] { news->release(); }};
  subject.ask("question");
  BOOST_TEST(!subject.advance().has_value());
  auto served = std::async(std::launch::async, [this] { return serve(); });
  auto answer = subject.advance();
  while (!answer) {
    news->acquire();
    answer = subject.advance();
  }
  BOOST_TEST(served.get());
  BOOST_REQUIRE(answer->has_value());
  BOOST_TEST(**answer == "answer");
}

BOOST_AUTO_TEST_CASE(an_agent_that_is_gone_is_told) {
  listener = {};
  ssh::agent_client subject{path, sockets, [] {}};
  const auto answer = subject.advance();
  BOOST_REQUIRE(answer.has_value());
  BOOST_REQUIRE(!answer->has_value());
  BOOST_TEST((answer->error().kind == ssh::error_kind::file));
  BOOST_TEST(answer->error().text == "SSH agent " + path + ": Connection refused");
}

BOOST_AUTO_TEST_CASE(callers_that_never_get_their_turn_wait_until_they_give_up) {
  crowd_in();
  auto subject
    = std::make_unique<ssh::agent_client>(path, sockets, [news = news] { news->release(); });
  for (int calls = 0; calls < 3; ++calls) {
    BOOST_TEST(!subject->advance().has_value());
    news->acquire();
  }
}

BOOST_AUTO_TEST_SUITE_END()
