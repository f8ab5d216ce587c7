#include "nodes.hpp"
#include "sshexec/actors/remote/wire/sockets.hpp"
#include "sshexec/actors/remote/wire/tls_context.hpp"

#include <boost/test/unit_test.hpp>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <vector>

using namespace sshexec;
using namespace sshexec::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

patience a_minute() {
  return {std::chrono::steady_clock::now() + 60s};
}

ssh::file_descriptor connect_to_port(std::uint16_t port) {
  auto socket = connect_to({"127.0.0.1", port}, a_minute());
  BOOST_REQUIRE(socket);
  return std::move(*socket);
}

/// Everything that the peer sends until it hangs up.
std::string all_from(const ssh::file_descriptor& socket) {
  std::string result;
  for (;;) {
    pollfd waiting{socket.get(), POLLIN, 0};
    BOOST_REQUIRE(::poll(&waiting, 1, 60'000) == 1);
    std::array<char, 4096> buffer{};
    const ssize_t received = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (received <= 0)
      return result;
    result.append(buffer.data(), static_cast<std::size_t>(received));
  }
}

/// What a client hears that checks nothing itself.
std::string reason_for_client(std::uint16_t port, const tls_context& context) {
  const auto stream = secure(connect_to_port(port), context, a_minute());
  return stream ? "" : stream.error().text;
}

std::string complaint_about(const tls_files& files) {
  const auto loaded = load_tls(files, tls_role::server);
  BOOST_TEST(!loaded);
  BOOST_TEST((loaded || is(loaded.error(), error_code::configuration_error)));
  return loaded ? "" : to_failure(loaded.error()).message;
}

bool contains(const std::string& text, const std::string& part) {
  const bool found = text.find(part) != std::string::npos;
  BOOST_TEST(found, "'" << text << "' lacks '" << part << "'");
  return found;
}

/// What a client with these files is told.
std::string reason_for(const stage& scene, const hub_node& hub, const tls_files& files) {
  connect_settings config = scene.to(hub);
  config.tls = files;
  client_node client{config};
  const auto refused = client.run(scene.target, "true");
  BOOST_TEST(refused.failed_with(error_code::connection_error));
  return refused.what().message;
}

template <class T, auto Free>
using owned = std::unique_ptr<T, decltype([](T* x) { Free(x); })>;

using certificate_ptr = owned<X509, X509_free>;
using key_ptr = owned<EVP_PKEY, EVP_PKEY_free>;
using open_file = owned<std::FILE, std::fclose>;

/// Changes a certificate of the authority's, and signs it again.
template <class Change>
void reissue(const stage& scene, const std::string& file, Change change) {
  const std::string key_file = scene.directory.path() / "tls" / "authority.key";
  const key_ptr key{PEM_read_PrivateKey(open_file{std::fopen(key_file.c_str(), "r")}.get(), nullptr,
                                        nullptr, nullptr)};
  const certificate_ptr certificate{
    PEM_read_X509(open_file{std::fopen(file.c_str(), "r")}.get(), nullptr, nullptr, nullptr)};
  BOOST_REQUIRE(key);
  BOOST_REQUIRE(certificate);
  change(certificate.get());
  BOOST_REQUIRE(X509_sign(certificate.get(), key.get(), EVP_sha256()) != 0);
  PEM_write_X509(open_file{std::fopen(file.c_str(), "w")}.get(), certificate.get());
}

/// A certificate that says nothing of what it is for.
tls_files without_role(const stage& scene) {
  const tls_files files = scene.certificates.issue("anything", tls_role::client);
  reissue(scene, files.certificate, [](X509* x) {
    X509_EXTENSION_free(X509_delete_ext(x, X509_get_ext_by_NID(x, NID_ext_key_usage, -1)));
  });
  return files;
}

/// As of one that checks nothing itself, be it our role.
tls_context unchecked(const tls_files& files, const SSL_METHOD* method) {
  tls_context context{SSL_CTX_new(method), SSL_CTX_free};
  BOOST_REQUIRE(
    SSL_CTX_use_certificate_file(context.get(), files.certificate.c_str(), SSL_FILETYPE_PEM) == 1);
  BOOST_REQUIRE(SSL_CTX_use_PrivateKey_file(context.get(), files.key.c_str(), SSL_FILETYPE_PEM)
                == 1);
  return context;
}

/// The certificate that a hub shows to a client.
certificate_ptr shown_by(std::uint16_t port, const tls_files& files) {
  const ssh::file_descriptor socket = connect_to_port(port);
  ::fcntl(socket.get(), F_SETFL, 0);
  const tls_context context = unchecked(files, TLS_client_method());
  const owned<SSL, SSL_free> client{SSL_new(context.get())};
  SSL_set_fd(client.get(), socket.get());
  BOOST_REQUIRE(SSL_connect(client.get()) == 1);
  return certificate_ptr{SSL_get1_peer_certificate(client.get())};
}

certificate_ptr read_certificate(const std::string& file) {
  return certificate_ptr{
    PEM_read_X509(open_file{std::fopen(file.c_str(), "r")}.get(), nullptr, nullptr, nullptr)};
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(a_hub_with_tls_refuses, stage)

BOOST_AUTO_TEST_CASE(a_client_without_a_certificate) {
  hub_node hub{directory, secured()};
  const tls_context context{SSL_CTX_new(TLS_client_method()), SSL_CTX_free};
  contains(reason_for_client(hub.port, context), "certificate required");
  BOOST_TEST(hub.refused.wait_for("peer did not return a certificate"));
}

BOOST_AUTO_TEST_CASE(a_client_of_a_foreign_authority) {
  hub_node hub{directory, secured()};
  const app::authority foreign{directory.path() / "foreign"};
  tls_files files = foreign.issue("client", tls_role::client);
  // So that only the hub minds.
  files.authority = client_files.authority;
  files.revocations = client_files.revocations;
  contains(reason_for(*this, hub, files), "the TLS handshake failed");
  BOOST_TEST(hub.refused.wait_for("the peer's certificate was refused"));
}

BOOST_AUTO_TEST_CASE(a_client_whose_certificate_has_expired) {
  hub_node hub{directory, secured()};
  // Our own client would not even start with it.
  const tls_files old = certificates.issue("old", tls_role::client, {-48h, -24h});
  const tls_context context = unchecked(old, TLS_client_method());
  contains(reason_for_client(hub.port, context), "our certificate: it has expired");
  BOOST_TEST(hub.refused.wait_for("certificate has expired"));
}

BOOST_AUTO_TEST_CASE(a_client_with_the_certificate_of_a_hub) {
  hub_node hub{directory, secured()};
  const tls_files files = certificates.issue("other", tls_role::server);
  contains(reason_for_client(hub.port, unchecked(files, TLS_client_method())), "clientAuth");
  BOOST_TEST(hub.refused.wait_for("unsuitable certificate purpose"));
}

BOOST_AUTO_TEST_CASE(a_client_whose_certificate_names_no_role) {
  hub_node hub{directory, secured()};
  BOOST_TEST(
    !reason_for_client(hub.port, unchecked(without_role(*this), TLS_client_method())).empty());
  BOOST_TEST(hub.refused.wait_for("unsuitable certificate purpose"));
}

BOOST_AUTO_TEST_CASE(a_client_whose_certificate_is_revoked) {
  const tls_files lost = certificates.issue("lost", tls_role::client);
  BOOST_TEST(certificates.revoke("lost") == 1U);
  hub_node hub{directory, secured()};
  contains(reason_for_client(hub.port, unchecked(lost, TLS_client_method())), "it is revoked");
  BOOST_TEST(hub.refused.wait_for("certificate revoked"));
  client_node other{to(hub)};
  BOOST_TEST(other.run(target, "true").outcome.operator bool());
}

BOOST_AUTO_TEST_CASE(a_client_that_speaks_in_the_clear) {
  hub_node hub{directory, secured()};
  client_node client{plainly_to(hub)};
  const auto answer = client.run(target, "true");
  BOOST_TEST(answer.failed_with(error_code::connection_error));
  contains(answer.what().message, "wants TLS");
  BOOST_TEST(hub.refused.wait_for("does not speak TLS"));
}

BOOST_AUTO_TEST_CASE(garbage) {
  hub_node hub{directory, secured()};
  const auto socket = connect_to_port(hub.port);
  const std::string garbage(1000, 'x');
  BOOST_REQUIRE(::send(socket.get(), garbage.data(), garbage.size(), MSG_NOSIGNAL) > 0);
  // No more than a TLS alert (RFC 8446 §6) comes back.
  BOOST_TEST(all_from(socket).size() <= 7);
  BOOST_TEST(hub.refused.count() == 1);
}

BOOST_AUTO_TEST_CASE(silent_connections_when_their_time_is_up_and_serves_others_meanwhile) {
  publish_settings config = secured();
  config.handshake_timeout = 2s;
  hub_node hub{directory, config};
  std::vector<ssh::file_descriptor> silent;
  for (int i = 0; i < 100; ++i)
    silent.push_back(connect_to_port(hub.port));
  client_node client{to(hub)};
  BOOST_TEST(client.run(target, "true").outcome.operator bool());
  for (const auto& each : silent)
    BOOST_TEST(all_from(each).empty());
  BOOST_TEST(client.run(target, "true").outcome.operator bool());
}

BOOST_AUTO_TEST_CASE(nobody_forever_so_silent_connections_cost_no_time_of_the_processor) {
  publish_settings config = secured();
  config.handshake_timeout = 10min;
  hub_node hub{directory, config};
  std::vector<ssh::file_descriptor> silent;
  for (int i = 0; i < 100; ++i)
    silent.push_back(connect_to_port(hub.port));
  client_node client{to(hub)};
  BOOST_TEST(client.run(target, "true").outcome.operator bool());
  // A thread that spins takes all of it, even if the machine is busy.
  const std::clock_t before = std::clock();
  caf::scoped_actor self{client.system};
  self->receive(caf::after(2s) >> [] {});
  const double used = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
  BOOST_TEST(used < 0.2);
}

BOOST_AUTO_TEST_CASE(the_oldest_of_too_many_handshakes) {
  publish_settings config = secured();
  config.handshake_timeout = 10min;
  hub_node hub{directory, config};
  const auto oldest = connect_to_port(hub.port);
  std::vector<ssh::file_descriptor> silent;
  for (int i = 0; i < 256; ++i)
    silent.push_back(connect_to_port(hub.port));
  BOOST_TEST(all_from(oldest).empty());
  BOOST_TEST(hub.refused.wait_for("too many handshakes"));
  client_node client{to(hub)};
  BOOST_TEST(client.run(target, "true").outcome.operator bool());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(a_hub_whose_tls_files_change, stage)

BOOST_AUTO_TEST_CASE(ends_the_connection_of_a_revoked_client_and_of_no_other) {
  hub_node hub{directory, secured()};
  connect_settings as_lost = to(hub);
  as_lost.tls = certificates.issue("lost", tls_role::client);
  client_node lost{as_lost};
  client_node other{to(hub)};
  BOOST_TEST(lost.run(target, "true").outcome.operator bool());
  BOOST_TEST(other.run(target, "true").outcome.operator bool());
  testing::scripted_server busy{{.commands = [](const std::string&) {
    return testing::command_script{.steps = {testing::step::wait_for{"never"}}};
  }}};
  auto under_way
    = std::async(std::launch::async, [&] { return lost.run(machine_of(busy), "forever"); });
  BOOST_REQUIRE(busy.wait_for(testing::event::exec_requested));
  certificates.revoke("lost");
  BOOST_TEST(hub.refused.wait_for("refused by now: certificate revoked"));
  BOOST_TEST(under_way.get().failed_with(error_code::connection_error));
  client_node again{as_lost};
  contains(again.run(target, "true").what().message, "it is revoked");
  BOOST_TEST(other.run(target, "true").outcome.operator bool());
}

BOOST_AUTO_TEST_CASE(shows_its_new_certificate_to_who_comes_then) {
  hub_node hub{directory, secured()};
  client_node client{to(hub)};
  BOOST_TEST(client.run(target, "true").outcome.operator bool());
  certificates.renew("hub");
  BOOST_TEST(hub.notices.wait_for("are used from now on"));
  const certificate_ptr shown = shown_by(hub.port, client_files);
  BOOST_TEST(X509_cmp(shown.get(), read_certificate(hub_files.certificate).get()) == 0);
  // Who was there stays.
  BOOST_TEST(client.run(target, "true").outcome.operator bool());
}

BOOST_AUTO_TEST_CASE(keeps_what_it_has_when_they_are_of_no_use) {
  hub_node hub{directory, secured()};
  std::ofstream{hub_files.certificate} << "nonsense\n";
  BOOST_TEST(hub.notices.wait_for("not used: " + hub_files.certificate + " holds no certificate"));
  client_node client{to(hub)};
  BOOST_TEST(client.run(target, "true").outcome.operator bool());
}

BOOST_AUTO_TEST_CASE(takes_no_list_of_another_authority) {
  hub_node hub{directory, secured()};
  client_node client{to(hub)};
  BOOST_TEST(client.run(target, "true").outcome.operator bool());
  const app::authority foreign{directory.path() / "foreign"};
  fs::copy_file(foreign.files_of("any").revocations, hub_files.revocations,
                fs::copy_options::overwrite_existing);
  BOOST_TEST(hub.notices.wait_for("holds no list of an authority"));
  BOOST_TEST(client.run(target, "true").outcome.operator bool());
}

BOOST_AUTO_TEST_CASE(tries_files_again_that_were_of_no_use) {
  hub_node hub{directory, secured()};
  certificates.renew("hub", {.from = 3s, .until = 24h});
  BOOST_TEST(hub.notices.wait_for("is not valid before"));
  BOOST_TEST(hub.notices.wait_for("are used from now on"));
}

BOOST_AUTO_TEST_CASE(warns_of_an_end_that_is_near) {
  publish_settings config = secured();
  config.tls = certificates.issue("hub", tls_role::server, {.until = 29 * 24h});
  hub_node hub{directory, config};
  BOOST_TEST(hub.notices.wait_for(config.tls.certificate + " expires on"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(a_client_with_tls_refuses, stage)

BOOST_AUTO_TEST_CASE(a_hub_whose_certificate_is_revoked) {
  hub_node hub{directory, secured()};
  certificates.revoke("hub");
  contains(reason_for(*this, hub, client_files), "certificate revoked");
}

BOOST_AUTO_TEST_CASE(a_hub_of_a_foreign_authority) {
  const app::authority foreign{directory.path() / "foreign"};
  publish_settings config;
  config.tls = foreign.issue("hub", tls_role::server);
  hub_node hub{directory, config};
  contains(reason_for(*this, hub, client_files), "the peer's certificate was refused");
}

BOOST_AUTO_TEST_CASE(whoever_plays_the_hub_without_a_hubs_certificate) {
  for (const tls_files& files :
       {certificates.issue("thief", tls_role::client), without_role(*this)}) {
    const auto listener = testing::listen_on("127.0.0.1");
    const tls_context thiefs_context = unchecked(files, TLS_server_method());
    auto answer = std::async(std::launch::async, [&] {
      pollfd arrival{listener.get(), POLLIN, 0};
      ::poll(&arrival, 1, 60'000);
      const ssh::file_descriptor socket{::accept(listener.get(), nullptr, nullptr)};
      const std::unique_ptr<SSL, decltype(&SSL_free)> server{SSL_new(thiefs_context.get()),
                                                             SSL_free};
      SSL_set_fd(server.get(), socket.get());
      SSL_accept(server.get());
      // A hub's first byte, without which a client would wait on.
      SSL_write(server.get(), "x", 1);
    });
    const auto context = load_tls(client_files, tls_role::client);
    BOOST_REQUIRE(context);
    contains(reason_for_client(testing::port_of(listener), *context),
             "unsuitable certificate purpose");
    answer.get();
  }
}

BOOST_AUTO_TEST_CASE(a_hub_in_the_clear) {
  hub_node hub{directory, in_the_clear()};
  contains(reason_for(*this, hub, client_files), "the TLS handshake failed");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(the_files_of_tls, stage)

BOOST_AUTO_TEST_CASE(must_all_be_given) {
  contains(complaint_about({}), "a certificate is missing");
  contains(complaint_about({hub_files.certificate, "", hub_files.authority}), "a key is missing");
  contains(complaint_about({hub_files.certificate, hub_files.key, ""}), "an authority is missing");
}

BOOST_AUTO_TEST_CASE(must_be_there) {
  tls_files files = hub_files;
  files.key = "/no/such/key";
  contains(complaint_about(files), "/no/such/key: No such file or directory");
  files.key = directory.path();
  contains(complaint_about(files), "not a file");
}

BOOST_AUTO_TEST_CASE(must_hold_what_they_are_for) {
  const std::string nonsense = directory.path() / "nonsense";
  std::ofstream{nonsense} << "nonsense\n";
  for (auto member :
       {&tls_files::certificate, &tls_files::key, &tls_files::authority, &tls_files::revocations}) {
    tls_files files = hub_files;
    files.*member = nonsense;
    contains(complaint_about(files), nonsense + " holds no");
  }
}

BOOST_AUTO_TEST_CASE(must_fit_each_other) {
  tls_files files = hub_files;
  files.key = client_files.key;
  contains(complaint_about(files), files.key + " is not the key of the certificate");
}

BOOST_AUTO_TEST_CASE(must_be_valid_today) {
  contains(complaint_about(certificates.issue("old", tls_role::server, {-48h, -24h})),
           "expired on");
  contains(complaint_about(certificates.issue("new", tls_role::server, {24h, 48h})),
           "is not valid before");
}

BOOST_AUTO_TEST_CASE(must_be_for_our_own_role) {
  contains(complaint_about(client_files), "lacks the extended key usage serverAuth");
  contains(complaint_about(without_role(*this)), "lacks the extended key usage serverAuth");
  const auto loaded = load_tls(hub_files, tls_role::client);
  BOOST_REQUIRE(!loaded);
  contains(to_failure(loaded.error()).message, "lacks the extended key usage clientAuth");
}

BOOST_AUTO_TEST_CASE(must_be_of_an_authority_that_is_valid_today) {
  reissue(*this, hub_files.authority, [](X509* x) { X509_gmtime_adj(X509_getm_notAfter(x), -60); });
  contains(complaint_about(hub_files), hub_files.authority + " expired on");
}

BOOST_AUTO_TEST_CASE(are_readable_by_their_owner_alone_if_they_are_keys) {
  for (const auto& key : {hub_files.key, (directory.path() / "tls" / "authority.key").string()}) {
    struct stat status {};

    BOOST_REQUIRE(::stat(key.c_str(), &status) == 0);
    BOOST_TEST((status.st_mode & 0777) == 0600);
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(publishing, stage)

BOOST_AUTO_TEST_CASE(without_tls_is_for_loopback_alone) {
  publish_settings config = in_the_clear();
  config.address.host = "0.0.0.0";
  network_config system_config;
  caf::actor_system system{system_config};
  settings executor_config;
  executor_config.journal = "none";
  const auto executor = spawn_executor(system, executor_config);
  BOOST_REQUIRE(executor);
  const auto refused = publish_executor(system, *executor, config);
  BOOST_TEST(!refused);
  BOOST_TEST(is(refused.error(), error_code::configuration_error));
  contains(to_failure(refused.error()).message, "0.0.0.0 is no loopback address");
  config.plain = false;
  BOOST_TEST(!publish_executor(system, *executor, config));
  caf::anon_send_exit(*executor, caf::exit_reason::user_shutdown);
}

BOOST_AUTO_TEST_CASE(needs_a_heartbeat) {
  network_config system_config;
  system_config.set("middleman.heartbeat-interval", caf::timespan{0});
  caf::actor_system system{system_config};
  const auto refused = check_networking(system);
  BOOST_TEST(is(refused, error_code::configuration_error));
  contains(to_failure(refused).message, "heartbeat-interval");
}

BOOST_AUTO_TEST_CASE(says_that_its_port_is_taken) {
  hub_node first{directory, in_the_clear()};
  publish_settings config = in_the_clear();
  config.address.port = first.port;
  const auto refused = publish_executor(first.system, first.executor, config);
  BOOST_TEST(is(refused.error(), error_code::configuration_error));
  contains(to_failure(refused.error()).message, "127.0.0.1:" + std::to_string(first.port));
}

BOOST_AUTO_TEST_SUITE_END()
