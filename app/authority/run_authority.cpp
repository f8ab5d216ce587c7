#include "sshexec/app/authority/run_authority.hpp"

#include "sshexec/app/authority/authority.hpp"
#include "sshexec/app/command_line.hpp"
#include "sshexec/app/report.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <stdexcept>
#include <utility>

namespace sshexec::app {

namespace {

using clock = std::chrono::system_clock;

constexpr const char* explanation = R"(
Without an action: makes an authority, and certificates named hub and client, as far as they are not
there yet.

Actions:
  issue NAME            a key and a certificate for a client, or with --hub for a hub
  renew NAME            another certificate for the same key, which lasts longer
  revoke NAME           no hub that reads authority.crl takes the certificates of this name any more
  list                  all certificates: name, role, end, serial number, state

Examples:
  sshexec authority tls                  to begin with
  sshexec authority tls issue alice      tls/alice.crt and tls/alice.key
  sshexec authority tls revoke alice     then copy tls/authority.crl to the hubs
)";

std::string paths(const tls_files& x) {
  return fmt::format("cert {}, key {}, ca {}", x.certificate, x.key, x.authority);
}

void begin(const authority& made) {
  for (const auto& [name, role] :
       {std::pair{"hub", tls_role::server}, std::pair{"client", tls_role::client}}) {
    if (!made.has_issued(name))
      made.issue(name, role);
  }
  fmt::print("hub:    {}, crl {}\nclient: {}\n", paths(made.files_of("hub")),
             made.files_of("hub").revocations, paths(made.files_of("client")));
}

void issue(const authority& made, const authority_options& x) {
  if (!x.force && made.has_issued(x.name))
    throw std::runtime_error{
      x.name + " has a certificate: renew it, or replace it and its key with --force"};
  const auto role = x.for_hub ? tls_role::server : tls_role::client;
  fmt::print("{}: {}\n", x.name,
             paths(made.issue(x.name, role, {.until = std::chrono::days{x.days}})));
}

std::string state_of(const issued_certificate& x, clock::time_point now) {
  if (x.revoked)
    return "revoked";
  return x.until < now ? "expired" : "good";
}

void list(const authority& made) {
  const auto now = clock::now();
  for (const issued_certificate& x : made.list())
    fmt::print("{:<20} {:<6} {:%Y-%m-%d} {:<16} {}\n", x.name,
               x.role == tls_role::server ? "hub" : "client",
               fmt::gmtime(clock::to_time_t(x.until)), x.serial, state_of(x, now));
}

} // namespace

void add_authority_options(CLI::App& authority, authority_options& x) {
  authority.footer(explanation);
  authority.add_option("directory", x.directory, "where its files are, or go")
    ->type_name("DIRECTORY")
    ->required();
  authority.add_option("action", x.action, "issue, renew, revoke or list")
    ->type_name("ACTION")
    ->check(one_of({"issue", "renew", "revoke", "list"}));
  authority.add_option("name", x.name, "whose certificate")->type_name("NAME");
  authority.add_flag("--hub", x.for_hub, "issue: for a hub, not for a client");
  authority.add_option("--days", x.days, "issue, renew: how long it is good (default: 365)")
    ->type_name("NUMBER")
    ->check(unnamed(CLI::Range(1U, 3650U)));
  authority.add_flag("--force", x.force, "issue: replace a key that is there");
  refuse_empty_values(authority);
}

int run_authority(const authority_options& x) {
  const bool wants_name = x.action == "issue" || x.action == "renew" || x.action == "revoke";
  if (wants_name && x.name.empty())
    throw std::runtime_error{"name is required: sshexec authority DIRECTORY " + x.action + " NAME"};
  if (!wants_name && !x.name.empty())
    throw std::runtime_error{x.action + " takes no name"};
  const bool may_begin = x.action.empty() || x.action == "issue";
  const authority made{x.directory,
                       may_begin ? authority::absent::make : authority::absent::refuse};
  if (x.action == "issue")
    issue(made, x);
  else if (x.action == "renew")
    fmt::print("{}: {}\n", x.name, paths(made.renew(x.name, {.until = std::chrono::days{x.days}})));
  else if (x.action == "revoke")
    fmt::print("{}: {} revoked; hubs read it from {}\n", x.name, made.revoke(x.name),
               made.files_of(x.name).revocations);
  else if (x.action == "list")
    list(made);
  else
    begin(made);
  return 0;
}

} // namespace sshexec::app
