#include "sshexec/testing/faulty_proxy.hpp"

#include "sshexec/testing/proxied_stream.hpp"
#include "sshexec/testing/signals.hpp"
#include "sshexec/testing/wake_event.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <future>
#include <limits>
#include <list>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace sshexec::testing {

namespace {

using clock = std::chrono::steady_clock;

constexpr const char* proxy_host = "127.0.0.1";

constexpr std::array directions{direction::to_server, direction::to_client};

struct server_address {
  sockaddr_storage address{};
  socklen_t length = 0;
};

server_address look_up(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0)
    throw std::system_error(std::make_error_code(std::errc::address_not_available), host);
  server_address result;
  result.length = found->ai_addrlen;
  std::copy_n(reinterpret_cast<const char*>(found->ai_addr), found->ai_addrlen,
              reinterpret_cast<char*>(&result.address));
  ::freeaddrinfo(found);
  return result;
}

/// A connection under way; what comes of it the socket tells later.
file_descriptor start_connecting(const server_address& to) {
  file_descriptor socket{
    ::socket(to.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to.address), to.length);
  return socket;
}

/// A client's connection and the one to the server that belongs to it. That one is missing if the
/// connection began in a black hole, which it then never leaves.
struct proxied_connection {
  file_descriptor client;
  file_descriptor server;
  std::array<proxied_stream, 2> streams;
  bool broken = false;

  proxied_stream& stream(direction x) { return streams.at(static_cast<std::size_t>(x)); }

  const file_descriptor& sender(direction x) const {
    return x == direction::to_server ? client : server;
  }

  const file_descriptor& receiver(direction x) const {
    return x == direction::to_server ? server : client;
  }

  void break_off(ending how) {
    broken = true;
    end_connection(std::move(client), how);
    end_connection(std::move(server), how);
  }
};

} // namespace

struct faulty_proxy::implementation {
  implementation(const std::string& server_host, std::uint16_t server_port, network initial)
    : server(look_up(server_host, server_port)),
      reservation(reserve_port(host)),
      port(port_of(reservation)) {
    change(initial);
    thread = std::thread{[this] { run(); }};
  }

  implementation(const implementation&) = delete;
  implementation& operator=(const implementation&) = delete;

  ~implementation() {
    order([this] { stopping = true; });
    thread.join();
  }

  void order(std::function<void()> what);
  void take_orders();
  void run();
  void change(const network& to);
  void wait();
  void watch(proxied_connection& x, clock::time_point now);
  void accept_connection();
  void serve(proxied_connection& x, const pollfd& client, const pollfd& server_end);
  void forward(proxied_connection& x, direction where, bool readable);
  [[nodiscard]] bool is_lost(const proxied_connection& x) const;
  [[nodiscard]] std::uint64_t limit(const proxied_stream& stream, direction where) const;

  const std::string host = proxy_host;
  const server_address server;
  /// Connections that the process makes meanwhile must not get the port while it is closed.
  const file_descriptor reservation;
  const std::uint16_t port;

  // Of the thread alone.
  network net;
  file_descriptor listener;
  bool stopping = false;
  std::list<proxied_connection> connections;
  std::vector<pollfd> descriptors;
  clock::time_point deadline;

  mutable std::mutex accepted_mutex;
  mutable std::condition_variable another_accepted;
  std::size_t accepted = 0;
  std::array<std::atomic<std::uint64_t>, 2> bytes{};

  std::mutex mutex;
  std::vector<std::packaged_task<void()>> orders;
  wake_event wake;
  std::thread thread;
};

/// Lets the thread do something and waits until it is done.
void faulty_proxy::implementation::order(std::function<void()> what) {
  std::packaged_task<void()> task{std::move(what)};
  auto done = task.get_future();
  {
    const std::lock_guard lock{mutex};
    orders.push_back(std::move(task));
  }
  wake.notify();
  done.get();
}

void faulty_proxy::implementation::take_orders() {
  wake.clear();
  std::vector<std::packaged_task<void()>> taken;
  {
    const std::lock_guard lock{mutex};
    taken.swap(orders);
  }
  for (auto& task : taken)
    task();
}

void faulty_proxy::implementation::change(const network& to) {
  if (to.behaviour == network::mode::refuse)
    stop_listening(std::move(listener));
  else if (!listener)
    listener = listen_on(host, port);
  net = to;
  for (proxied_connection& x : connections)
    for (proxied_stream& stream : x.streams)
      stream.restart_count();
  // Connections that stand still have to feel it too.
  wake.notify();
}

void faulty_proxy::implementation::run() {
  block_signals();
  while (!stopping) {
    wait();
    auto next = descriptors.begin();
    const bool woken = next++->revents != 0;
    const bool arrival = next++->revents != 0;
    for (proxied_connection& x : connections) {
      const auto client = next++;
      serve(x, *client, *next++);
    }
    std::erase_if(connections, [](const proxied_connection& x) { return x.broken; });
    if (arrival)
      accept_connection();
    if (woken)
      take_orders();
  }
}

/// Waits until there is something to do; afterwards there are two descriptors for each connection.
void faulty_proxy::implementation::wait() {
  const auto now = clock::now();
  descriptors.assign({{wake.descriptor(), POLLIN, 0}, {listener.get(), POLLIN, 0}});
  deadline = clock::time_point::max();
  for (proxied_connection& x : connections)
    watch(x, now);
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now).count();
  constexpr std::int64_t longest = std::numeric_limits<int>::max();
  const bool bounded = deadline != clock::time_point::max();
  ::poll(descriptors.data(), descriptors.size(),
         bounded ? static_cast<int>(std::clamp<std::int64_t>(left, 0, longest)) : -1);
}

void faulty_proxy::implementation::watch(proxied_connection& x, clock::time_point now) {
  std::array<short, 2> wanted{};
  for (const direction where : directions) {
    proxied_stream& stream = x.stream(where);
    const auto from = static_cast<std::size_t>(where);
    if (net.behaviour == network::mode::half_open)
      continue;
    if (stream.has_room(now))
      wanted.at(from) |= POLLIN;
    if (stream.is_blocked())
      wanted.at(1 - from) |= POLLOUT;
    deadline = std::min(deadline, stream.next(now));
  }
  // poll(2) tells of errors even if nothing is asked; only a negative descriptor is left alone.
  const auto add = [this](const file_descriptor& socket, short what) {
    descriptors.push_back({what != 0 ? socket.get() : -1, what, 0});
  };
  add(x.client, wanted[0]);
  add(x.server, wanted[1]);
}

void faulty_proxy::implementation::accept_connection() {
  file_descriptor client = accept_from(listener);
  if (!client)
    return;
  {
    const std::lock_guard lock{accepted_mutex};
    ++accepted;
  }
  another_accepted.notify_all();
  const bool is_seen = net.behaviour != network::mode::black_hole;
  connections.push_back(
    {std::move(client), is_seen ? start_connecting(server) : file_descriptor{}, {}});
}

void faulty_proxy::implementation::serve(proxied_connection& x, const pollfd& client,
                                         const pollfd& server_end) {
  if (net.behaviour == network::mode::half_open)
    return;
  forward(x, direction::to_server, client.revents != 0);
  forward(x, direction::to_client, server_end.revents != 0);
  const bool over = !x.broken && x.stream(direction::to_server).finished()
                    && x.stream(direction::to_client).finished();
  if (over)
    x.break_off(ending::hang_up);
}

void faulty_proxy::implementation::forward(proxied_connection& x, direction where, bool readable) {
  if (x.broken)
    return;
  const auto now = clock::now();
  proxied_stream& stream = x.stream(where);
  bool is_fine = true;
  if (readable && stream.has_room(now) && x.sender(where))
    is_fine = stream.take(x.sender(where), net, now);
  if (is_lost(x))
    return stream.drop();
  if (net.damages && net.damages->where == where)
    stream.damage(net.damages->at_byte);
  const std::uint64_t before = stream.delivered();
  is_fine = is_fine && stream.deliver(x.receiver(where), now, limit(stream, where));
  bytes.at(static_cast<std::size_t>(where)) += stream.delivered() - before;
  if (!is_fine)
    x.break_off(ending::reset);
  else if (limit(stream, where) == 0)
    x.break_off(net.break_at->how);
}

/// Whether its bytes go nowhere.
bool faulty_proxy::implementation::is_lost(const proxied_connection& x) const {
  return net.behaviour == network::mode::black_hole || !x.server;
}

/// How many more bytes may go that way.
std::uint64_t faulty_proxy::implementation::limit(const proxied_stream& stream,
                                                  direction where) const {
  if (!net.break_at || net.break_at->where != where)
    return std::numeric_limits<std::uint64_t>::max();
  return net.break_at->after_bytes - std::min(net.break_at->after_bytes, stream.delivered());
}

faulty_proxy::faulty_proxy(const std::string& server_host, std::uint16_t server_port,
                           network initial)
  : implementation_(std::make_unique<implementation>(server_host, server_port, initial)) {}

faulty_proxy::~faulty_proxy() = default;

const std::string& faulty_proxy::host() const {
  return implementation_->host;
}

std::uint16_t faulty_proxy::port() const {
  return implementation_->port;
}

void faulty_proxy::change(network to) {
  implementation_->order([this, to] { implementation_->change(to); });
}

void faulty_proxy::break_connections(ending how) {
  implementation_->order([this, how] {
    for (proxied_connection& x : implementation_->connections)
      x.break_off(how);
    implementation_->connections.clear();
  });
}

std::size_t faulty_proxy::connections() const {
  const std::lock_guard lock{implementation_->accepted_mutex};
  return implementation_->accepted;
}

bool faulty_proxy::wait_for_connections(std::size_t count, std::chrono::milliseconds bound) const {
  std::unique_lock lock{implementation_->accepted_mutex};
  return implementation_->another_accepted.wait_for(
    lock, bound, [&] { return implementation_->accepted >= count; });
}

std::uint64_t faulty_proxy::bytes(direction where) const {
  return implementation_->bytes.at(static_cast<std::size_t>(where));
}

} // namespace sshexec::testing
