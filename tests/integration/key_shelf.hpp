#pragma once

#include "listening.hpp"
#include "sshexec/ssh/file_descriptor.hpp"
#include "sshexec/ssh/private_key.hpp"
#include "sshexec/testing/key_files.hpp"
#include "sshexec/testing/process.hpp"
#include "sshexec/testing/temporary_directory.hpp"

#include <fcntl.h>
#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <thread>
#include <vector>

namespace sshexec::test {

/// Fresh keys that no server knows, and agents that hold them.
class key_shelf {
public:
  key_shelf() = default;
  key_shelf(const key_shelf&) = delete;
  key_shelf& operator=(const key_shelf&) = delete;

  ~key_shelf() { testing::kill_and_wait(agents_); }

  [[nodiscard]] std::string make(const std::string& name) const {
    const std::string file = directory_.path() / name;
    testing::make_key(file);
    return file;
  }

  [[nodiscard]] ssh::private_keys make_keys(std::size_t count) const {
    ssh::private_keys result;
    for (std::size_t i = 0; i < count; ++i)
      result.push_back(ssh::load_private_key(make("key" + std::to_string(i)), {}).value());
    return result;
  }

  /// The socket of a new agent that holds these keys.
  std::string start_agent(const std::vector<std::string>& files) {
    const std::string socket = path("agent" + std::to_string(agents_.size()));
    agents_.push_back(testing::start_program({"ssh-agent", "-D", "-a", socket}, null_.get()));
    while (!is_listening(socket) && testing::is_running(agents_.back()))
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    for (const std::string& file : files)
      testing::require_program({"env", "SSH_AUTH_SOCK=" + socket, "ssh-add", "-q", file});
    return socket;
  }

  [[nodiscard]] std::string path(const std::string& name) const { return directory_.path() / name; }

private:
  testing::temporary_directory directory_;
  ssh::file_descriptor null_{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
  std::vector<pid_t> agents_;
};

} // namespace sshexec::test
