#include "sshexec/actors/fleet/start_order.hpp"

#include <functional>
#include <random>
#include <string>
#include <unordered_set>
#include <utility>

namespace sshexec {

namespace {

struct hash_of_machine {
  std::size_t operator()(const machine* x) const {
    std::size_t result = x->port;
    for (const std::string* text : {&x->id, &x->hostname, &x->username, &x->identity_file})
      result = result * 31 + std::hash<std::string>{}(*text);
    return result;
  }
};

struct same_machine {
  bool operator()(const machine* a, const machine* b) const { return *a == *b; }
};

/// `std::shuffle` gives another order with another standard library.
void shuffle(std::vector<std::size_t>& places, std::uint64_t seed) {
  std::mt19937_64 random{seed};
  for (std::size_t left = places.size(); left > 1; --left)
    std::swap(places[left - 1], places[random() % left]);
}

} // namespace

std::vector<std::size_t> start_order(const std::vector<machine>& machines,
                                     caf::optional<std::uint64_t> seed) {
  std::vector<std::size_t> result;
  result.reserve(machines.size());
  std::unordered_set<const machine*, hash_of_machine, same_machine> seen;
  seen.reserve(machines.size());
  for (std::size_t place = 0; place < machines.size(); ++place) {
    if (seen.insert(&machines[place]).second)
      result.push_back(place);
  }
  if (seed)
    shuffle(result, *seed);
  return result;
}

} // namespace sshexec
