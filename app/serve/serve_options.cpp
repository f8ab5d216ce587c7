#include "sshexec/app/serve/serve_options.hpp"

#include "sshexec/app/command_line.hpp"
#include "sshexec/app/option_reader.hpp"
#include "sshexec/app/quantities.hpp"
#include "sshexec/app/target.hpp"

#include <utility>

namespace sshexec::app {

namespace {

using failed = tl::unexpected<std::string>;
using checked = tl::expected<void, std::string>;

constexpr const char* explanation = R"(
Other processes run commands through it with "sshexec run --hub HOST:PORT", or with
connect_executor of the C++ library. It prints one line when it is ready.

Examples:
  sshexec serve --plain                        on 127.0.0.1:7022, for this machine alone
  sshexec authority tls                        makes certificates to try it out
  sshexec serve --listen 0.0.0.0:7022 \
    --tls-cert tls/hub.crt --tls-key tls/hub.key --tls-ca tls/authority.crt
  sshexec serve --plain --node-plain --node 127.0.0.1:7101 --node 127.0.0.1:7102
                                               spreads machines over two others

Signals:
  TERM, INT   no new commands; ends when those under way have, or after the drain timeout.
              A second one ends it at once.
  HUP         opens the journal's file anew, after it was moved away.

Exit codes:
  0 after TERM or INT; 255 when it cannot start, said in one line on stderr.
)";

/// For commands that run when the hub is told to end.
constexpr caf::timespan default_drain_timeout = std::chrono::seconds{30};

/// What the command line and the configuration file say about nodes.
struct node_options {
  std::vector<std::string> addresses;
  bool plain = false;
  tls_files tls;
};

checked apply(const caf::settings& values, std::string& listen, publish_settings& x,
              node_options& nodes) {
  option_reader options{"sshexec.serve", values};
  options.read("nodes", nodes.addresses);
  options.read("node-plain", nodes.plain);
  options.read("node-cert", nodes.tls.certificate);
  options.read("node-key", nodes.tls.key);
  options.read("node-ca", nodes.tls.authority);
  options.read("listen", listen);
  options.read("plain", x.plain);
  options.read("tls-cert", x.tls.certificate);
  options.read("tls-key", x.tls.key);
  options.read("tls-ca", x.tls.authority);
  options.read("tls-crl", x.tls.revocations);
  options.read("handshake-timeout", x.handshake_timeout);
  if (x.handshake_timeout <= caf::timespan{0} || x.handshake_timeout > longest_duration)
    options.complain("handshake-timeout must be longer than 0 and at most a year");
  return options.finish();
}

checked apply(const serve_options& options, std::string& listen, publish_settings& x) {
  override_with(listen, options.listen);
  override_with(x.tls.certificate, options.certificate);
  override_with(x.tls.key, options.key);
  override_with(x.tls.authority, options.authority);
  override_with(x.tls.revocations, options.revocations);
  x.plain = x.plain || options.plain;
  if (x.plain && !x.tls.empty())
    return failed{"either TLS or --plain, not both"};
  auto address = parse_address(listen);
  if (!address)
    return failed{address.error()};
  x.address = std::move(*address);
  return {};
}

tl::expected<std::vector<connect_settings>, std::string> make_nodes(const serve_options& options,
                                                                    node_options x) {
  if (!options.nodes.empty())
    x.addresses = options.nodes;
  override_with(x.tls.certificate, options.node_certificate);
  override_with(x.tls.key, options.node_key);
  override_with(x.tls.authority, options.node_authority);
  x.plain = x.plain || options.node_plain;
  if (x.plain && !x.tls.empty())
    return failed{"either TLS to the nodes or --node-plain, not both"};
  std::set<std::string> seen;
  std::vector<connect_settings> result;
  for (const std::string& text : x.addresses) {
    auto address = parse_address(text);
    if (!address)
      return failed{address.error()};
    if (address->port == 0)
      return failed{"--node wants HOST:PORT, not '" + text + "'"};
    if (!seen.insert(to_string(*address)).second)
      return failed{"node " + text + " is given twice"};
    connect_settings& node = result.emplace_back();
    node.hub = std::move(*address);
    node.plain = x.plain;
    node.tls = x.tls;
  }
  return result;
}

checked apply(const serve_options& options, settings& x) {
  override_with(x.journal, options.journal);
  override_with(x.journal_format, options.journal_format);
  if (!options.drain_timeout)
    return {};
  const auto parsed = parse_duration(*options.drain_timeout);
  if (!parsed)
    return failed{parsed.error()};
  x.drain_timeout = *parsed;
  return {};
}

} // namespace

void add_serve_options(CLI::App& serve, serve_options& x) {
  serve.footer(explanation);
  serve
    .add_option("--listen", x.listen,
                "where to listen (default: 127.0.0.1:7022); port 0 takes any that is free")
    ->type_name("HOST:PORT");
  serve.add_flag("--plain", x.plain,
                 "without TLS: whoever reaches the port may run commands, so only on loopback");
  serve.add_option("--tls-cert", x.certificate, "our certificate, with the chain behind it")
    ->type_name("FILE");
  serve.add_option("--tls-key", x.key, "its key, unencrypted")->type_name("FILE");
  serve.add_option("--tls-ca", x.authority, "the authority that signs clients' certificates")
    ->type_name("FILE");
  serve
    .add_option("--tls-crl", x.revocations,
                "the authority's list of revoked certificates; all TLS files are read anew when "
                "they change")
    ->type_name("FILE");
  serve
    .add_option("--drain-timeout", x.drain_timeout,
                "for commands under way when it is told to end (default: 30s)")
    ->type_name("TIME");
  serve.add_option("--journal", x.journal, "a file, stderr (default), or none")->type_name("FILE");
  serve.add_option("--journal-format", x.journal_format, "plain (default) or json")
    ->type_name("FORMAT")
    ->check(one_of({"plain", "json"}));
  serve
    .add_option("--config", x.config_file,
                "CAF configuration file with the groups sshexec and sshexec.serve")
    ->type_name("FILE");

  const std::string group = "As a router";
  serve
    .add_option("--node", x.nodes,
                "spread the machines over these hubs instead of running commands itself; may "
                "be given several times")
    ->type_name("HOST:PORT")
    ->group(group);
  serve.add_flag("--node-plain", x.node_plain, "no TLS to the nodes, which are on this machine")
    ->group(group);
  serve.add_option("--node-cert", x.node_certificate, "our certificate as a client of the nodes")
    ->type_name("FILE")
    ->group(group);
  serve.add_option("--node-key", x.node_key, "its key")->type_name("FILE")->group(group);
  serve
    .add_option("--node-ca", x.node_authority, "the authority that signed the nodes' certificates")
    ->type_name("FILE")
    ->group(group);
  refuse_empty_values(serve);
}

tl::expected<serve_request, std::string> to_request(const serve_options& options) {
  auto config = read_configuration(options.config_file,
                                   {{"drain-timeout", caf::config_value{default_drain_timeout}}});
  if (!config)
    return failed{config.error()};
  serve_request request;
  request.executor = std::move(config->executor);
  request.system = std::move(config->system);
  std::string listen = "127.0.0.1:7022";
  node_options from_file;
  for (const auto& done :
       {apply(config->serve, listen, request.published, from_file),
        apply(options, listen, request.published), apply(options, request.executor)}) {
    if (!done)
      return failed{done.error()};
  }
  auto nodes = make_nodes(options, std::move(from_file));
  if (!nodes)
    return failed{nodes.error()};
  request.nodes = std::move(*nodes);
  return request;
}

} // namespace sshexec::app
