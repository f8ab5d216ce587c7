#include "sshexec/ssh/known_hosts.hpp"

#include "sshexec/ssh/file_descriptor.hpp"
#include "sshexec/ssh/lower_case.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace sshexec::ssh {

namespace {

/// Several hundred thousand lines.
constexpr off_t max_file_size = off_t{64} << 20;

tl::unexpected<error> make_error(std::string_view what, const std::filesystem::path& file,
                                 error_kind kind, const std::string& why) {
  return tl::unexpected{error{kind, std::string{what} + " " + file.string() + ": " + why}};
}

tl::unexpected<error> errno_error(std::string_view what, const std::filesystem::path& file,
                                  int code) {
  return make_error(what, file, file_error_kind(code), std::system_category().message(code));
}

/// A host as known_hosts files spell it: in lower case, its port told only if it is unusual.
std::string to_name(std::string_view host, std::uint16_t port) {
  const std::string name = to_lower(host);
  return port == default_port ? name : "[" + name + "]:" + std::to_string(port);
}

/// null(4), which holds nothing and takes everything.
bool is_null_device(const struct stat& status) {
  return S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3);
}

/// Why a file cannot be read in one piece and without waiting.
std::optional<std::string> objection_to(const struct stat& status) {
  if (S_ISDIR(status.st_mode))
    return std::system_category().message(EISDIR);
  if (!S_ISREG(status.st_mode))
    return "Not a regular file";
  if (status.st_size > max_file_size)
    return std::system_category().message(EFBIG);
  return std::nullopt;
}

result<std::string> read_all(const std::filesystem::path& file) {
  // A pipe would block the opening until somebody writes to it.
  const file_descriptor descriptor{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};

  struct stat status {};

  if (!descriptor || ::fstat(descriptor.get(), &status) != 0)
    return errno_error("Cannot read", file, errno);
  if (is_null_device(status))
    return std::string{};
  if (const auto objection = objection_to(status))
    return make_error("Cannot read", file, error_kind::file, *objection);
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t length = 0;
  while (length < text.size()) {
    const auto count = ::read(descriptor.get(), text.data() + length, text.size() - length);
    if (count < 0 && errno != EINTR)
      return errno_error("Cannot read", file, errno);
    if (count == 0)
      break;
    length += count > 0 ? static_cast<std::size_t>(count) : 0;
  }
  text.resize(length);
  return text;
}

/// May hold for a moment while another process appends; then a blank line too many does no harm.
bool ends_amid_line(int descriptor) {
  struct stat status {};

  if (::fstat(descriptor, &status) != 0 || status.st_size == 0)
    return false;
  char last = '\n';
  return ::pread(descriptor, &last, 1, status.st_size - 1) == 1 && last != '\n';
}

/// Appends by a single write(2), which O_APPEND makes atomic against other writers.
bool append_text(int descriptor, const std::string& text) {
  const auto written = ::write(descriptor, text.data(), text.size());
  // Nothing but a full disk cuts a write to a file short.
  if (written >= 0 && static_cast<std::size_t>(written) < text.size())
    errno = ENOSPC;
  if (written != static_cast<ssize_t>(text.size()))
    return false;
  // A device has no disk to be synced to.
  return ::fsync(descriptor) == 0 || errno == EINVAL;
}

} // namespace

known_hosts_file::known_hosts_file(std::filesystem::path path) : path_(std::move(path)) {}

bool can_be_recorded(std::string_view host) {
  constexpr std::string_view special = ",*?!|#@[]";
  return !host.empty() && std::none_of(host.begin(), host.end(), [&](unsigned char x) {
    return x <= ' ' || special.find(static_cast<char>(x)) != std::string_view::npos;
  });
}

result<known_keys> known_hosts_file::find(std::string_view host, std::uint16_t port) {
  if (auto fresh = refresh(); !fresh)
    return tl::unexpected{fresh.error()};
  known_keys found = lines_.find(to_name(host, port));
  if (!found.trusted.empty())
    found.file = path_.string();
  return found;
}

result<void> known_hosts_file::append(std::string_view host, std::uint16_t port,
                                      const host_key& key) {
  if (!can_be_recorded(host))
    return errno_error("Cannot record a host of this name in", path_, EINVAL);
  // A folder that is missing even now is reported by open(2).
  ::mkdir(path_.parent_path().c_str(), S_IRWXU);
  const file_descriptor descriptor{
    ::open(path_.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, S_IRUSR | S_IWUSR)};
  if (!descriptor)
    return errno_error("Cannot write to", path_, errno);
  const auto before = stamp_of(descriptor.get());
  const std::string line = to_name(host, port) + " " + key.type + " " + key.base64 + "\n";
  const std::string text = ends_amid_line(descriptor.get()) ? "\n" + line : line;
  if (!append_text(descriptor.get(), text))
    return errno_error("Cannot write to", path_, errno);
  take_in(text, before, stamp_of(descriptor.get()));
  return {};
}

/// What this process appended alone to the file that it knows need not be read.
void known_hosts_file::take_in(const std::string& text, const std::optional<file_stamp>& before,
                               const std::optional<file_stamp>& after) {
  const auto grown_to = static_cast<off_t>(text.size()) + (before ? before->size : 0);
  if (!stamp_ || before != stamp_ || !after || after->size != grown_to)
    return;
  lines_.append(text);
  stamp_ = after;
}

result<void> known_hosts_file::refresh() {
  const auto now = stamp_of(path_);
  if (!now && (errno == ENOENT || errno == ENOTDIR)) {
    stamp_.reset();
    lines_ = {};
    return {};
  }
  if (now && now == stamp_)
    return {};
  auto text = read_all(path_);
  if (!text)
    return tl::unexpected{text.error()};
  stamp_ = now;
  lines_ = known_hosts_index{std::move(*text)};
  return {};
}

} // namespace sshexec::ssh
