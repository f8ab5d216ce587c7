#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace sshexec::app {

/// What a configuration file holds, as CAF 0.17 can read it, and the words for what is wrong with
/// its lines. Lines count from 1.
class configuration_text {
public:
  configuration_text(std::string file, std::string content);

  /// The text with CAF's signs and units: a comment begins with ';', a line ends with '\n' alone,
  /// and there are no "5m", "1d" and "64K". Each line stays in its place.
  [[nodiscard]] std::string in_words_of_caf() const;

  /// "FILE:LINE: what, in: the line"; without the line if there is none of this number.
  [[nodiscard]] std::string complaint(std::size_t line, const std::string& what) const;

  /// What is wrong with an option that the message names. The value of an option that does not
  /// exist is not shown: it may be a password.
  [[nodiscard]] std::string complaint_about_option(const std::string& message) const;

  /// What to say of a line whose value is a text without quotes.
  [[nodiscard]] std::optional<std::string> missing_quotes(std::size_t line) const;

private:
  /// The first line that sets or opens what a message names; 0 if there is none.
  [[nodiscard]] std::size_t line_of_option_in(const std::string& message) const;
  [[nodiscard]] const std::string* find(std::size_t line) const;

  std::string file_;
  std::string content_;
  std::vector<std::string> lines_;
};

} // namespace sshexec::app
