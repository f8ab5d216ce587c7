/// Runs a program beside an SSH server that ends with it, in a home directory of its own:
///
///     with_server PROGRAM [ARGUMENT...]
///
/// The program finds the server's address in SSHEXEC_HOST and SSHEXEC_PORT, and in $HOME/.ssh the
/// key that the server accepts, under any user name, where programs look for one. Its exit status
/// is ours.

#include "sshexec/testing/process.hpp"
#include "sshexec/testing/scripted_server.hpp"
#include "sshexec/testing/temporary_directory.hpp"

#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <string>

namespace {

using namespace sshexec::testing;

int run_beside_server(const arguments& line) {
  const scripted_server server;
  const temporary_directory home;
  std::filesystem::create_directory(home.path() / ".ssh");
  std::filesystem::copy_file(server.client_key_file(), home.path() / ".ssh/id_ed25519");
  ::setenv("HOME", home.path().c_str(), 1);
  ::setenv("SSHEXEC_HOST", server.host().c_str(), 1);
  ::setenv("SSHEXEC_PORT", std::to_string(server.port()).c_str(), 1);
  return run_program(line);
}

} // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: with_server PROGRAM [ARGUMENT...]\n";
    return EXIT_FAILURE;
  }
  try {
    return run_beside_server(arguments{argv + 1, argv + argc});
  } catch (const std::exception& reason) {
    std::cerr << "with_server: " << reason.what() << '\n';
    return EXIT_FAILURE;
  }
}
