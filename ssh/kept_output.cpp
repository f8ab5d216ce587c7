#include "sshexec/ssh/kept_output.hpp"

#include <algorithm>
#include <utility>

namespace sshexec::ssh {

void kept_output::add(std::string_view data) {
  const std::uint64_t room = cap_ - kept_.size();
  const auto fitting = static_cast<std::size_t>(std::min<std::uint64_t>(room, data.size()));
  if (fitting > 0) {
    reserve(kept_.size() + fitting);
    kept_ += data.substr(0, fitting);
    bytes_ += fitting;
    data.remove_prefix(fitting);
  }
  const std::uint64_t tail = cap_ / 2;
  // Bytes that others of the same chunk would replace are only counted.
  const std::size_t passing = data.size() > tail ? data.size() - static_cast<std::size_t>(tail) : 0;
  bytes_ += passing;
  data.remove_prefix(passing);
  while (!data.empty()) {
    const std::size_t place = oldest_of_tail();
    const std::size_t length = std::min(data.size(), kept_.size() - place);
    data.copy(kept_.data() + place, length);
    bytes_ += length;
    data.remove_prefix(length);
  }
}

std::string kept_output::take() {
  if (bytes_ > cap_ && cap_ > 1)
    std::rotate(kept_.begin() + static_cast<std::ptrdiff_t>(gap()),
                kept_.begin() + static_cast<std::ptrdiff_t>(oldest_of_tail()), kept_.end());
  bytes_ = 0;
  return std::exchange(kept_, {});
}

void kept_output::reserve(std::size_t size) {
  if (size <= kept_.capacity())
    return;
  // A string that holds something would grow to twice its size, whatever it is asked for.
  std::string larger;
  larger.reserve(
    static_cast<std::size_t>(std::min<std::uint64_t>(cap_, std::max(size, 2 * kept_.capacity()))));
  larger = kept_;
  kept_ = std::move(larger);
}

std::size_t kept_output::oldest_of_tail() const {
  return static_cast<std::size_t>(gap() + (bytes_ - gap()) % (cap_ / 2));
}

} // namespace sshexec::ssh
