#define BOOST_TEST_MODULE sshexec fault tests
#include <boost/test/unit_test.hpp>
