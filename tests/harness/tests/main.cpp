#define BOOST_TEST_MODULE sshexec harness tests
#include <boost/test/unit_test.hpp>
