#include "sshexec/app/run/run_options.hpp"

#include "sshexec/app/command_line.hpp"
#include "sshexec/app/configuration.hpp"
#include "sshexec/app/quantities.hpp"
#include "sshexec/app/run/local_terminal.hpp"
#include "sshexec/app/run/standard_input.hpp"
#include "sshexec/app/secret_prompt.hpp"
#include "sshexec/app/target.hpp"

#include <CLI/CLI.hpp>

#include <cstdlib>
#include <initializer_list>
#include <utility>

namespace sshexec::app {

namespace {

using failed = tl::unexpected<std::string>;
using checked = tl::expected<void, std::string>;

constexpr const char* examples = R"(
Examples:
  sshexec run web-1 -- uptime
  sshexec run -i ~/.ssh/deploy -t 5m deploy@db-1:2222 -- 'pg_dump shop | gzip'
  sshexec run --json web-1 -- df -h / | jq .stdout
  sshexec run web-1 -- 'tar xz -C /srv' < site.tar.gz
  sshexec run --pty -t 1h web-1 -- top
  sshexec run 'web-[1-20],@db' -x web-3 --at-once 5 --max-failures 5% -- uptime
  sshexec run --hub localhost:7022 --hub-plain web-1 -- uptime

Output is printed as it comes: stdout to stdout, stderr to stderr. A slow reader slows the
command down. When the reader leaves, as head does, the command is ended. stdin is passed on,
unless the tool runs in the background of a terminal.

Ctrl-C, TERM and HUP kill the remote command and print what is known of its end. A second one
ends the tool at once.

Exit codes:
  N      the remote command's own
  124    the time was up; the output so far was printed
  128+N  signal N ended the command or the tool (130: Ctrl-C, 141: nobody reads the output)
  255    any other error, told in one line on stderr

Many machines (several targets, a set, or an option for many) get the command all at the same
time. Lines stand behind the machine's name, and stdin is not passed on. The exit code is 0 if
all succeeded, 1 if some command ended with another code, 3 if some machine gave an error or was
never started, 124 if all that failed timed out. The first Ctrl-C starts no other machine, the
second ends what is under way, the third ends the tool.

--json prints one object: exit_code (null after a signal), signal, stdout, stderr,
duration_ms, attempts, reused_connection and timings, or error with code and message.
Output that is not UTF-8 comes as stdout_base64 or stderr_base64 instead.
)";

/// The delays for so many retries: 1 s, 2 s, 4 s, …
std::vector<caf::timespan> doubling_delays(unsigned retries) {
  std::vector<caf::timespan> result;
  caf::timespan delay = std::chrono::seconds{1};
  for (unsigned i = 0; i < retries; ++i, delay *= 2)
    result.push_back(delay);
  return result;
}

template <class T, class Parser>
checked parse_into(T& field, const std::optional<std::string>& given, Parser parse) {
  if (!given)
    return {};
  auto parsed = parse(*given);
  if (!parsed)
    return failed{parsed.error()};
  field = *parsed;
  return {};
}

/// What holds for one command unless a file says otherwise.
caf::settings defaults_of_run() {
  // One command needs no record of its own on the terminal, and no channel for the next one.
  caf::settings result{{"journal", caf::config_value{"none"}},
                       {"spare-channel", caf::config_value{false}},
                       {"ssh-config", caf::config_value{usual_ssh_config}}};
  // As ssh does.
  const char* agent = std::getenv("SSH_AUTH_SOCK");
  if (agent != nullptr && *agent != '\0')
    result.emplace("identity-agent", caf::config_value{"SSH_AUTH_SOCK"});
  return result;
}

/// What the command line says prevails over OpenSSH's configuration, too.
void apply_ssh_options(const run_options& options, settings& config) {
  override_with(config.ssh_config, options.ssh_config);
  // That none were given would not show. This keeps programs and jumps out alike, which ssh's own
  // ProxyJump=none does not.
  if (options.via && options.via->empty())
    config.ssh_options.emplace_back("ProxyCommand=none");
  config.ssh_options.insert(config.ssh_options.end(), options.ssh_options.begin(),
                            options.ssh_options.end());
  const auto prevail = [&config](bool is_given, const char* name) {
    if (is_given)
      config.over_ssh_config.emplace_back(name);
  };
  prevail(options.host_key_policy.has_value(), "host-key-policy");
  prevail(options.known_hosts.has_value(), "known-hosts-file");
  prevail(options.connect_timeout.has_value(), "connect-timeout");
  prevail(options.retries.has_value(), "retry-delays");
}

checked apply(const run_options& options, settings& config) {
  apply_ssh_options(options, config);
  override_with(config.passphrase_file, options.passphrase_file);
  override_with(config.known_hosts_file, options.known_hosts);
  override_with(config.journal, options.journal);
  override_with(config.journal_format, options.journal_format);
  if (options.retries)
    config.retry_delays = doubling_delays(*options.retries);
  if (options.host_key_policy == "accept-new")
    config.host_key_policy = host_key_policy::accept_new;
  else if (options.host_key_policy == "strict")
    config.host_key_policy = host_key_policy::strict;
  else if (options.host_key_policy == "off")
    config.host_key_policy = host_key_policy::off;
  return parse_into(config.connect_timeout, options.connect_timeout, parse_duration);
}

checked add_environment(const std::vector<std::string>& assignments, command& what) {
  for (const std::string& assignment : assignments) {
    const auto sign = assignment.find('=');
    if (sign == std::string::npos || sign == 0)
      return failed{"--env wants NAME=VALUE, not '" + assignment + "'"};
    what.environment[assignment.substr(0, sign)] = assignment.substr(sign + 1);
  }
  return {};
}

tl::expected<command, std::string> make_command(const run_options& options) {
  command what;
  // Like ssh: the remote shell gets the words joined by spaces.
  for (const std::string& word : options.words)
    what.line += (what.line.empty() ? "" : " ") + word;
  if (options.retry == "not-started")
    what.retry = retry_policy::only_if_not_started;
  else if (options.retry == "never")
    what.retry = retry_policy::never;
  if (options.pty)
    what.pty = like_local_terminal();
  what.tracked = options.tracked;
  for (const auto& result : {parse_into(what.timeout, options.timeout, parse_limit),
                             parse_into(what.deadline, options.deadline, parse_limit),
                             parse_into(what.max_output, options.max_output, parse_size),
                             add_environment(options.environment, what)}) {
    if (!result)
      return failed{result.error()};
  }
  // What is printed as it comes need not be kept as well.
  if (!options.json && !options.max_output)
    what.max_output = 0;
  return what;
}

/// What only an executor of this process can be told; nothing if none of it was given.
std::optional<std::string> option_without_hub(const run_options& options) {
  const std::initializer_list<std::pair<bool, const char*>> local{
    {options.ssh_config.has_value(), "-F"},
    {!options.ssh_options.empty(), "-o"},
    {options.via && options.via->empty(), "-J none"},
    {options.passphrase_file.has_value(), "--passphrase-file"},
    {options.password_file.has_value(), "--password-file"},
    {options.ask_password, "--ask-password"},
    {options.host_key_policy.has_value(), "--host-key-policy"},
    {options.known_hosts.has_value(), "--known-hosts"},
    {options.connect_timeout.has_value(), "--connect-timeout"},
    {options.retries.has_value(), "--retries"},
    {options.journal.has_value(), "--journal"},
    {options.journal_format.has_value(), "--journal-format"},
  };
  for (const auto& [is_given, name] : local)
    if (is_given)
      return name;
  return std::nullopt;
}

tl::expected<std::optional<connect_settings>, std::string> make_hub(const run_options& options,
                                                                    const caf::settings& group) {
  auto hub = choose_hub(options.hub, std::getenv("SSHEXEC_HUB"), group);
  const auto local = option_without_hub(options);
  if (hub && *hub && local)
    return failed{*local + " is decided by the hub that runs the command (--hub none: no hub)"};
  return hub;
}

/// Help without a list, in each line, of what goes with what.
class plain_formatter : public CLI::Formatter {
public:
  std::string make_option_opts(const CLI::Option* option) const override {
    return option->get_type_size() == 0 ? "" : ' ' + option->get_type_name();
  }

  std::string make_usage(const CLI::App* /*command*/, std::string name) const override {
    return "Usage: " + name + " [OPTIONS] TARGET... -- COMMAND\n";
  }
};

void add_login_options(CLI::App& run, run_options& x) {
  const std::string login = "Login";
  run.add_option("-l,--user", x.user, "user name on the machine")->type_name("NAME")->group(login);
  run.add_option("-p,--port", x.port, "port (default: 22, or as OpenSSH's files say)")
    ->type_name("PORT")
    ->group(login);
  run.add_option("-i,--identity", x.identity, "private key (default: those in ~/.ssh)")
    ->type_name("FILE")
    ->group(login);
  run
    .add_option_function<std::string>(
      "-J,--jump",
      [&x](const std::string& text) {
        auto jumps = parse_jumps(text);
        if (!jumps)
          throw CLI::ValidationError{"--jump", jumps.error()};
        x.via = std::move(*jumps);
      },
      "connect through this machine, or these, the nearest\n"
      "first; -l, -p and -i are not for them")
    ->type_name("TARGET,...")
    ->group(login);
  run
    .add_option(
      "-F,--ssh-config", x.ssh_config,
      "OpenSSH's configuration, or none (default:\n~/.ssh/config and /etc/ssh/ssh_config)")
    ->type_name("FILE")
    ->group(login);
  run
    .add_option("-o,--ssh-option", x.ssh_options,
                "a line before all of that, as ssh's -o; may be given\nseveral times")
    ->type_name("KEY=VALUE")
    ->allow_extra_args(false)
    ->take_all()
    ->group(login);
  run
    .add_option("--passphrase-file", x.passphrase_file,
                "file with the passphrase of the key in its first line")
    ->type_name("FILE")
    ->group(login);
  CLI::Option* ask = run.add_flag("--ask-password", x.ask_password,
                                  "ask for a password on the terminal, once, for machines\n"
                                  "that want one");
  ask->group(login);
  run.add_option("--password-file", x.password_file, "file with that password in its first line")
    ->type_name("FILE")
    ->excludes(ask)
    ->group(login);
  run
    .add_option("--host-key-policy", x.host_key_policy,
                "what to do about an unknown host key: accept-new\n(default), strict, or off")
    ->type_name("POLICY")
    ->check(one_of({"accept-new", "strict", "off"}))
    ->group(login);
  run.add_option("--known-hosts", x.known_hosts, "host keys on record (~/.ssh/known_hosts)")
    ->type_name("FILE")
    ->group(login);
}

void add_limits(CLI::App& run, run_options& x) {
  const std::string limits = "Limits";
  run
    .add_option("-t,--timeout", x.timeout,
                "time to run, such as 500ms, 90s, 5m, 2h, 1d or none\n(default: 30s)")
    ->type_name("TIME")
    ->group(limits);
  run
    .add_option("--deadline", x.deadline,
                "time for everything: to wait, connect, retry and run; for\n"
                "all machines (default: none)")
    ->type_name("TIME")
    ->group(limits);
  run.add_option("--connect-timeout", x.connect_timeout, "for each attempt (default: 10s)")
    ->type_name("TIME")
    ->group(limits);
  run.add_option("--retries", x.retries, "retries after 1 s, 2 s, 4 s, … (0 to 20; default: 3)")
    ->type_name("NUMBER")
    ->check(unnamed(CLI::Range(0, 20)))
    ->group(limits);
  run
    .add_option("--retry", x.retry,
                "when to rerun a command whose connection was lost:\n"
                "always, not-started, or never (default: if none of its\n"
                "output was printed)")
    ->type_name("POLICY")
    ->check(one_of({"always", "not-started", "never"}))
    ->group(limits);
  run
    .add_flag("--tracked", x.tracked,
              "find and kill all processes of the command when it is\n"
              "ended, whatever the server does with signals; uses a\n"
              "second channel")
    ->group(limits);
}

void add_data_options(CLI::App& run, run_options& x) {
  const std::string data = "Input and output";
  run.add_option("--env", x.environment, "set a variable there; may be given several times")
    ->type_name("NAME=VALUE")
    ->allow_extra_args(false)
    ->take_all()
    ->group(data);
  CLI::Option* without = run.add_flag("-n,--no-stdin", x.without_stdin, "do not read stdin");
  without->group(data);
  run
    .add_flag("--stdin", x.with_stdin,
              "pass stdin on (default for one machine, unless it is a\n"
              "terminal that has the tool in its background)")
    ->excludes(without)
    ->group(data);
  run.add_flag("--pty", x.pty, "run it in a terminal; stdout and stderr are one then")->group(data);
  run
    .add_flag("--json", x.json,
              "print the result as one JSON object; a line for each of\n"
              "many machines")
    ->group(data);
  run
    .add_option("--max-output", x.max_output,
                "print the output at the end, and of each stream no more\n"
                "than so many bytes from its beginning and its end\n"
                "(default with --json: 16M)")
    ->type_name("SIZE")
    ->group(data);
  run.add_option("--journal", x.journal, "a file, stderr, or none (default)")
    ->type_name("FILE")
    ->group(data);
  run.add_option("--journal-format", x.journal_format, "plain (default) or json")
    ->type_name("FORMAT")
    ->check(one_of({"plain", "json"}))
    ->group(data);
  run.add_option("--config", x.config_file, "CAF configuration file with a group sshexec")
    ->type_name("FILE")
    ->group(data);
}

/// What a hub decides by itself goes with its configuration; of a file of ours, what is for CAF
/// counts.
void add_hub_options(CLI::App& run, run_options& x) {
  const std::string hub = "Through a hub (sshexec serve)";
  run
    .add_option("--hub", x.hub.address,
                "run through this hub; the -i path is then a path on the\nhub's machine (default: "
                "SSHEXEC_HUB)")
    ->type_name("HOST:PORT")
    ->group(hub);
  run.add_flag("--hub-plain", x.hub.plain, "without TLS, on this machine")->group(hub);
  run.add_option("--hub-cert", x.hub.tls.certificate, "our certificate")
    ->type_name("FILE")
    ->group(hub);
  run.add_option("--hub-key", x.hub.tls.key, "its key")->type_name("FILE")->group(hub);
  run
    .add_option("--hub-ca", x.hub.tls.authority, "the authority that signed the hub's certificate")
    ->type_name("FILE")
    ->group(hub);
}

} // namespace

void add_run_options(CLI::App& run, run_options& x) {
  run.formatter(std::make_shared<plain_formatter>());
  run.get_formatter()->column_width(26);
  run.footer(examples);
  // CLI11 takes as many as are expected at the least, and does not ask for the rest. With "extra"
  // arguments it would take a word such as "[1-3]" for a list, and its brackets away.
  run
    .add_option("target", x.targets,
                "[user@]host[:port] or ssh://[user@]host[:port]; many\n"
                "machines: several targets, or a set: web-[1-20],@db")
    ->type_name("")
    ->take_all()
    ->allow_extra_args(false)
    ->expected(CLI::detail::expected_max_vector_size, CLI::detail::expected_max_vector_size);
  add_login_options(run, x);
  add_limits(run, x);
  add_data_options(run, x);
  add_hub_options(run, x);
}

tl::expected<machine, std::string> make_machine(const run_options& options,
                                                const std::string& text) {
  auto target = parse_target(text, options.port.value_or(0));
  if (!target)
    return target;
  if (const auto objection = objection_to_user(options.user.value_or("")))
    return failed{*objection};
  if (options.user && !target->username.empty() && *options.user != target->username)
    return failed{"-l " + *options.user + " contradicts '" + text + "'"};
  if (options.port && *options.port != target->port)
    return failed{"-p " + std::to_string(*options.port) + " contradicts '" + text + "'"};
  apply_login(options, *target);
  return target;
}

void apply_login(const run_options& options, machine& target) {
  override_with(target.username, options.user);
  override_with(target.port, options.port);
  override_with(target.identity_file, options.identity);
  override_with(target.via, options.via);
}

tl::expected<void, std::string> take_password(const run_options& options, settings& config) {
  if (!options.ask_password && !options.password_file)
    return {};
  auto given
    = options.ask_password ? ask_for_secret("Password: ") : read_secret(*options.password_file);
  return std::move(given).map(
    [&](ssh::secret&& password) { config.password = std::move(password); });
}

tl::expected<run_request, std::string> to_request_for_any(const run_options& options) {
  run_request request;
  request.json = options.json;
  request.collects = options.max_output.has_value();
  request.feeds_stdin = options.with_stdin || (!options.without_stdin && standard_input::is_ours());
  request.may_begin_anew = options.retry == "always";
  auto config = read_configuration(options.config_file, defaults_of_run());
  if (!config)
    return failed{config.error()};
  if (const auto applied = apply(options, config->executor); !applied)
    return failed{applied.error()};
  auto hub = make_hub(options, config->hub);
  if (!hub)
    return failed{hub.error()};
  auto what = make_command(options);
  if (!what)
    return failed{what.error()};
  request.config = std::move(config->executor);
  request.system = std::move(config->system);
  request.groups = std::move(config->groups);
  request.hub = std::move(*hub);
  request.what = std::move(*what);
  return request;
}

tl::expected<run_request, std::string> to_request(const run_options& options) {
  auto target = make_machine(options, options.targets.front());
  if (!target)
    return failed{target.error()};
  auto request = to_request_for_any(options);
  if (!request)
    return request;
  request->target = std::move(*target);
  if (const auto asked = take_password(options, request->config); !asked)
    return failed{asked.error()};
  return request;
}

} // namespace sshexec::app
