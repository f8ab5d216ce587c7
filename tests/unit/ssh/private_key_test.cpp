#include "files.hpp"
#include "sshexec/ssh/private_key.hpp"
#include "sshexec/testing/temporary_directory.hpp"

#include <boost/test/unit_test.hpp>
#include <libssh/libssh.h>
#include <sys/stat.h>

#include <filesystem>
#include <memory>
#include <string>

namespace {

using namespace sshexec;
using namespace sshexec::test;
namespace fs = std::filesystem;

struct fixture {
  /// Why the file cannot be used. It must be an error that names the file.
  std::string objection(const std::string& passphrase = {}) {
    const auto key = ssh::load_private_key(file, passphrase);
    if (key)
      return "none";
    BOOST_TEST((key.error().kind == ssh::error_kind::file));
    BOOST_TEST(contains(key.error().text, file.string()));
    return key.error().text;
  }

  bool is_usable(const std::string& passphrase = {}) {
    const auto key = ssh::load_private_key(file, passphrase);
    return key && *key && ssh_key_is_private(key->get()) == 1;
  }

  testing::temporary_directory directory;
  fs::path file = directory.path() / "key";
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(private_key_test, fixture)

BOOST_AUTO_TEST_CASE(every_usual_kind_of_key_is_read) {
  for (const std::string options :
       {"-t ed25519", "-t ecdsa -b 256", "-t ecdsa -b 521", "-t rsa -b 2048",
        "-t rsa -b 2048 -m PEM", "-t ecdsa -m PEM", "-t rsa -b 2048 -m PKCS8"}) {
    BOOST_REQUIRE(make_key(file, "", options));
    BOOST_TEST(is_usable(), options);
    BOOST_TEST(is_usable("a passphrase that is not needed"), options);
  }
}

BOOST_AUTO_TEST_CASE(an_encrypted_key_is_read_with_its_passphrase_only) {
  for (const std::string options : {"-t ed25519", "-t rsa -b 2048 -m PEM", "-t ecdsa -m PKCS8"}) {
    BOOST_REQUIRE(make_key(file, "open sesame", options));
    BOOST_TEST(is_usable("open sesame"), options);
    BOOST_TEST(contains(objection("open says me"), "passphrase is wrong"), options);
    BOOST_TEST(contains(objection(), "encrypted, and there is no passphrase"), options);
  }
}

BOOST_AUTO_TEST_CASE(a_long_passphrase_is_not_cut) {
  const std::string passphrase(200, 'x');
  BOOST_REQUIRE(make_key(file, passphrase));
  BOOST_TEST(is_usable(passphrase));
  BOOST_TEST(contains(objection(passphrase.substr(1)), "passphrase is wrong"));
}

BOOST_AUTO_TEST_CASE(a_missing_file_is_told) {
  BOOST_TEST(contains(objection(), "No such file or directory"));
}

BOOST_AUTO_TEST_CASE(a_file_without_permission_is_told) {
  BOOST_REQUIRE(make_key(file));
  fs::permissions(file, fs::perms::none);
  const without_privileges ordinary_user;
  BOOST_TEST(contains(objection(), "Permission denied"));
}

BOOST_AUTO_TEST_CASE(a_directory_is_told) {
  fs::create_directory(file);
  BOOST_TEST(contains(objection(), "is a directory"));
}

BOOST_AUTO_TEST_CASE(a_pipe_is_told_without_waiting_for_a_writer) {
  BOOST_REQUIRE(::mkfifo(file.c_str(), 0600) == 0);
  BOOST_TEST(contains(objection(), "not a regular file"));
}

BOOST_AUTO_TEST_CASE(a_file_that_holds_no_private_key_is_told) {
  for (const std::string text :
       {"", "hello\n", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n",
        "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n"}) {
    write_file(file, text);
    fs::permissions(file, fs::perms::owner_read);
    BOOST_TEST(contains(objection(), "not in a private key format"), text);
    fs::remove(file);
  }
}

BOOST_AUTO_TEST_CASE(a_public_key_is_no_private_key) {
  BOOST_REQUIRE(make_key(file));
  file += ".pub";
  fs::permissions(file, fs::perms::owner_read);
  BOOST_TEST(contains(objection(), "not in a private key format"));
}

BOOST_AUTO_TEST_CASE(a_key_that_others_can_read_is_refused_with_advice) {
  BOOST_REQUIRE(make_key(file));
  for (const auto shared : {fs::perms::group_read, fs::perms::others_read}) {
    fs::permissions(file, fs::perms::owner_read | shared);
    BOOST_TEST(contains(objection(), "chmod 600 " + file.string()));
  }
  fs::permissions(file, fs::perms::owner_read);
  BOOST_TEST(is_usable());
}

BOOST_AUTO_TEST_SUITE_END()
