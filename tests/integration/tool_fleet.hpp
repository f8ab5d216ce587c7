#pragma once

#include "sshexec/testing/loopback.hpp"
#include "tool.hpp"

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace sshexec::test {

/// The tool with an inventory of several machines, all of which are one server, and of one that
/// refuses connections.
struct tool_fleet : tool {
  tool_fleet() {
    std::ofstream{file("hosts")} << "[web]\nweb-[1-3] ansible_host=" << server.host()
                                 << " ansible_port=" << server.port()
                                 << " ansible_user=" << server.user()
                                 << "\n[down]\ndown-1 ansible_host=" << server.host()
                                 << " ansible_port=" << testing::port_of(refusing) << '\n';
  }

  testing::file_descriptor refusing = testing::reserve_port("127.0.0.1");

  /// Targets are among the options.
  [[nodiscard]] std::string arguments_of_many(const std::string& options,
                                              const std::string& line) const {
    return " run --known-hosts " + file("known_hosts") + " -i " + server.identity_file()
           + " --retries 0 --inventory " + file("hosts") + ' ' + options + " -- '" + line + '\'';
  }

  [[nodiscard]] finished run_many(const std::string& options, const std::string& line) const {
    return shell("$tool" + arguments_of_many(options, line));
  }

  [[nodiscard]] running_tool start_many(const std::string& options, const std::string& line) const {
    return running_tool{SSHEXEC_TOOL + arguments_of_many(options, line)};
  }
};

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> result;
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);)
    result.push_back(line);
  return result;
}

inline bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace sshexec::test
