#include "sshexec/actors/settings.hpp"
#include "sshexec/messages/failure.hpp"

#include <boost/test/unit_test.hpp>
#include <caf/actor_system_config.hpp>

#include <sstream>

using namespace sshexec;
using namespace std::chrono_literals;

namespace {

/// What a hub's configuration file with this text gives.
caf::expected<settings> read(const std::string& text) {
  caf::actor_system_config config;
  std::istringstream file{text};
  if (auto error = config.parse({}, file))
    return error;
  return read_settings(caf::content(config));
}

std::string complaint(const std::string& text) {
  const auto result = read(text);
  BOOST_REQUIRE(!result);
  return to_failure(result.error()).message;
}

} // namespace

BOOST_AUTO_TEST_SUITE(configuration)

BOOST_AUTO_TEST_CASE(an_empty_file_gives_the_defaults) {
  const auto result = read("");
  BOOST_REQUIRE(result);
  BOOST_TEST((result->connect_timeout == 10s));
  BOOST_TEST((result->retry_delays == std::vector<caf::timespan>{1s, 2s, 4s}));
  BOOST_TEST((result->host_key_policy == host_key_policy::accept_new));
  BOOST_TEST(result->max_output == 16777216U);
  BOOST_TEST((result->idle_timeout == 5min));
}

BOOST_AUTO_TEST_CASE(every_option_is_read) {
  const auto result = read(R"([sshexec]
user = "admin"
identity-file = "/keys/id"
passphrase-file = "/keys/passphrase"
password-file = "/keys/password"
identity-agent = "/run/agent"
host-key-policy = "strict"
known-hosts-file = "/keys/known_hosts"
connect-timeout = 3s
retry-delays = [10ms, 1min]
retry-jitter = 0.25
command-timeout = 7s
max-output = 1000
kill-grace = 500ms
max-connects-per-host = 3
max-channels = 4
max-queued = 9
idle-timeout = 2min
keepalive-interval = 15s
journal = "/var/log/journal"
journal-format = "json"
journal-max-size = 4096
journal-max-files = 2
)");
  BOOST_REQUIRE(result);
  BOOST_TEST(result->user == "admin");
  BOOST_TEST(result->identity_file == "/keys/id");
  BOOST_TEST(result->passphrase_file == "/keys/passphrase");
  BOOST_TEST(result->password_file == "/keys/password");
  BOOST_TEST(result->identity_agent == "/run/agent");
  BOOST_TEST((result->host_key_policy == host_key_policy::strict));
  BOOST_TEST(result->known_hosts_file == "/keys/known_hosts");
  BOOST_TEST((result->connect_timeout == 3s));
  BOOST_TEST((result->retry_delays == std::vector<caf::timespan>{10ms, 1min}));
  BOOST_TEST(result->retry_jitter == 0.25);
  BOOST_TEST((result->command_timeout == 7s));
  BOOST_TEST(result->max_output == 1000U);
  BOOST_TEST((result->kill_grace == 500ms));
  BOOST_TEST(result->max_connects_per_host == 3U);
  BOOST_TEST(result->max_channels == 4U);
  BOOST_TEST(result->max_queued == 9U);
  BOOST_TEST((result->idle_timeout == 2min));
  BOOST_TEST((result->keepalive_interval == 15s));
  BOOST_TEST(result->journal == "/var/log/journal");
  BOOST_TEST(result->journal_format == "json");
  BOOST_TEST(result->journal_max_size == 4096U);
  BOOST_TEST(result->journal_max_files == 2U);
}

BOOST_AUTO_TEST_CASE(a_value_of_the_wrong_type_is_an_error_and_not_the_default) {
  BOOST_TEST(!read("[sshexec]\nconnect-timeout = \"soon\"\n"));
  BOOST_TEST(!read("[sshexec]\nmax-channels = -1\n"));
}

BOOST_AUTO_TEST_CASE(an_option_that_does_not_exist_is_an_error) {
  BOOST_TEST(complaint("[sshexec]\nmax-chanels = 3\n")
             == "Option sshexec.max-chanels does not exist");
}

BOOST_AUTO_TEST_CASE(an_error_names_the_option_and_what_is_allowed) {
  BOOST_TEST(complaint("[sshexec]\nhost-key-policy = \"lax\"\n")
             == "Option sshexec.host-key-policy cannot be \"lax\": accept-new (default), strict or "
                "off");
  BOOST_TEST(complaint("[sshexec]\njournal-format = \"xml\"\n")
             == "Option sshexec.journal-format is plain or json");
  BOOST_TEST(complaint("[sshexec]\nmax-channels = 0\n")
             == "Option sshexec.max-channels is at least 1");
  BOOST_TEST(complaint("[sshexec]\nmax-output = 1073741825\n")
             == "Option sshexec.max-output is at most 1 GiB");
  BOOST_TEST((read("[sshexec]\nmax-output = 1073741824\n") || false));
  BOOST_TEST(complaint("[sshexec]\nretry-jitter = 2\n") == "Option sshexec.retry-jitter is 0 to 1");
}

BOOST_AUTO_TEST_SUITE_END()
