#pragma once

#include "sshexec/actors/fleet/text_fault.hpp"

#include <tl/expected.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sshexec {

/// "01-20/2": from first to last in steps, in at least so many digits.
struct number_range {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::uint64_t step = 1;
  std::size_t width = 0;

  [[nodiscard]] std::uint64_t count() const { return (last - first) / step + 1; }
};

/// Names that differ in the numbers in brackets, such as "user@web-[01-20,30]:2222".
class name_pattern {
public:
  /// Reads a text without blanks and operators outside of its brackets. A bracket that holds an
  /// IPv6 address stays as it is.
  static tl::expected<name_pattern, text_fault> parse(std::string_view text);

  /// How many names it has, repetitions included; the largest number if they are more.
  [[nodiscard]] std::uint64_t count() const;

  /// Calls back with each name, the last bracket's numbers fastest.
  void for_each(const std::function<void(const std::string& name)>& act) const;

private:
  using numbers = std::vector<number_range>;

  void add_text(std::string_view text);
  tl::expected<void, text_fault> add_bracket(std::string_view inside);
  void append_from(std::size_t part, std::string& name,
                   const std::function<void(const std::string& name)>& act) const;

  std::vector<std::variant<std::string, numbers>> parts_;
  std::size_t longest_name_ = 0;
};

} // namespace sshexec
