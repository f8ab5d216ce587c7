#include "sshexec/actors/remote/wire/tls_front.hpp"

#include "sshexec/ssh/address.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

namespace sshexec {

namespace {

/// Before the next accept when the process or the system has no descriptors left.
constexpr std::chrono::milliseconds accept_pause{100};

/// Accepts in a row before others have their turn.
constexpr int accepts_per_turn = 64;

} // namespace

tls_front::tls_front(ssh::file_descriptor listener, live_tls tls, int stop, options wanted,
                     admit_function admit)
  : listener_(std::move(listener)),
    tls_(std::move(tls)),
    stop_(stop),
    options_(std::move(wanted)),
    admit_(std::move(admit)) {}

void tls_front::run() {
  block_broken_pipe_signal();
  while (!is_done()) {
    wait();
    if (stopped_)
      stop_admitting();
    if (accepting_)
      accept_all();
    if (tls_.look(clock::now()))
      look_at_peers_again();
    advance_handshakes();
    advance_tunnels();
  }
}

bool tls_front::is_done() const {
  return stopped_ && !listener_
         && (flows_.empty() || clock::now() >= last_progress_ + drain_patience
             || clock::now() >= stopped_at_ + longest_drain);
}

void tls_front::stop_admitting() {
  if (!listener_)
    return;
  listener_ = {};
  accepting_ = false;
  newcomers_.clear();
  last_progress_ = clock::now();
  stopped_at_ = last_progress_;
}

void tls_front::wait() {
  accepting_ = listener_ && (accepting_ || clock::now() >= accept_again_);
  std::vector<pollfd> events{{stopped_ ? -1 : stop_, POLLIN, 0},
                             {accepting_ ? listener_.get() : -1, POLLIN, 0}};
  for (const newcomer& peer : newcomers_)
    events.push_back({peer.stream.socket(), peer.wanted, 0});
  for (const flow& each : flows_) {
    const auto both = each.tunnel.events();
    events.insert(events.end(), both.begin(), both.end());
  }
  ::poll(events.data(), events.size(), timeout());
  stopped_ = stopped_ || events.front().revents != 0;
  // Only those with news are advanced: a silent peer costs its place in the list, nothing else.
  std::size_t next = 2;
  for (newcomer& peer : newcomers_)
    peer.has_news = events[next++].revents != 0;
  for (flow& each : flows_) {
    each.has_news = events[next].revents != 0 || events[next + 1].revents != 0;
    next += 2;
  }
}

int tls_front::timeout() const {
  std::optional<clock::time_point> first;
  const auto consider
    = [&first](clock::time_point when) { first = first ? std::min(*first, when) : when; };
  if (stopped_)
    consider(last_progress_ + drain_patience);
  else if (!accepting_)
    consider(accept_again_);
  consider(tls_.next_look());
  if (!newcomers_.empty())
    consider(newcomers_.front().deadline);
  for (const flow& each : flows_) {
    if (each.busy)
      return 0;
    if (const auto deadline = each.tunnel.deadline())
      consider(*deadline);
  }
  if (!first)
    return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*first - clock::now());
  return static_cast<int>(std::max<std::chrono::milliseconds::rep>(left.count(), 0));
}

void tls_front::accept_all() {
  for (int i = 0; i < accepts_per_turn; ++i) {
    ssh::address peer;
    peer.length = sizeof(peer.storage);
    ssh::file_descriptor socket{::accept4(listener_.get(),
                                          reinterpret_cast<sockaddr*>(&peer.storage), &peer.length,
                                          SOCK_NONBLOCK | SOCK_CLOEXEC)};
    if (!socket && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
      accepting_ = false;
      accept_again_ = clock::now() + accept_pause;
    }
    if (!socket)
      return;
    const int yes = 1;
    ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    ::setsockopt(socket.get(), SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof(yes));
    newcomers_.push_back({tls_stream{tls_.context(), std::move(socket), tls_role::server},
                          ssh::to_string(peer), clock::now() + options_.handshake_timeout});
    if (newcomers_.size() > options_.max_handshakes) {
      refuse(newcomers_.front().address, "too many handshakes at once");
      newcomers_.pop_front();
    }
  }
}

void tls_front::advance_handshakes() {
  const auto now = clock::now();
  for (auto peer = newcomers_.begin(); peer != newcomers_.end();) {
    const bool due = now >= peer->deadline;
    if (due)
      refuse(peer->address, "no TLS handshake in time");
    const bool over = due || (peer->has_news && advance(*peer));
    peer = over ? newcomers_.erase(peer) : std::next(peer);
  }
}

bool tls_front::advance(newcomer& peer) {
  switch (peer.stream.handshake()) {
    case tls_stream::status::want_read:
      peer.wanted = POLLIN;
      return false;
    case tls_stream::status::want_write:
      peer.wanted = POLLOUT;
      return false;
    case tls_stream::status::done:
      admit(peer);
      return true;
    default:
      refuse(peer.address, peer.stream.reason());
      return true;
  }
}

void tls_front::admit(newcomer& peer) {
  // Its handshake may have begun by other rules.
  if (const auto objection = peer.stream.objection(tls_.context()))
    return refuse(peer.address, *objection);
  auto [inside, outside] = ssh::make_socket_pair();
  if (!inside)
    return refuse(peer.address, "no descriptors left");
  flows_.push_back({tls_tunnel{std::move(peer.stream), std::move(inside)}, peer.address});
  stopped_ = !admit_(std::move(outside)) || stopped_;
}

void tls_front::refuse(const std::string& address, const std::string& reason) const {
  if (options_.on_refused)
    options_.on_refused(address + ": " + reason);
}

void tls_front::look_at_peers_again() {
  for (auto each = flows_.begin(); each != flows_.end();) {
    const auto objection = each->tunnel.secure().objection(tls_.context());
    if (objection)
      refuse(each->address, *objection);
    each = objection ? flows_.erase(each) : std::next(each);
  }
}

void tls_front::advance_tunnels() {
  const auto now = clock::now();
  for (auto each = flows_.begin(); each != flows_.end();) {
    const auto deadline = each->tunnel.deadline();
    const bool due = each->busy || each->has_news || (deadline && now >= *deadline);
    const auto sent = each->tunnel.bytes_sent();
    const auto made = due ? each->tunnel.advance() : tls_tunnel::progress::waiting;
    if (each->tunnel.bytes_sent() != sent)
      last_progress_ = now;
    each->busy = made == tls_tunnel::progress::busy;
    each = made == tls_tunnel::progress::ended ? flows_.erase(each) : std::next(each);
  }
}

} // namespace sshexec
