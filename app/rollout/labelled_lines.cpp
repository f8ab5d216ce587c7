#include "sshexec/app/rollout/labelled_lines.hpp"

#include <algorithm>

namespace sshexec::app {

std::string labelled_lines::take(std::string_view data) {
  std::string lines;
  while (!data.empty()) {
    const auto wanted = std::min(data.find('\n'), data.size());
    const auto length = std::min(wanted, longest - begun_.size());
    begun_ += data.substr(0, length);
    data.remove_prefix(length);
    if (data.empty())
      break;
    if (data.front() == '\n')
      data.remove_prefix(1);
    end_line(lines);
  }
  return lines;
}

std::string labelled_lines::finish() {
  std::string lines;
  if (!begun_.empty())
    end_line(lines);
  return lines;
}

void labelled_lines::end_line(std::string& lines) {
  lines += label_;
  lines += begun_;
  lines += '\n';
  begun_.clear();
}

} // namespace sshexec::app
