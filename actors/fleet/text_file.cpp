#include "sshexec/actors/fleet/text_file.hpp"

#include "sshexec/ssh/file_descriptor.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>

namespace sshexec {

tl::expected<std::string, std::string> read_text_file(const std::string& path,
                                                      std::size_t max_size) {
  using failed = tl::unexpected<std::string>;
  const auto cannot_read
    = [&] { return failed{"cannot read " + path + ": " + std::system_category().message(errno)}; };
  const ssh::file_descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY)};
  if (!file)
    return cannot_read();
  std::string result;
  std::array<char, 1 << 16> buffer{};
  for (;;) {
    const ssize_t count = ::read(file.get(), buffer.data(), buffer.size());
    if (count == 0)
      break;
    if (count < 0 && errno != EINTR)
      return cannot_read();
    result.append(buffer.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
    if (result.size() > max_size)
      return failed{path + " holds more than " + std::to_string(max_size) + " bytes"};
  }
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (result.starts_with(byte_order_mark))
    result.erase(0, byte_order_mark.size());
  return result;
}

} // namespace sshexec
