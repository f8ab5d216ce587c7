#include "sshexec/app/rollout/output_files.hpp"

#include "sshexec/app/descriptors.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <utility>

namespace sshexec::app {

namespace {

/// A name has 255 bytes at the most (NAME_MAX); the ending and a number take some of them.
constexpr std::size_t longest_name = 220;

/// Of stdout's file, and of stderr's.
constexpr std::array endings{".stdout", ".stderr"};

bool is_harmless(char x) {
  return (x >= 'a' && x <= 'z') || (x >= 'A' && x <= 'Z') || (x >= '0' && x <= '9')
         || std::string_view{"._-@:+"}.find(x) != std::string_view::npos;
}

} // namespace

std::string file_name_of(const std::string& name) {
  std::string result;
  for (const char x : name) {
    const bool would_hide = result.empty() && x == '.';
    if (is_harmless(x) && !would_hide)
      result += x;
    else
      result += fmt::format("%{:02X}", static_cast<unsigned char>(x));
  }
  if (result.size() > longest_name)
    result
      = fmt::format("{}%{:016x}", result.substr(0, longest_name), std::hash<std::string>{}(name));
  return result;
}

output_files::output_files(std::filesystem::path directory) : directory_(std::move(directory)) {
  std::error_code error;
  std::filesystem::create_directories(directory_, error);
  if (error)
    throw std::system_error{error, "cannot make the directory " + directory_.string()};
}

void output_files::remove(const std::string& machine) const {
  for (std::size_t i = 0; i < endings.size(); ++i) {
    const auto path = path_of(machine, i);
    if (::unlink(path.c_str()) == -1 && errno != ENOENT)
      throw std::system_error{errno, std::system_category(), "cannot remove " + path.string()};
  }
}

std::error_code output_files::write(const std::string& machine, output_stream stream,
                                    std::uint32_t attempt, std::string_view data) {
  files& mine = open_[machine];
  if (mine.attempt != attempt) {
    if (const auto error = begin(machine, mine))
      return error;
    mine.attempt = attempt;
  }
  const std::size_t i = stream == output_stream::stdout_stream ? 0 : 1;
  const auto error = write_all(mine.streams.at(i).get(), data);
  if (error)
    failed_path_ = path_of(machine, i);
  return error;
}

std::error_code output_files::finish(const std::string& machine) {
  files& mine = open_[machine];
  const auto error = mine.attempt == 0 ? begin(machine, mine) : std::error_code{};
  close(machine);
  return error;
}

std::error_code output_files::begin(const std::string& machine, files& x) {
  for (std::size_t i = 0; i < x.streams.size(); ++i) {
    const auto path = path_of(machine, i);
    x.streams.at(i)
      = ssh::file_descriptor{::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
                                    S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH)};
    if (!x.streams.at(i)) {
      const std::error_code error{errno, std::system_category()};
      failed_path_ = path;
      return error;
    }
  }
  return {};
}

std::filesystem::path output_files::path_of(const std::string& machine, std::size_t stream) const {
  return directory_ / (file_name_of(machine) + endings.at(stream));
}

} // namespace sshexec::app
