/// Does with an executor the work that the rivals do with theirs, and prints what it took.

#include "bare_libssh.hpp"
#include "modes.hpp"

#include <CLI/CLI.hpp>
#include <sys/resource.h>

#include <cstdio>
#include <exception>

namespace {

using namespace sshexec::bench;

/// Each machine is a socket.
void allow_many_sockets() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

bool run(const options& x) {
  if (x.mode == "seq")
    return run_commands(x, 1);
  if (x.mode == "conc")
    return run_commands(x, x.concurrency);
  if (x.mode == "fanout")
    return fan_out(x);
  if (x.mode == "bare-fanout")
    return fan_out_bare(x);
  if (x.mode == "memory")
    return weigh_idle(x);
  if (x.mode == "idle")
    return watch_idle(x);
  return stream(x);
}

} // namespace

int main(int argc, char** argv) {
  options x;
  CLI::App app{"Times commands through an executor"};
  app.add_option("--mode", x.mode)
    ->check(CLI::IsMember({"seq", "conc", "fanout", "bare-fanout", "memory", "idle", "stream"}));
  app.add_option("--port", x.port);
  app.add_option("--user", x.user);
  app.add_option("--key", x.key)->required();
  app.add_option("--cmd", x.line);
  app.add_option("--n", x.commands, "commands");
  app.add_option("--c", x.concurrency, "requests at once");
  app.add_option("--m", x.machines, "machines");
  app.add_option("--seconds", x.seconds, "how long idle machines are watched");
  app.add_option("--keepalive", x.keepalive, "seconds between keep-alives");
  app.add_option("--threads", x.scheduler_threads, "threads of CAF's scheduler");
  CLI11_PARSE(app, argc, argv);
  allow_many_sockets();
  try {
    return run(x) ? 0 : 1;
  } catch (const std::exception& reason) {
    std::fprintf(stderr, "%s\n", reason.what());
    return 1;
  }
}
