/// Stands between a client and a server and lets each byte wait: a network with a long round trip.
/// Prints its port and goes on until its input ends.

#include "sshexec/testing/faulty_proxy.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdio>

int main(int argc, char** argv) {
  std::uint16_t port = 0;
  long round_trip = 50;
  CLI::App app{"Delays what goes to a server and back"};
  app.add_option("--to", port, "the server's port")->required();
  app.add_option("--round-trip", round_trip, "in milliseconds");
  CLI11_PARSE(app, argc, argv);
  const sshexec::testing::network slow{.latency = std::chrono::milliseconds{round_trip / 2}};
  const sshexec::testing::faulty_proxy proxy{"127.0.0.1", port, slow};
  std::printf("%u\n", proxy.port());
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
}
