#pragma once

#include "sshexec/ssh/file_descriptor.hpp"
#include "sshexec/ssh/handles.hpp"
#include "sshexec/testing/gates.hpp"
#include "sshexec/testing/scripts.hpp"
#include "sshexec/testing/server_channel.hpp"
#include "sshexec/testing/server_key.hpp"
#include "sshexec/testing/server_record.hpp"
#include "sshexec/testing/wake_event.hpp"

#include <atomic>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace sshexec::testing {

/// Keys by number, each made when it is first asked for. May be called from any thread.
class key_ring {
public:
  const server_key& operator[](unsigned number);

private:
  std::mutex mutex_;
  std::map<unsigned, server_key> keys_;
};

/// What all connections of a server share.
struct server_state {
  std::function<connection_script(unsigned)> connections;
  std::function<command_script(const std::string&)> commands;
  server_key client_key = {};
  key_ring host_keys = {};
  gates open_gates = {};
  server_record record = {};
};

/// One connection, served on a thread of its own from construction to destruction. Functions may be
/// called from any thread.
class server_connection {
public:
  server_connection(ssh::file_descriptor socket, wake_event wake, unsigned number,
                    server_state& server);
  server_connection(const server_connection&) = delete;
  server_connection& operator=(const server_connection&) = delete;
  ~server_connection();

  /// Makes the connection end without waiting for that.
  void stop();

  /// Breaks the connection wherever it is.
  void break_off(step::break_connection how);

  /// Makes the thread look at the gates again.
  void wake() const { wake_.notify(); }

  /// The connection is gone.
  [[nodiscard]] bool finished() const { return finished_; }

private:
  void run();
  void serve();
  void greet();
  void send_text(const std::string& text) const;
  void start_session();
  void reach(phase which);
  [[nodiscard]] bool is_alive() const;
  [[nodiscard]] bool may_write() const;

  void await();
  void take_orders();
  void pump();
  [[nodiscard]] bool has_news() const;
  bool exchange_keys();
  void receive();
  void handle(message_handle message);
  void authenticate(ssh_message request);
  void check_key(ssh_message request);
  void check_password(ssh_message request);
  void check_answer(ssh_message request);
  void ask(ssh_message request, const prompt& question);
  void accept_proof(ssh_message request);
  void refuse_proof(ssh_message request);
  void refuse_password(ssh_message request);
  void open_channel(ssh_message request);
  void handle_channel_request(message_handle request);
  [[nodiscard]] bool accepts(ssh_key key) const;
  void remove_closed_channels();

  void carry_out(const step::break_connection& how);
  void disconnect(const std::string& message);
  void linger(const ssh::file_descriptor& socket) const;
  void hold();
  void flush();
  ssh::file_descriptor take_socket();

  server_state& server_;
  const unsigned number_;
  connection_context context_;
  connection_script script_;
  ssh::file_descriptor socket_;
  ssh::session_handle session_;
  bool keys_exchanged_ = false;
  unsigned channels_opened_ = 0;
  unsigned keys_refused_ = 0;
  std::size_t prompts_answered_ = 0;
  std::list<server_channel> channels_;

  wake_event wake_;
  std::mutex order_mutex_;
  std::optional<step::break_connection> order_;
  std::atomic<bool> stopping_ = false;
  std::atomic<bool> finished_ = false;
  std::thread thread_;
};

} // namespace sshexec::testing
