#include "sshexec/actors/fleet/expand_line.hpp"

#include <cstddef>

namespace sshexec {

namespace {

constexpr const char* tokens = "hupn%";

/// Of a machine that names none.
constexpr std::uint16_t usual_port = 22;

std::string replacement_of(char token, const machine& target, std::uint64_t number) {
  switch (token) {
    case 'h':
      return target.hostname;
    case 'u':
      return target.username;
    case 'p':
      return std::to_string(target.port == 0 ? usual_port : target.port);
    case 'n':
      return std::to_string(number);
    default:
      return "%";
  }
}

} // namespace

std::optional<std::string> complaint_about_tokens(const std::string& line) {
  for (auto i = line.find('%'); i != std::string::npos; i = line.find('%', i + 2)) {
    const std::string token = line.substr(i, 2);
    if (token.size() < 2 || std::string{tokens}.find(token[1]) == std::string::npos)
      return "'" + token + "' at character " + std::to_string(i + 1)
             + " of the command is none of %h %u %p %n %%";
  }
  return std::nullopt;
}

std::string expand_line(const std::string& line, const machine& target, std::uint64_t number) {
  std::string result;
  std::size_t begin = 0;
  for (auto i = line.find('%'); i != std::string::npos; i = line.find('%', begin)) {
    result.append(line, begin, i - begin);
    result += replacement_of(line.at(i + 1), target, number);
    begin = i + 2;
  }
  return result.append(line, begin);
}

} // namespace sshexec
