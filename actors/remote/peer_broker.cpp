#include "sshexec/actors/remote/peer_broker.hpp"

#include <caf/binary_deserializer.hpp>
#include <caf/message_handler.hpp>
#include <caf/send.hpp>

#include <vector>

namespace sshexec {

namespace basp = caf::io::basp;

caf::behavior peer_broker::make_behavior() {
  inherited_ = basp_broker::make_behavior();
  const caf::message_handler added{
    [this](const caf::io::new_data_msg& message) {
      const auto handle = message.handle;
      if (is_forged(message))
        return refuse(handle);
      inherited_(current_mailbox_element()->content());
      refuse_second_connection(handle);
    },
    [this](const caf::io::connection_closed_msg& message) {
      connection_cleanup(message.handle, caf::sec::none);
    },
  };
  return added.or_else(inherited_);
}

void peer_broker::purge_state(const caf::node_id& node) {
  basp_broker::purge_state(node);
  const auto server = spawn_servers.find(node);
  if (server == spawn_servers.end())
    return;
  caf::anon_send_exit(server->second, caf::exit_reason::kill);
  spawn_servers.erase(server);
}

void peer_broker::refuse_second_connection(caf::io::connection_handle chosen) {
  const auto context = ctx.find(chosen);
  if (context == ctx.end() || context->second.cstate != basp::await_header)
    return;
  const basp::header& last = context->second.hdr;
  if (last.operation != basp::message_type::client_handshake
      || !last.has(basp::header::select_connection_flag))
    return;
  const caf::node_id peer = instance.tbl().lookup_direct(chosen);
  std::vector<caf::io::connection_handle> all;
  for (const auto& [handle, node] : instance.tbl().direct_by_hdl_) {
    if (node == peer)
      all.push_back(handle);
  }
  if (all.size() == 1)
    return;
  for (const auto& handle : all)
    refuse(handle);
}

bool peer_broker::is_forged(const caf::io::new_data_msg& message) {
  const auto context = ctx.find(message.handle);
  if (context == ctx.end() || context->second.cstate != basp::await_payload
      || context->second.hdr.operation != basp::message_type::routed_message)
    return false;
  caf::node_id source;
  caf::binary_deserializer payload{system(), message.buf};
  // What cannot be read ends the connection anyway.
  if (payload(source) || !source)
    return false;
  const auto own_connection = instance.tbl().lookup_direct(source);
  return source == system().node() || (own_connection && *own_connection != message.handle);
}

void peer_broker::refuse(caf::io::connection_handle whom) {
  connection_cleanup(whom, caf::sec::none);
  close(whom);
}

} // namespace sshexec
