#include "sshexec/actors/cluster/rendezvous.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace sshexec {

void rendezvous::insert(const std::string& node) {
  seeds_.emplace(node, XXH64(node.data(), node.size(), 0));
}

void rendezvous::erase(const std::string& node) {
  seeds_.erase(node);
}

const std::string* rendezvous::owner(std::string_view key) const {
  const std::string* best = nullptr;
  std::uint64_t best_score = 0;
  for (const auto& [node, seed] : seeds_) {
    const std::uint64_t score = XXH64(key.data(), key.size(), seed);
    if (best == nullptr || score > best_score) {
      best = &node;
      best_score = score;
    }
  }
  return best;
}

} // namespace sshexec
