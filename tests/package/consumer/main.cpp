/// The least that uses both libraries: runs a command on a server of its own. Its message types
/// begin where it is told, such as at the place that sshexec takes unless it was moved.

#include <sshexec/actors/executor.hpp>
#include <sshexec/testing/scripted_server.hpp>
#include <sshexec/testing/temporary_directory.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/make_message.hpp>
#include <caf/message.hpp>
#include <caf/meta/type_name.hpp>
#include <caf/scoped_actor.hpp>

#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

struct note {
  std::string text;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, note& x) {
  return f(caf::meta::type_name("note"), x.text);
}

#ifndef CONSUMER_FIRST_TYPE_ID
#define CONSUMER_FIRST_TYPE_ID caf::first_custom_type_id
#endif

CAF_BEGIN_TYPE_ID_BLOCK(consumer, CONSUMER_FIRST_TYPE_ID)

  CAF_ADD_TYPE_ID(consumer, (note))

CAF_END_TYPE_ID_BLOCK(consumer)

namespace {

struct config : caf::actor_system_config {
  config() {
    add_message_types<caf::id_block::consumer>();
    sshexec::register_messages(*this);
  }
};

/// Messages go through their binary form, as on their way to another process.
bool survives_the_network(caf::actor_system& system) {
  const caf::message sent = caf::make_message(sshexec::machine{.hostname = "web-1"}, note{"mine"});
  std::vector<char> buffer;
  caf::binary_serializer sink{system, buffer};
  if (sink(sent))
    return false;
  caf::message received;
  caf::binary_deserializer source{system, buffer};
  return !source(received) && received.match_elements<sshexec::machine, note>()
         && received.get_as<sshexec::machine>(0).hostname == "web-1"
         && received.get_as<note>(1).text == "mine";
}

} // namespace

int main() {
  const sshexec::testing::scripted_server server;
  const sshexec::testing::temporary_directory files;
  config system_config;
  caf::actor_system system{system_config};
  sshexec::settings settings;
  settings.known_hosts_file = files.path() / "known_hosts";
  settings.journal = "none";
  const auto executor = sshexec::spawn_executor(system, settings);

  sshexec::machine target;
  target.hostname = server.host();
  target.port = server.port();
  target.username = "anyone";
  target.identity_file = server.client_key_file();
  sshexec::command hello;
  hello.line = "echo hello";

  std::string output;
  caf::scoped_actor self{system};
  self->request(*executor, caf::infinite, sshexec::execute_atom_v, target, hello)
    .receive([&](const sshexec::command_result& result) { output = result.output.stdout_data; },
             [&](const caf::error& reason) { output = sshexec::to_failure(reason).message; });
  caf::anon_send_exit(*executor, caf::exit_reason::user_shutdown);
  std::cout << output;
  return output == "hello\n" && survives_the_network(system) ? EXIT_SUCCESS : EXIT_FAILURE;
}
