#include "sshexec/actors/fleet/text_fault.hpp"

#include "sshexec/actors/services/escape.hpp"

#include <algorithm>

namespace sshexec {

namespace {

constexpr std::size_t longest_excerpt = 60;

} // namespace

std::string quote(std::string_view text, std::size_t position) {
  const bool is_long = text.size() > longest_excerpt;
  const auto begin = is_long ? position - std::min(position, longest_excerpt / 2) : 0;
  const auto excerpt = text.substr(begin, longest_excerpt);
  const bool ends_early = begin + excerpt.size() < text.size();
  return (begin == 0 ? "'" : "'…") + escape_controls(excerpt) + (ends_early ? "…'" : "'");
}

std::string describe(std::string_view text, const text_fault& fault) {
  return quote(text, fault.position) + ", character " + std::to_string(fault.position + 1) + ": "
         + fault.what;
}

} // namespace sshexec
