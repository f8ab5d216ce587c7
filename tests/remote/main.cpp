#define BOOST_TEST_MODULE sshexec tests between processes
#include <boost/test/unit_test.hpp>
