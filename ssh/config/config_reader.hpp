#pragma once

#include "sshexec/ssh/config/config_draft.hpp"
#include "sshexec/ssh/config/config_files.hpp"
#include "sshexec/ssh/config/config_line.hpp"
#include "sshexec/ssh/config/environment.hpp"
#include "sshexec/ssh/config/match_rule.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace sshexec::ssh {

/// A file in which a configuration begins.
struct config_source {
  std::string path;
  /// Whether it is the user's, from which `~` and ~/.ssh are meant; else /etc/ssh.
  bool is_users = true;
  /// Whether it is refused if others than root and the user may write to it. What it includes
  /// always is.
  bool must_be_safe = true;
  bool must_exist = false;
};

/// What all files of a configuration may come to, in one resolution.
struct config_limits {
  std::size_t files = 2'000;
  std::size_t lines = 200'000;
  std::size_t bytes = std::size_t{16} << 20;
  /// Of files that include each other, as ssh has it.
  int depth = 16;
};

/// Which host lines are asked about.
struct config_subject {
  std::string host;
  /// As it was given.
  std::string original_host;
  /// Whether all lines were read once, and the name is final.
  bool is_final = false;
};

/// Reads files, with what they include, and takes in what is in force for a host.
class config_reader {
public:
  /// `usual_user` is who it is where no line says more.
  config_reader(config_draft& draft, std::string usual_user, const config_environment& environment,
                config_files& files, const config_limits& limits);

  /// One option of a command line, always in force.
  config_result<void> take_option(const std::string& text);

  /// One file of a configuration.
  config_result<void> read(const config_source& source, const config_subject& subject);

  /// Whether a "Match final" was met.
  [[nodiscard]] bool wants_final_pass() const { return wants_final_pass_; }

private:
  /// A file while it is read.
  struct open_file {
    bool is_users = true;
    /// Whether the Include that led here was in force.
    bool can_match = true;
    /// Whether the next line is.
    bool is_in_force = true;
    int depth = 0;
  };

  config_result<void> count(const parsed_config& file, const config_place& place);
  config_result<void> take_lines(const parsed_config& file, open_file state);
  config_result<void> take(const checked_line& x, open_file& state);
  config_result<void> take_value(const checked_line& x);
  config_result<void> take_host(const config_line& line, open_file& state);
  config_result<void> take_match(const config_line& line, open_file& state);
  config_result<void> include(const config_line& line, const open_file& state);
  config_result<void> include_file(const std::string& path, const config_line& line,
                                   const open_file& state);
  [[nodiscard]] value_result<std::string> anchor(const std::string& path, bool is_users) const;
  [[nodiscard]] bool ignores(const std::string& keyword) const;
  value_result<bool> holds(const std::vector<match_criterion>& criteria);
  value_result<bool> holds(const match_criterion& criterion, const std::string& host);
  value_result<bool> succeeds(const std::string& line, const std::string& host);
  [[nodiscard]] value_result<std::string> matched_host() const;

  config_draft& draft_;
  std::string usual_user_;
  const config_environment& environment_;
  config_files& files_;
  config_limits left_;
  config_subject subject_;
  bool wants_final_pass_ = false;
};

} // namespace sshexec::ssh
