#include "sshexec/actors/fleet/start_order.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

using namespace sshexec;

namespace {

using places = std::vector<std::size_t>;

machine named(const std::string& hostname) {
  machine result;
  result.hostname = hostname;
  return result;
}

std::vector<machine> many(std::size_t count) {
  std::vector<machine> result;
  for (std::size_t i = 0; i < count; ++i)
    result.push_back(named("host-" + std::to_string(i)));
  return result;
}

constexpr auto each = boost::test_tools::per_element();

} // namespace

BOOST_AUTO_TEST_SUITE(start_order_test)

BOOST_AUTO_TEST_CASE(machines_are_started_as_given) {
  BOOST_TEST(start_order(many(3), caf::none) == (places{0, 1, 2}), each);
}

BOOST_AUTO_TEST_CASE(a_repetition_is_left_out) {
  const std::vector<machine> machines{named("a"), named("b"), named("a"), named("c"), named("b")};
  BOOST_TEST(start_order(machines, caf::none) == (places{0, 1, 3}), each);
}

BOOST_AUTO_TEST_CASE(machines_that_differ_in_any_field_are_two) {
  std::vector<machine> machines(6, named("a"));
  machines[1].id = "id";
  machines[2].port = 23;
  machines[3].username = "user";
  machines[4].identity_file = "key";
  BOOST_TEST(start_order(machines, caf::none) == (places{0, 1, 2, 3, 4}), each);
}

BOOST_AUTO_TEST_CASE(a_shuffled_order_has_each_machine_once) {
  places order = start_order(many(1000), std::uint64_t{1});
  BOOST_TEST(!std::is_sorted(order.begin(), order.end()));
  std::sort(order.begin(), order.end());
  BOOST_TEST(order == start_order(many(1000), caf::none), each);
}

BOOST_AUTO_TEST_CASE(a_seed_means_the_same_order_everywhere) {
  BOOST_TEST(start_order(many(8), std::uint64_t{42}) == (places{7, 0, 5, 1, 2, 4, 3, 6}), each);
}

BOOST_AUTO_TEST_CASE(another_seed_means_another_order) {
  BOOST_TEST((start_order(many(20), std::uint64_t{1}) != start_order(many(20), std::uint64_t{2})));
}

BOOST_AUTO_TEST_SUITE_END()
