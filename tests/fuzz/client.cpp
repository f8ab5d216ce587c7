#include "client.hpp"

#include "fuzz.hpp"
#include "sshexec/testing/loopback.hpp"
#include "sshexec/testing/wake_event.hpp"

#include <poll.h>

#include <array>
#include <cerrno>
#include <utility>
#include <variant>

namespace sshexec::fuzz {

namespace {

constexpr int patience_ms = 10'000;

/// What serves all inputs.
struct network {
  testing::wake_event news;
  ssh::file_descriptor listener = testing::listen_on("127.0.0.1");
  ssh::connection_factory connect = ssh::make_connection_factory(std::make_shared<ssh::poller>());
};

network& loopback() {
  static network result;
  return result;
}

} // namespace

client::client(ssh::private_keys keys) {
  ssh::connection_settings settings;
  settings.addresses = *ssh::resolve("127.0.0.1", testing::port_of(loopback().listener));
  settings.username = "root";
  settings.keys = std::move(keys);
  connection_ = loopback().connect(settings, [] { loopback().news.notify(); });
}

ssh::file_descriptor client::accept() {
  auto socket = testing::accept_from(loopback().listener);
  require(static_cast<bool>(socket), "a connection that was made is there");
  return socket;
}

std::vector<ssh::connection_event> client::advance() {
  auto events = connection_->advance();
  for (const ssh::connection_event& event : events) {
    require(!lost_, "nothing happens on a lost connection");
    if (const auto* end = std::get_if<ssh::event::lost>(&event)) {
      require(!end->reason.text.empty(), "a lost connection has a reason");
      lost_ = true;
    }
  }
  return events;
}

void client::wait(int other) {
  std::array<pollfd, 2> awaited{pollfd{loopback().news.descriptor(), POLLIN, 0},
                                pollfd{other, POLLIN, 0}};
  int count = -1;
  do {
    count = ::poll(awaited.data(), awaited.size(), patience_ms);
    // A fuzzer looks at its clock by a signal.
  } while (count < 0 && errno == EINTR);
  require(count > 0, "a connection goes on, or its end is noticed");
  loopback().news.clear();
}

} // namespace sshexec::fuzz
