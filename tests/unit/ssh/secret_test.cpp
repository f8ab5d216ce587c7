#include "sshexec/ssh/secret.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>

using namespace sshexec;

BOOST_AUTO_TEST_SUITE(secret)

BOOST_AUTO_TEST_CASE(a_wiped_text_leaves_nothing_in_its_buffer) {
  std::string text(100, 'x');
  const char* buffer = text.data();
  text.resize(10);
  ssh::wipe(text);
  BOOST_TEST(text.empty());
  BOOST_TEST(std::all_of(buffer, buffer + 100, [](char x) { return x == '\0'; }));
}

BOOST_AUTO_TEST_CASE(copies_share_one_text) {
  const ssh::secret first{"open sesame"};
  const ssh::secret second = first;
  BOOST_TEST(second.text().data() == first.text().data());
  BOOST_TEST((first == second));
  BOOST_TEST((first == ssh::secret{"open sesame"}));
  BOOST_TEST(ssh::secret{}.empty());
}

BOOST_AUTO_TEST_SUITE_END()
