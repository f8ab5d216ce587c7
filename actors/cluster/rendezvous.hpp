#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace sshexec {

/// Shares keys out over named nodes by rendezvous hashing (Thaler and Ravishankar, 1998): a key
/// belongs to the node whose name scores highest with it. A node that comes takes its share from
/// all others, one that goes leaves its share to all others, and no other key moves. The scores are
/// XXH64 of the key, seeded with XXH64 of the node's name, so that all processes on all platforms
/// agree.
class rendezvous {
public:
  void insert(const std::string& node);
  void erase(const std::string& node);

  /// The node that the key belongs to; null when there is no node. Valid until that node is erased.
  [[nodiscard]] const std::string* owner(std::string_view key) const;

private:
  std::map<std::string, std::uint64_t> seeds_;
};

} // namespace sshexec
