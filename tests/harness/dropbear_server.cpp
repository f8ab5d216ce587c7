#include "sshexec/testing/dropbear_server.hpp"

#include <pwd.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace sshexec::testing {

namespace {

namespace fs = std::filesystem;

constexpr const char* dropbear = "/usr/sbin/dropbear";

/// What it says goes to the log; $0 is the server's directory.
constexpr const char* start_line
  = "exec 2>>\"$0/log\";"
    "dropbearconvert openssh dropbear \"$0/host_key\" \"$0/dropbear_host_key\" &&"
    "exec env LD_PRELOAD=libnss_wrapper.so NSS_WRAPPER_PASSWD=\"$0/passwd\" "
    "NSS_WRAPPER_GROUP=\"$0/group\" \"$@\"";

/// Dropbear looks for authorized keys in the user's home only, so it is shown a home of its own
/// (nss_wrapper(1)).
void make_home(const std::string& directory, const std::string& user) {
  const passwd* entry = ::getpwnam(user.c_str());
  if (entry == nullptr)
    throw std::runtime_error("there is no user " + user);
  const std::string ids = std::to_string(entry->pw_uid) + ':' + std::to_string(entry->pw_gid);
  const std::string home = directory + "/home";
  std::ofstream{directory + "/passwd"} << user << ":*:" << ids << "::" << home << ":/bin/sh\n";
  std::ofstream{directory + "/group"} << user << ":*:" << entry->pw_gid << ":\n";
  fs::create_directories(home + "/.ssh");
  fs::copy_file(directory + "/authorized_keys", home + "/.ssh/authorized_keys",
                fs::copy_options::overwrite_existing);
  // It belongs to the user; what it may not be is writable by others.
  for (const char* name : {"", "/.ssh", "/.ssh/authorized_keys"}) {
    const std::string path = home + name;
    if (::chown(path.c_str(), entry->pw_uid, entry->pw_gid) != 0)
      throw std::runtime_error(path + " cannot be given to " + user);
    fs::permissions(path, fs::perms::group_write | fs::perms::others_write,
                    fs::perm_options::remove);
  }
}

} // namespace

dropbear_server::dropbear_server(const options& wanted)
  : real_server(make_program(wanted), wanted.address) {}

real_server::program dropbear_server::make_program(const options& wanted) {
  const auto prepare = [wanted](const site& x) {
    make_home(x.directory, x.user);
    arguments line{"/bin/sh",
                   "-c",
                   start_line,
                   x.directory,
                   dropbear,
                   "-F",
                   "-E",
                   "-m",
                   "-s",
                   "-p",
                   x.address + ':' + std::to_string(x.port),
                   "-r",
                   x.directory + "/dropbear_host_key",
                   "-P",
                   x.directory + "/pid"};
    line.insert(line.end(), wanted.more.begin(), wanted.more.end());
    return line;
  };
  return {.path = dropbear,
          .package = "dropbear-bin",
          .prepare = prepare,
          .listening_sign = "Not backgrounding",
          .connection_sign = "Child connection from ",
          .authentication_sign = "Pubkey auth succeeded"};
}

} // namespace sshexec::testing
