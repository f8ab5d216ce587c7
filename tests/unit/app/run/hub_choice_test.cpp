#include "sshexec/app/run/hub_choice.hpp"

#include <boost/test/unit_test.hpp>
#include <caf/config_value.hpp>

#include <string>

using namespace sshexec;
using namespace sshexec::app;

namespace {

using value = caf::config_value;

const caf::settings no_group;

const caf::settings secured_group{{"address", value{"of.group:7022"}},
                                  {"certificate", value{"group.crt"}},
                                  {"key", value{"group.key"}},
                                  {"authority", value{"group.ca"}}};

std::string name_of(const tl::expected<std::optional<connect_settings>, std::string>& x) {
  BOOST_REQUIRE_MESSAGE(x, x.error());
  return *x ? (*x)->hub.host : "none";
}

} // namespace

BOOST_AUTO_TEST_SUITE(hub_choice)

BOOST_AUTO_TEST_CASE(the_command_line_prevails_over_the_environment_and_that_over_the_file) {
  BOOST_TEST(name_of(choose_hub({}, nullptr, no_group)) == "none");
  BOOST_TEST(name_of(choose_hub({}, "", no_group)) == "none");
  BOOST_TEST(name_of(choose_hub({}, nullptr, secured_group)) == "of.group");
  BOOST_TEST(name_of(choose_hub({}, "of.environment:1", secured_group)) == "of.environment");
  BOOST_TEST(name_of(choose_hub({.address = "given:1"}, "of.environment:1", secured_group))
             == "given");
  BOOST_TEST(name_of(choose_hub({.address = "none"}, "of.environment:1", secured_group)) == "none");
}

BOOST_AUTO_TEST_CASE(what_is_not_given_about_tls_is_that_of_the_group) {
  const auto own_key = choose_hub({.tls = {"", "own.key", ""}}, nullptr, secured_group);
  BOOST_REQUIRE((own_key && *own_key));
  BOOST_TEST((*own_key)->tls.certificate == "group.crt");
  BOOST_TEST((*own_key)->tls.key == "own.key");
  const auto in_the_clear = choose_hub({.plain = true}, "localhost:1", secured_group);
  BOOST_REQUIRE((in_the_clear && *in_the_clear));
  BOOST_TEST((*in_the_clear)->plain);
  BOOST_TEST((*in_the_clear)->tls.empty());
  const auto secured
    = choose_hub({.tls = {"own.crt", "own.key", "own.ca"}}, "hub:1", {{"plain", value{true}}});
  BOOST_REQUIRE((secured && *secured));
  BOOST_TEST(!(*secured)->plain);
}

BOOST_AUTO_TEST_CASE(an_address_that_is_none_is_told_with_the_place_where_it_stands) {
  const auto complaint = [](const auto& x) { return x ? "" : x.error(); };
  BOOST_TEST(complaint(choose_hub({.address = "garbage"}, nullptr, no_group))
             == "--hub wants HOST:PORT, not 'garbage'");
  BOOST_TEST(complaint(choose_hub({}, "garbage", no_group))
             == "SSHEXEC_HUB wants HOST:PORT, not 'garbage'");
  BOOST_TEST(complaint(choose_hub({}, nullptr, {{"address", value{"garbage"}}}))
             == "sshexec.hub.address wants HOST:PORT, not 'garbage'");
  BOOST_TEST(complaint(choose_hub({}, "a:b", no_group)).starts_with("SSHEXEC_HUB: "));
}

BOOST_AUTO_TEST_CASE(what_makes_no_sense_is_an_error) {
  BOOST_TEST(!choose_hub({.plain = true}, nullptr, no_group));
  BOOST_TEST(!choose_hub({.tls = {"a", "", ""}}, nullptr, no_group));
  BOOST_TEST(!choose_hub({.address = "without-port"}, nullptr, no_group));
  BOOST_TEST(
    !choose_hub({.address = "a:1", .plain = true, .tls = {"a", "b", "c"}}, nullptr, no_group));
  BOOST_TEST(!choose_hub({}, nullptr, {{"adress", value{"a:1"}}}));
  BOOST_TEST(!choose_hub({}, nullptr, {{"address", value{7}}}));
  BOOST_TEST(!choose_hub({}, nullptr,
                         {{"address", value{"a:1"}}, {"plain", value{true}}, {"key", value{"k"}}}));
}

BOOST_AUTO_TEST_SUITE_END()
