#define BOOST_TEST_MODULE sshexec unit tests
#include <boost/test/unit_test.hpp>
