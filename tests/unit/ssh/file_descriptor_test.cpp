#include "sshexec/ssh/file_descriptor.hpp"

#include <boost/test/unit_test.hpp>

using namespace sshexec::ssh;

BOOST_AUTO_TEST_SUITE(file_descriptors)

BOOST_AUTO_TEST_CASE(the_last_ones_are_an_eighth_of_all_and_64_at_most) {
  BOOST_TEST(!is_one_of_the_last(41, 48));
  BOOST_TEST(is_one_of_the_last(42, 48));
  BOOST_TEST(!is_one_of_the_last(959, 1024));
  BOOST_TEST(is_one_of_the_last(960, 1024));
  BOOST_TEST(!is_one_of_the_last(1'048'511, 1'048'576));
  BOOST_TEST(is_one_of_the_last(1'048'512, 1'048'576));
}

BOOST_AUTO_TEST_SUITE_END()
