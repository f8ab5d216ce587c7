#pragma once

#include "sshexec/ssh/hashed_name.hpp"
#include "sshexec/ssh/known_keys.hpp"

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace sshexec::ssh {

/// The lines of a known_hosts file (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT), found by the name of a
/// host. A line that cannot be parsed is skipped, as OpenSSH does.
class known_hosts_index {
public:
  known_hosts_index() = default;
  // A copy's lines would point into this one.
  known_hosts_index(known_hosts_index&&) = default;
  known_hosts_index& operator=(known_hosts_index&&) = default;
  ~known_hosts_index() = default;
  explicit known_hosts_index(std::string text);

  /// What the lines hold for a host whose name is spelled as in such a file, in lower case.
  known_keys find(const std::string& name);

  /// Takes in what was appended to the file, by whole lines.
  void append(std::string text);

private:
  /// One line: an optional marker, names, key type and key.
  struct line {
    std::string_view marker;
    std::string_view names;
    std::string_view type;
    std::string_view base64;
    /// In the file, from 1.
    std::size_t number = 0;
  };

  struct hashed_line {
    hashed_name name;
    std::size_t number = 0;
  };

  static line parse(std::string_view text);
  void add(const line& x);
  void look_among_hashed(const std::string& name);
  [[nodiscard]] std::vector<std::size_t> lines_about(const std::string& name) const;

  /// Lines point into these.
  std::list<std::string> texts_;
  std::size_t line_ends_ = 0;
  std::vector<line> lines_;
  /// Lines by the names that they spell out, and by those whose hashes were seen through.
  std::unordered_map<std::string, std::vector<std::size_t>> by_name_;
  /// Lines with patterns.
  std::vector<std::size_t> patterns_;
  /// Those whose hash no name has matched yet; each has one name.
  std::vector<hashed_line> hashed_;
  /// Names that none of these matches.
  std::unordered_set<std::string> not_hashed_;
};

} // namespace sshexec::ssh
