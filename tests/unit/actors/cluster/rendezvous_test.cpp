#include "sshexec/actors/cluster/rendezvous.hpp"

#include <boost/test/unit_test.hpp>

#include <map>
#include <string>

namespace {

using sshexec::rendezvous;

constexpr int key_count = 10'000;

std::string key(int number) {
  return "machine-" + std::to_string(number);
}

rendezvous nodes(int count) {
  rendezvous result;
  for (int i = 0; i < count; ++i)
    result.insert("node-" + std::to_string(i));
  return result;
}

} // namespace

BOOST_AUTO_TEST_SUITE(rendezvous_test)

BOOST_AUTO_TEST_CASE(without_nodes_nobody_owns_a_key) {
  BOOST_TEST(rendezvous{}.owner("machine") == nullptr);
  auto subject = nodes(1);
  subject.erase("node-0");
  BOOST_TEST(subject.owner("machine") == nullptr);
}

BOOST_AUTO_TEST_CASE(a_share_is_within_a_tenth_of_the_even_one) {
  for (const int count : {2, 3, 5, 8}) {
    const auto subject = nodes(count);
    std::map<std::string, int> shares;
    for (int i = 0; i < key_count; ++i)
      ++shares[*subject.owner(key(i))];
    BOOST_TEST(shares.size() == static_cast<std::size_t>(count));
    for (const auto& [node, share] : shares) {
      BOOST_TEST_INFO(node << " of " << count);
      BOOST_TEST(share * count > key_count * 9 / 10);
      BOOST_TEST(share * count < key_count * 11 / 10);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_node_that_joins_takes_its_share_and_no_other_key_moves) {
  const auto before = nodes(4);
  auto after = before;
  after.insert("new");
  int moved = 0;
  for (int i = 0; i < key_count; ++i) {
    if (*after.owner(key(i)) == *before.owner(key(i)))
      continue;
    BOOST_REQUIRE(*after.owner(key(i)) == "new");
    ++moved;
  }
  BOOST_TEST(moved > key_count / 5 * 9 / 10);
  BOOST_TEST(moved < key_count / 5 * 11 / 10);
}

BOOST_AUTO_TEST_CASE(the_keys_of_a_node_that_leaves_go_to_all_others_and_no_other_key_moves) {
  const auto before = nodes(5);
  auto after = before;
  after.erase("node-2");
  std::map<std::string, int> heirs;
  for (int i = 0; i < key_count; ++i) {
    if (*before.owner(key(i)) == "node-2")
      ++heirs[*after.owner(key(i))];
    else
      BOOST_REQUIRE(*after.owner(key(i)) == *before.owner(key(i)));
  }
  BOOST_TEST(heirs.size() == 4U);
  for (const auto& [node, share] : heirs)
    BOOST_TEST(share > key_count / 5 / 4 * 3 / 4);
}

BOOST_AUTO_TEST_CASE(who_joined_first_makes_no_difference) {
  rendezvous backwards;
  for (int i = 4; i >= 0; --i)
    backwards.insert("node-" + std::to_string(i));
  const auto subject = nodes(5);
  for (int i = 0; i < 100; ++i)
    BOOST_REQUIRE(*subject.owner(key(i)) == *backwards.owner(key(i)));
}

/// Routers of different versions and platforms that know the same nodes must agree for ever.
BOOST_AUTO_TEST_CASE(the_owners_of_known_keys_never_change) {
  const auto subject = nodes(5);
  std::string owners;
  for (int i = 0; i < 20; ++i)
    owners += subject.owner(key(i))->back();
  BOOST_TEST(owners == "32134223340312223041");
}

BOOST_AUTO_TEST_SUITE_END()
