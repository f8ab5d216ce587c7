#include "sshexec/ssh/known_hosts.hpp"

#include "sshexec/ssh/file_descriptor.hpp"

#include <fcntl.h>
#include <libssh/libssh.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <system_error>
#include <utility>

namespace sshexec::ssh {

namespace {

constexpr std::uint16_t default_port = 22;

/// One line: an optional marker, names, key type and key. The views point into the file's text.
struct entry {
  std::string_view marker;
  std::string_view names;
  std::string_view type;
  std::string_view base64;
};

tl::unexpected<error> file_error(std::string_view what, const std::filesystem::path& file,
                                 int code) {
  return tl::unexpected{error{error_kind::file, std::string{what} + " " + file.string() + ": "
                                                  + std::system_category().message(code)}};
}

std::string to_lower(std::string_view text) {
  std::string result{text};
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char x) { return static_cast<char>(std::tolower(x)); });
  return result;
}

/// A host as known_hosts files spell it: in lower case, its port told only if it is unusual.
std::string to_name(std::string_view host, std::uint16_t port) {
  const std::string name = to_lower(host);
  return port == default_port ? name : "[" + name + "]:" + std::to_string(port);
}

/// Cuts the text up to `separators` off the front of `rest`.
std::string_view next_token(std::string_view& rest, std::string_view separators) {
  const auto begin = std::min(rest.find_first_not_of(separators), rest.size());
  const auto end = std::min(rest.find_first_of(separators, begin), rest.size());
  const auto token = rest.substr(begin, end - begin);
  rest.remove_prefix(end);
  return token;
}

entry parse_line(std::string_view line) {
  constexpr std::string_view blanks = " \t\r";
  entry result;
  result.names = next_token(line, blanks);
  if (result.names.starts_with('@')) {
    result.marker = result.names;
    result.names = next_token(line, blanks);
  }
  result.type = next_token(line, blanks);
  result.base64 = next_token(line, blanks);
  return result;
}

/// Matches '*' (any characters) and '?' (any one character), as OpenSSH's match_pattern does.
bool matches_pattern(std::string_view text, std::string_view pattern) {
  std::size_t at = 0;
  std::size_t in = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (at < text.size()) {
    if (in < pattern.size() && pattern[in] == '*') {
      star = in++;
      resume = at;
    } else if (in < pattern.size() && (pattern[in] == '?' || pattern[in] == text[at])) {
      ++in;
      ++at;
    } else if (star != std::string_view::npos) {
      in = star + 1;
      at = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', in) == std::string_view::npos;
}

/// Whether a list such as "*.example.org,!secret.example.org" names this host: one that a negated
/// pattern names is not meant, whatever the other patterns say. (libssh's parser looks at one
/// pattern at a time and takes such a host for named.)
bool matches_list(std::string_view name, std::string_view patterns) {
  bool named = false;
  while (!patterns.empty()) {
    std::string pattern = to_lower(next_token(patterns, ","));
    const bool negated = pattern.starts_with('!');
    if (!pattern.empty() && matches_pattern(name, std::string_view{pattern}.substr(negated))) {
      if (negated)
        return false;
      named = true;
    }
  }
  return named;
}

/// Whether libssh can read the line's key and, when a name is given, finds it in the line.
bool is_accepted_by_libssh(const entry& line, const char* name) {
  std::string text{line.names};
  text.append(" ").append(line.type).append(" ").append(line.base64);
  ssh_knownhosts_entry* parsed = nullptr;
  if (ssh_known_hosts_parse_line(name, text.c_str(), &parsed) != SSH_OK)
    return false;
  ssh_knownhosts_entry_free(parsed);
  return true;
}

/// Whether the line is sound and about this host.
bool is_about(const entry& line, const std::string& name) {
  if (line.base64.empty() || line.names.starts_with('#'))
    return false;
  if (line.names.starts_with('|'))
    return is_accepted_by_libssh(line, name.c_str());
  return matches_list(name, line.names) && is_accepted_by_libssh(line, nullptr);
}

void add_to(known_keys& keys, const entry& line) {
  host_key key{std::string{line.type}, std::string{line.base64}};
  if (line.marker.empty())
    keys.trusted.push_back(std::move(key));
  else if (line.marker == "@revoked")
    keys.revoked.push_back(std::move(key));
}

/// Whether a name stands for itself alone in a known_hosts file, and ends where it ends.
bool is_literal(std::string_view host) {
  constexpr std::string_view special = ",*?!|#@[]";
  return !host.empty() && std::none_of(host.begin(), host.end(), [&](unsigned char x) {
    return x <= ' ' || special.find(static_cast<char>(x)) != std::string_view::npos;
  });
}

result<std::string> read_all(const std::filesystem::path& file) {
  const file_descriptor descriptor{::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
  std::string text;
  std::array<char, 1 << 16> buffer{};
  ssize_t count = descriptor ? 1 : -1;
  while (count > 0) {
    count = ::read(descriptor.get(), buffer.data(), buffer.size());
    if (count > 0)
      text.append(buffer.data(), static_cast<std::size_t>(count));
  }
  if (count < 0)
    return file_error("Cannot read", file, errno);
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
bool append_line(int descriptor, const std::string& line) {
  const std::string text = ends_amid_line(descriptor) ? "\n" + line : line;
  const auto written = ::write(descriptor, text.data(), text.size());
  // Nothing but a full disk cuts a write to a file short.
  if (written >= 0 && static_cast<std::size_t>(written) < text.size())
    errno = ENOSPC;
  return written == static_cast<ssize_t>(text.size()) && ::fsync(descriptor) == 0;
}

} // namespace

known_hosts_file::known_hosts_file(std::filesystem::path path) : path_(std::move(path)) {}

result<known_keys> known_hosts_file::find(std::string_view host, std::uint16_t port) {
  if (auto fresh = refresh(); !fresh)
    return tl::unexpected{fresh.error()};
  const std::string name = to_name(host, port);
  known_keys keys;
  std::string_view rest = text_;
  while (!rest.empty()) {
    const entry line = parse_line(next_token(rest, "\n"));
    if (is_about(line, name))
      add_to(keys, line);
  }
  return keys;
}

result<void> known_hosts_file::append(std::string_view host, std::uint16_t port,
                                      const host_key& key) {
  if (!is_literal(host))
    return file_error("Cannot record a host of this name in", path_, EINVAL);
  // A folder that is missing even now is reported by open(2).
  ::mkdir(path_.parent_path().c_str(), S_IRWXU);
  const file_descriptor descriptor{
    ::open(path_.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR)};
  const std::string line = to_name(host, port) + " " + key.type + " " + key.base64 + "\n";
  if (!descriptor || !append_line(descriptor.get(), line))
    return file_error("Cannot write to", path_, errno);
  return {};
}

result<void> known_hosts_file::refresh() {
  const auto now = stamp_of(path_);
  if (!now && errno == ENOENT) {
    stamp_.reset();
    text_.clear();
    return {};
  }
  if (now && now == stamp_)
    return {};
  auto text = read_all(path_);
  if (!text)
    return tl::unexpected{text.error()};
  stamp_ = now;
  text_ = std::move(*text);
  return {};
}

} // namespace sshexec::ssh
