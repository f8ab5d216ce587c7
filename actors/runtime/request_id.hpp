#pragma once

#include <string>

namespace sshexec {

/// The id of a request that came without one. No other request has it, of this process or of
/// another. May be called from any thread.
std::string make_request_id();

/// What a caller means by the name of a request: one that he gave it, or by the empty name all that
/// he gave none. In the order of ids, those that are meant stand together.
class meant_ids {
public:
  explicit meant_ids(const std::string& name);

  /// No id that is meant stands before it.
  [[nodiscard]] const std::string& first() const { return first_; }

  [[nodiscard]] bool contains(const std::string& id) const;

private:
  std::string first_;
  bool any_made_;
};

} // namespace sshexec
