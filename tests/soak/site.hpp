#pragma once

#include "dice.hpp"
#include "sshexec/messages/error_code.hpp"
#include "sshexec/messages/machine.hpp"
#include "sshexec/testing/faulty_proxy.hpp"
#include "sshexec/testing/openssh_server.hpp"
#include "sshexec/testing/scripted_server.hpp"
#include "task.hpp"

#include <caf/error.hpp>

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace sshexec::soak {

/// What can be expected of a machine; all numbers are percentages.
struct temper {
  const char* name;
  /// Of all commands of a round.
  int share;
  /// Commands that a shell runs.
  int shell = 0;
  /// Connections that break on their way.
  int breaking = 0;
  /// Connections that take a few channels only.
  int narrow = 0;
  /// Connections with another host key.
  int impostor = 0;
  /// Connections that accept no key.
  int locked = 0;
  /// Runs of commands that go wrong.
  int bad_runs = 0;
  /// Disturbances in which all connections break, or the network becomes bad if there is a proxy.
  int disturbed = 0;
  bool has_proxy = false;
  /// Whether it is a real OpenSSH server.
  bool is_openssh = false;
};

/// One machine with the tasks that it gets in one round, and the faults that they meet. Its
/// functions may be called from any thread.
class site {
public:
  /// `name` is that of its decisions; its tasks have the numbers from `first_task` on.
  site(const temper& kind, std::string name, std::uint64_t first_task, std::size_t tasks);
  site(const site&) = delete;
  site& operator=(const site&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }

  [[nodiscard]] const machine& address() const { return address_; }

  [[nodiscard]] const std::vector<task>& tasks() const { return tasks_; }

  /// To be called again and again, with growing numbers: now and then lets all connections break,
  /// or makes the network bad until the next call.
  void disturb(std::uint64_t number);

  /// Whether an error of this kind may come of this machine's faults.
  [[nodiscard]] bool explains(const caf::error& error) const;

  /// How often the server has begun to run a task, if it tells.
  [[nodiscard]] std::optional<unsigned> runs(const task& x) const;

  [[nodiscard]] std::uint64_t connections() const;
  [[nodiscard]] std::map<std::string, std::uint64_t> faults() const;

private:
  [[nodiscard]] dice decide(const char* about, std::uint64_t number, unsigned again = 0) const;
  void note(const std::string& fault);

  void start_scripted_server();
  void start_openssh();
  testing::connection_script connection(unsigned number);
  testing::command_script command(const std::string& line);
  void spoil(testing::command_script& script, dice& random);
  testing::breakage some_breakage(dice& random);
  testing::network bad_network(dice& random);

  const temper temper_;
  const std::string name_;
  std::vector<task> tasks_;
  std::vector<std::atomic<unsigned>> runs_;
  std::atomic<std::uint64_t> connections_ = 0;
  mutable std::mutex mutex_;
  std::map<std::string, std::uint64_t> faults_;
  machine address_;
  // Behind all that their threads use.
  std::optional<testing::scripted_server> scripted_;
  std::optional<testing::openssh_server> openssh_;
  std::optional<testing::faulty_proxy> proxy_;
};

} // namespace sshexec::soak
