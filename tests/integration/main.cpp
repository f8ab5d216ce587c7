#define BOOST_TEST_MODULE sshexec integration tests
#include <boost/test/unit_test.hpp>
