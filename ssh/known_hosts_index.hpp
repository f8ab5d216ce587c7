#pragma once

#include "sshexec/ssh/hashed_name.hpp"
#include "sshexec/ssh/host_key.hpp"

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace sshexec::ssh {

/// What is on record for a host.
struct known_keys {
  std::vector<host_key> trusted;
  /// Keys of "@revoked" lines; never to be accepted.
  std::vector<host_key> revoked;
  /// For a host at an unusual port, without trusted keys of its own: those of the host's usual
  /// port. As for ssh(1), the server may show one of these, and one that shows another is unknown.
  std::vector<host_key> at_usual_port = {};
};

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
