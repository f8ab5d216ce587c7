#include "sshexec/messages/output_chunk.hpp"

#include <tuple>

namespace sshexec {

namespace {

auto fields(const output_chunk& x) {
  return std::tie(x.machine, x.command_id, x.stream, x.attempt, x.data, x.end);
}

} // namespace

std::string to_string(output_stream x) {
  return x == output_stream::stderr_stream ? "stderr" : "stdout";
}

bool operator==(const output_chunk& a, const output_chunk& b) {
  return fields(a) == fields(b);
}

} // namespace sshexec
