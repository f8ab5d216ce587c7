#include "caller.hpp"
#include "cut_off.hpp"
#include "nodes.hpp"
#include "served.hpp"
#include "sshexec/actors/remote/wire/sockets.hpp"

#include <boost/test/unit_test.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/io/basp_broker.hpp>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <vector>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;

namespace {

#ifdef __SANITIZE_THREAD__
// A message that passes through CAF costs it tens of milliseconds.
constexpr int clients_at_once = 10;
constexpr int rounds = 4;
#else
constexpr int clients_at_once = 50;
constexpr int rounds = 20;
#endif

namespace basp = caf::io::basp;
using host_id = caf::node_id::default_data::host_id_type;

/// What the id of a new node is made of, without the byte by which CAF tells the nodes of a
/// process.
host_id host_of_new_node() {
  network_config config;
  const caf::actor_system system{config};
  host_id result = static_cast<const caf::node_id::default_data&>(*system.node()).host_id();
  result.back() = 0;
  return result;
}

/// Speaks as much of CAF's protocol as it takes to become known.
class bare_peer {
public:
  bare_peer(hub_node& hub, std::uint8_t number) : node(caf::make_node_id(1, host_id{1, number})) {
    auto connected = connect_to({"127.0.0.1", hub.port}, {std::chrono::steady_clock::now() + 60s});
    BOOST_REQUIRE(connected);
    socket_ = std::move(*connected);
    send(hub, basp::message_type::client_handshake, caf::invalid_actor_id, node);
  }

  /// The parts are the payload, from this actor to one that cannot be there.
  template <class... Parts>
  void send(hub_node& hub, basp::message_type type, caf::actor_id source, const Parts&... parts) {
    constexpr caf::actor_id nobody = 1'000'000;
    std::vector<char> payload;
    caf::binary_serializer{hub.system, payload}(parts...);
    std::vector<char> message;
    caf::binary_serializer{hub.system, message}(
      basp::header{type, 0, static_cast<std::uint32_t>(payload.size()), 0, source,
                   type == basp::message_type::client_handshake ? caf::invalid_actor_id : nobody});
    message.insert(message.end(), payload.begin(), payload.end());
    BOOST_REQUIRE(::send(socket_.get(), message.data(), message.size(), MSG_NOSIGNAL)
                  == static_cast<ssize_t>(message.size()));
  }

  /// Whether the hub hangs up before it is silent for so long.
  bool is_sent_away(std::chrono::milliseconds patience) {
    for (;;) {
      pollfd waiting{socket_.get(), POLLIN, 0};
      if (::poll(&waiting, 1, static_cast<int>(patience.count())) != 1)
        return false;
      std::array<char, 4096> buffer{};
      if (::recv(socket_.get(), buffer.data(), buffer.size(), 0) <= 0)
        return true;
    }
  }

  const caf::node_id node;

private:
  ssh::file_descriptor socket_;
};

/// How many actors the hub keeps for peers.
std::size_t actors_for_peers(hub_node& hub) {
  auto& middleman = hub.system.middleman();
  const auto broker = caf::actor_cast<caf::strong_actor_ptr>(
    middleman.named_broker<caf::io::basp_broker>(caf::atom("BASP")));
  std::promise<std::size_t> answer;
  middleman.run_later([&] {
    answer.set_value(static_cast<caf::io::basp_broker*>(broker->get())->spawn_servers.size());
  });
  return answer.get_future().get();
}

/// Asks until the hub keeps so many of them.
bool comes_to_keep(hub_node& hub, std::size_t wanted) {
  caf::scoped_actor self{hub.system};
  for (const auto end = std::chrono::steady_clock::now() + 60s;
       std::chrono::steady_clock::now() < end;) {
    if (actors_for_peers(hub) == wanted)
      return true;
    self->receive(caf::after(10ms) >> [] {});
  }
  return false;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(peers, stage)

BOOST_AUTO_TEST_CASE(have_another_id_at_each_start) {
  const host_id one = host_of_new_node();
  const host_id other = host_of_new_node();
  BOOST_TEST((one != other));
}

BOOST_AUTO_TEST_CASE(in_process_namespaces_of_their_own_get_their_own_answers) {
  // LeakSanitizer looks its threads up in /proc, where they have other numbers.
  const std::string apart = "LSAN_OPTIONS=detect_leaks=0 unshare -p -f ";
  if (testing::run_program({"/bin/sh", "-c", apart + "true 2> /dev/null"}) != 0) {
    BOOST_TEST_MESSAGE("this user may not make process namespaces");
    return;
  }
  const std::string configuration = directory.path() / "sshexec.conf";
  std::ofstream{configuration} << "sshexec { host-key-policy = \"off\" }\n";
  const served hub{{"--plain", "--journal", "none", "--config", configuration}};
  const auto run = [&](int number) {
    const std::string text = "client " + std::to_string(number);
    return apart + SSHEXEC_TOOL + " run --hub-plain --hub " + hub.address() + " -i "
           + target.identity_file + ' ' + to_address(target) + " -- 'sleep 0.3; echo " + text
           + "' | grep -qx '" + text + '\'';
  };
  std::string script;
  for (int i = 0; i < 8; ++i)
    script += run(i) + " & p" + std::to_string(i) + "=$!; ";
  script += "s=0; ";
  for (int i = 0; i < 8; ++i)
    script += "wait $p" + std::to_string(i) + " || s=1; ";
  BOOST_TEST(testing::run_program({"/bin/sh", "-c", script + "exit $s"}) == 0);
}

// A hub's own actor as the sender would open what is for this process alone.
BOOST_AUTO_TEST_CASE(that_speak_in_another_nodes_name_are_sent_away) {
  hub_node hub{directory, in_the_clear()};
  client_node client{plainly_to(hub)};
  BOOST_TEST(client.run(target, "true").outcome.operator bool());
  const std::vector<caf::strong_actor_ptr> no_stages;
  bare_peer honest{hub, 1};
  const auto send_routed = [&](bare_peer& peer, const caf::node_id& source) {
    peer.send(hub, basp::message_type::routed_message, 5, source, hub.system.node(), no_stages,
              caf::make_message(1));
  };
  // In its own name, and in that of a node that is known by it alone.
  send_routed(honest, honest.node);
  send_routed(honest, caf::make_node_id(1, host_id{1, 9}));
  for (const caf::node_id& source : {hub.system.node(), honest.node}) {
    bare_peer forger{hub, 2};
    send_routed(forger, source);
    BOOST_TEST(forger.is_sent_away(60s));
  }
  BOOST_TEST(!honest.is_sent_away(0s));
  BOOST_TEST(client.run(target, "true").outcome.operator bool());
}

BOOST_AUTO_TEST_CASE(that_left_are_forgotten) {
  hub_node hub{directory, in_the_clear()};
  std::vector<std::unique_ptr<bare_peer>> present;
  for (std::uint8_t i = 0; i < 20; ++i)
    present.push_back(std::make_unique<bare_peer>(hub, i));
  BOOST_TEST(comes_to_keep(hub, 20));
  present.clear();
  BOOST_TEST(comes_to_keep(hub, 0));
}

BOOST_AUTO_TEST_CASE(that_come_back_before_their_loss_was_noticed_have_nothing_old_running) {
  hub_node hub{directory, in_the_clear()};
  const cut_off_proxy proxy{hub.port};
  connect_settings through_proxy = plainly_to(hub);
  through_proxy.hub.port = proxy.port();
  client_node client{through_proxy};
  caller waiting{client, target, make_command("sleep 1000")};
  BOOST_REQUIRE(server.wait_for(testing::event::exec_requested, 1, 60s));
  proxy.lose_clients();
  BOOST_TEST(waiting.wait().failed_with(error_code::connection_error));
  BOOST_TEST(client.run_until_it_works(target, "true"));
  // The short command's, and that of the lost one.
  BOOST_TEST(server.wait_for(testing::event::channel_closed, 2, 20s));
  BOOST_TEST(client.run_until_it_works(target, "true"));
}

BOOST_AUTO_TEST_CASE(may_have_two_links_to_one_hub) {
  hub_node hub{directory, in_the_clear()};
  client_node client{plainly_to(hub)};
  caller waiting{client, target, make_command("sleep 1000", "long")};
  BOOST_REQUIRE(server.wait_for(testing::event::exec_requested, 1, 60s));
  const auto second = connect_executor(client.system, plainly_to(hub));
  BOOST_REQUIRE(second);
  BOOST_TEST(bool{ask(client.system, *second, target, make_command("true")).outcome});
  waiting.cancel();
  BOOST_TEST(waiting.wait().failed_with(error_code::cancelled));
  caf::anon_send_exit(*second, caf::exit_reason::user_shutdown);
}

BOOST_AUTO_TEST_CASE(that_come_and_go_at_once_are_all_answered) {
  hub_node hub{directory, in_the_clear()};
  const auto come_and_go = [&] {
    std::vector<std::string> failures;
    for (int round = 0; round < rounds; ++round) {
      client_node client{plainly_to(hub)};
      caf::scoped_actor self{client.system};
      self->request(client.executor, caf::infinite, status_atom_v)
        .receive([](const executor_status&) {},
                 [&](const caf::error& reason) { failures.push_back(to_failure(reason).message); });
    }
    return failures;
  };
  std::vector<std::future<std::vector<std::string>>> clients;
  for (int i = 0; i < clients_at_once; ++i)
    clients.push_back(std::async(std::launch::async, come_and_go));
  for (auto& client : clients) {
    for (const std::string& failure : client.get())
      BOOST_ERROR(failure);
  }
}

BOOST_AUTO_TEST_CASE(open_no_port_of_CAFs_own) {
  network_config system_config;
  system_config.set("middleman.enable-automatic-connections", true);
  caf::actor_system system{system_config};
  const auto refused = check_networking(system);
  BOOST_TEST(is(refused, error_code::configuration_error));
  BOOST_TEST(to_failure(refused).message.find("enable-automatic-connections") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(whose_networking_was_loaded_by_other_means_are_refused) {
  network_config system_config;
  system_config.load<caf::io::middleman>();
  caf::actor_system system{system_config};
  const auto refused = check_networking(system);
  BOOST_TEST(is(refused, error_code::configuration_error));
  BOOST_TEST(to_failure(refused).message.find("configure_networking") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
