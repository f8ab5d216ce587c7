#pragma once

#include "sshexec/messages/machine.hpp"

#include <caf/meta/type_name.hpp>
#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include <cstdint>
#include <string>

namespace sshexec {

enum class output_stream : std::uint8_t { stdout_stream, stderr_stream };

std::string to_string(output_stream x);

/// Some bytes of a command's output, in the order in which they arrived on their stream.
struct output_chunk {
  /// As in the request; a user that it left empty may be filled in.
  sshexec::machine machine;
  /// The id of the request, given or made.
  std::string command_id;
  output_stream stream = output_stream::stdout_stream;
  /// Counts from 1. A command that is run again begins its output anew.
  std::uint32_t attempt = 0;
  std::string data;
  /// The end of this stream: the command ran to its end, and `data` is empty. A command that is
  /// answered with an error may have none.
  bool end = false;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, output_chunk& x) {
  return f(caf::meta::type_name("output_chunk"), x.machine, x.command_id, x.stream, x.attempt,
           x.data, x.end);
}

bool operator==(const output_chunk& a, const output_chunk& b);

/// Takes a command's output as it comes. Each chunk is a request: while too much of the output is
/// unanswered no more is read, so a slow consumer slows the remote command down instead of filling
/// memory. The last chunk is answered before the command is. A consumer that ends or answers with
/// an error gets no more; the command goes on. It may run on a thread that watches sockets: one
/// that blocks is to be spawned with `caf::detached`.
using output_consumer = caf::typed_actor<caf::reacts_to<output_chunk>>;

} // namespace sshexec
