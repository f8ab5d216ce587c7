#include "sshexec/actors/settings.hpp"
#include "sshexec/app/quantities.hpp"
#include "sshexec/app/report.hpp"
#include "sshexec/app/target.hpp"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

using namespace sshexec;
using namespace sshexec::app;
using namespace std::chrono_literals;

namespace {

machine target(const std::string& text) {
  const auto result = parse_target(text);
  BOOST_REQUIRE_MESSAGE(result, text);
  return *result;
}

} // namespace

BOOST_AUTO_TEST_SUITE(command_line)

BOOST_AUTO_TEST_CASE(a_target_is_split_into_user_host_and_port) {
  BOOST_TEST(to_address(target("web-1")) == "web-1:22");
  BOOST_TEST(to_address(target("admin@web-1")) == "admin@web-1:22");
  BOOST_TEST(to_address(target("admin@web-1:2222")) == "admin@web-1:2222");
  BOOST_TEST(target("first.last@corp@web-1").username == "first.last@corp");
}

BOOST_AUTO_TEST_CASE(an_ipv6_address_may_stand_in_brackets) {
  BOOST_TEST(target("::1").hostname == "::1");
  BOOST_TEST(target("[::1]").hostname == "::1");
  BOOST_TEST(target("admin@[fe80::1]:2222").hostname == "fe80::1");
  BOOST_TEST(target("[fe80::1]:2222").port == 2222);
}

BOOST_AUTO_TEST_CASE(a_target_may_be_an_address_of_the_scheme_ssh) {
  BOOST_TEST(to_address(target("ssh://web-1")) == "web-1:22");
  BOOST_TEST(to_address(target("ssh://web-1/")) == "web-1:22");
  BOOST_TEST(to_address(target("ssh://admin@web-1:2222")) == "admin@web-1:2222");
  BOOST_TEST(target("ssh://admin@[fe80::1]:2222/").hostname == "fe80::1");
  BOOST_TEST(target("ssh://corp%5cadmin%40x@web-1").username == "corp\\admin@x");
  for (const char* text : {"ssh://", "ssh:///", "ssh://web-1/etc", "ssh://a%4@web-1",
                           "ssh://a%zz@web-1", "ssh://a%0a@web-1", "ssh://web-1:x"})
    BOOST_TEST(!parse_target(text), text);
}

BOOST_AUTO_TEST_CASE(jumps_are_targets_with_commas_between) {
  const auto jumps = parse_jumps("outer,admin@[fe80::1]:2222,ssh://inner:23");
  BOOST_REQUIRE(jumps);
  BOOST_REQUIRE(jumps->size() == 3U);
  BOOST_TEST(jumps->at(0).hostname == "outer");
  BOOST_TEST(jumps->at(0).port == 0);
  BOOST_TEST(jumps->at(1).username == "admin");
  BOOST_TEST(jumps->at(1).hostname == "fe80::1");
  BOOST_TEST(jumps->at(1).port == 2222);
  BOOST_TEST(jumps->at(2).port == 23);
  BOOST_TEST(parse_jumps("none").value().empty());
  for (const char* text : {"", "a,", ",a", "a,,b", "a b"})
    BOOST_TEST(!parse_jumps(text), text);
}

BOOST_AUTO_TEST_CASE(a_user_name_with_a_control_character_is_an_error_that_names_it) {
  const auto result = parse_target("a\tb@web-1");
  BOOST_REQUIRE(!result);
  BOOST_TEST(result.error().find("a\tb") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_target_that_makes_no_sense_is_an_error) {
  for (const char* text : {"", "@host", "user@", "host:", "host:0", "host:65536", "host:22x",
                           "host:-1", "[::1", "[::1]x", "[]:22", ":22", "a:b:c", "host:22:33",
                           "[a:b]:22", "[[a]:22", "::1%e]", "ho st", "ho\nst"})
    BOOST_TEST(!parse_target(text), text);
}

BOOST_AUTO_TEST_CASE(durations_are_read_with_their_units) {
  BOOST_TEST((parse_duration("30s") == 30s));
  BOOST_TEST((parse_duration("0.5s") == 500ms));
  BOOST_TEST((parse_duration("0") == 0s));
  BOOST_TEST((parse_duration("5min") == 5min));
  BOOST_TEST((parse_duration("1d") == 24h));
  BOOST_TEST(parse_duration("30").error() == "'30' has no unit: write 30s for seconds");
  BOOST_TEST((parse_duration("250ms") == 250ms));
  BOOST_TEST((parse_duration("2m") == 2min));
  BOOST_TEST((parse_duration("1h") == 1h));
  for (const char* text : {"", "s", "ten", "none", "1w", "-1s", "1e300h", "nan", "inf", "9000h"})
    BOOST_TEST(!parse_duration(text), text);
}

BOOST_AUTO_TEST_CASE(a_limit_may_be_none) {
  BOOST_TEST((parse_limit("90s") == 90s));
  BOOST_TEST((parse_limit("0") == longest_duration));
  BOOST_TEST((parse_limit("none") == longest_duration));
  BOOST_TEST(!parse_limit("never"));
}

BOOST_AUTO_TEST_CASE(sizes_are_read_with_and_without_units) {
  BOOST_TEST((parse_size("65536") == 65536U));
  BOOST_TEST((parse_size("64K") == 65536U));
  BOOST_TEST((parse_size("16M") == 16777216U));
  for (const char* text : {"", "K", "-1", "1.5M", "1T", "99999999999G"})
    BOOST_TEST(!parse_size(text), text);
}

BOOST_AUTO_TEST_CASE(the_json_of_an_error_has_its_code) {
  const auto code_in_json = [](caf::error x) {
    const auto object = nlohmann::json::parse(to_json(caf::expected<command_result>{std::move(x)}));
    return object["error"]["code"].get<std::string>();
  };
  BOOST_TEST(code_in_json(make_failure(error_code::cancelled, {})) == "cancelled");
  BOOST_TEST(code_in_json(caf::make_error(caf::sec::runtime_error)) == "internal_error");
  // CAF answers for an executor that has ended.
  BOOST_TEST(code_in_json(caf::make_error(caf::sec::request_receiver_down)) == "shutting_down");
}

BOOST_AUTO_TEST_CASE(output_that_is_no_utf8_is_in_the_json_without_loss) {
  command_result result;
  result.output.stdout_data.assign("\xff\x00\x01z", 4);
  result.output.stderr_data = "plain \xc3\xa9";
  const auto object = nlohmann::json::parse(to_json(result));
  BOOST_TEST(!object.contains("stdout"));
  BOOST_TEST(object["stdout_base64"].get<std::string>() == "/wABeg==");
  BOOST_TEST(object["stderr"].get<std::string>() == "plain \xc3\xa9");
}

BOOST_AUTO_TEST_CASE(a_signal_is_no_exit_code) {
  command_result result;
  result.exit_code = -1;
  result.exit_signal = "KILL";
  BOOST_TEST(exit_code_of(result) == 137);
  const auto object = nlohmann::json::parse(to_json(result));
  BOOST_TEST(object["exit_code"].is_null());
  BOOST_TEST(object["signal"].get<std::string>() == "KILL");
}

BOOST_AUTO_TEST_CASE(an_exit_code_that_the_system_cannot_pass_on_is_no_success) {
  command_result result;
  result.exit_code = 256;
  BOOST_TEST(exit_code_of(result) == 255);
  result.exit_signal = "UNHEARD-OF";
  BOOST_TEST(exit_code_of(result) == 255);
}

BOOST_AUTO_TEST_CASE(a_variable_whose_name_is_no_utf8_does_not_cost_the_result) {
  command_result result;
  result.output.stdout_data = "kept";
  result.refused_environment = {"\xff"};
  BOOST_TEST(nlohmann::json::parse(to_json(result))["stdout"].get<std::string>() == "kept");
}

BOOST_AUTO_TEST_CASE(errors_have_exit_codes_of_their_own) {
  BOOST_TEST(exit_code_of(make_failure(error_code::command_timeout, {})) == 124);
  BOOST_TEST(exit_code_of(make_failure(error_code::connection_error, {})) == 255);
}

BOOST_AUTO_TEST_SUITE_END()
