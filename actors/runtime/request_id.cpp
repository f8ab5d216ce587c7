#include "sshexec/actors/runtime/request_id.hpp"

#include <atomic>
#include <cstdint>
#include <random>

namespace sshexec {

namespace {

/// What made ids begin with.
constexpr char mark = '#';

/// Tells the ids of one process from those of others.
std::uint64_t random_number() {
  constexpr std::uint64_t most = (std::uint64_t{1} << 48) - 1;
  std::random_device source;
  return std::uniform_int_distribution<std::uint64_t>{0, most}(source);
}

} // namespace

std::string make_request_id() {
  static const std::string beginning = mark + std::to_string(random_number()) + '-';
  static std::atomic<std::uint64_t> count = 0;
  return beginning + std::to_string(++count);
}

meant_ids::meant_ids(const std::string& name)
  : first_(name.empty() ? std::string{mark} : name), any_made_(name.empty()) {}

bool meant_ids::contains(const std::string& id) const {
  return any_made_ ? id.starts_with(mark) : id == first_;
}

} // namespace sshexec
