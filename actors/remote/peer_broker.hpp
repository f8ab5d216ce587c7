#pragma once

#include <caf/io/basp_broker.hpp>

namespace sshexec {

/// CAF's broker of the networking protocol, with another way to forget connections.
///
/// CAF forgets one some time after its socket was closed, when the number of that socket may be
/// another connection's already, whose peer then gets no answers. Here that happens at once. It is
/// meant for `middleman.workers` 0: with workers, messages that came over a connection could be
/// delivered after its end was told.
class peer_broker : public caf::io::basp_broker {
public:
  using basp_broker::basp_broker;

  caf::behavior make_behavior() override;

  /// CAF keeps an actor of about 1.4 kB for every peer that ever came.
  void purge_state(const caf::node_id& node) override;

private:
  /// A peer that selects a connection (`select_connection_flag`) has no other one left. CAF takes
  /// one that is still open here for another route, so that what the peer had begun over it would
  /// go on until the connection timeout, or for good. So all of them are closed, which ends what
  /// was begun, and the peer comes again. It must not be let in at once: CAF forgets the peer's
  /// actors in two steps, and would take those that the new connection brings for the old ones.
  void refuse_second_connection(caf::io::connection_handle chosen);
  /// Whether a peer passes on a message in the name of this node, or of one that has a connection
  /// of its own to it. CAF would take an actor of theirs for its sender.
  bool is_forged(const caf::io::new_data_msg& message);
  void refuse(caf::io::connection_handle whom);

  caf::behavior inherited_;
};

} // namespace sshexec
