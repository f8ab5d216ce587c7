#include "files.hpp"
#include "sshexec/ssh/private_key.hpp"
#include "sshexec/testing/temporary_directory.hpp"

#include <boost/test/unit_test.hpp>
#include <libssh/libssh.h>
#include <openssl/evp.h>
#include <sys/stat.h>

#include <cstring>
#include <filesystem>
#include <memory>
#include <string>

namespace {

using namespace sshexec;
using namespace sshexec::test;
namespace fs = std::filesystem;

std::string public_blob_of(const ssh::private_key& key) {
  char* base64 = nullptr;
  BOOST_REQUIRE(ssh_pki_export_pubkey_base64(key.get(), &base64) == SSH_OK);
  const std::unique_ptr<char, decltype(&ssh_string_free_char)> owner{base64, ssh_string_free_char};
  std::string bytes(std::strlen(base64) / 4 * 3, '\0');
  ::EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                    reinterpret_cast<const unsigned char*>(base64),
                    static_cast<int>(std::strlen(base64)));
  // Padding decodes to zeros.
  constexpr std::size_t ed25519_size = 51;
  return bytes.substr(0, ed25519_size);
}

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

BOOST_AUTO_TEST_CASE(a_key_whose_cipher_libssh_does_not_survive_is_told_with_the_cure) {
  for (const std::string cipher :
       {"aes256-gcm@openssh.com", "aes128-gcm@openssh.com", "chacha20-poly1305@openssh.com"}) {
    BOOST_REQUIRE(make_key(file, "open sesame", "-t ed25519 -Z " + cipher));
    const std::string cure = "ssh-keygen -p -Z aes256-ctr -f ";
    for (const std::string passphrase : {"open sesame", "open says me", ""}) {
      const std::string told = objection(passphrase);
      BOOST_TEST(contains(told, "is encrypted with " + cipher), told);
      BOOST_TEST(contains(told, cure + file.string()), told);
      const auto in_memory = ssh::read_private_key(read_file(file), passphrase);
      BOOST_REQUIRE(!in_memory.has_value());
      BOOST_TEST((in_memory.error().kind == ssh::error_kind::file));
      BOOST_TEST(contains(in_memory.error().text, cipher), in_memory.error().text);
      BOOST_TEST(contains(in_memory.error().text, cure + "FILE"), in_memory.error().text);
    }
    BOOST_REQUIRE(
      run("ssh-keygen -p -Z aes256-ctr -P 'open sesame' -N 'open sesame' -f " + file.string()));
    BOOST_TEST(is_usable("open sesame"), cipher);
  }
}

BOOST_AUTO_TEST_CASE(a_passphrase_that_is_hashed_for_hours_is_refused_at_once) {
  BOOST_REQUIRE(make_key(file, "open sesame"));
  // The number of rounds is at byte 63, which is a character of the second line of 70.
  std::string text = read_file(file);
  const std::size_t rounds = text.find('\n') + 1 + 63 / 3 * 4 + 1;
  BOOST_REQUIRE(text.substr(rounds, 4) == "AAAA");
  text.replace(rounds, 4, "////");
  write_file(file, text);
  BOOST_TEST(contains(objection("open sesame"), "takes too long"), objection("open sesame"));
}

BOOST_AUTO_TEST_CASE(an_ed25519_key_of_openssl_is_the_same_key_in_every_format) {
  const std::string path = file.string();
  const std::string make = "openssl genpkey -algorithm ed25519 -out " + path;
  BOOST_REQUIRE(run(make + " && chmod 600 " + path));
  const auto plain = ssh::load_private_key(file, {});
  BOOST_REQUIRE(plain.has_value());
  // Its last 32 bytes are the key (RFC 8410).
  BOOST_REQUIRE(run("openssl pkey -in " + path + " -pubout -outform DER -out " + path + ".der"));
  const std::string point = read_file(path + ".der").substr(12);
  BOOST_TEST(public_blob_of(*plain) == std::string("\0\0\0\x0Bssh-ed25519\0\0\0 ", 19) + point);

  BOOST_REQUIRE(run("openssl pkey -in " + path + " -aes256 -passout 'pass:open sesame' -out " + path
                    + ".new && mv " + path + ".new " + path + " && chmod 600 " + path));
  const auto encrypted = ssh::load_private_key(file, "open sesame");
  BOOST_REQUIRE(encrypted.has_value());
  BOOST_TEST(public_blob_of(*encrypted) == public_blob_of(*plain));
  BOOST_TEST(contains(objection("open says me"), "passphrase is wrong"));
  BOOST_TEST(contains(objection(), "encrypted, and there is no passphrase"));
}

BOOST_AUTO_TEST_CASE(a_key_of_a_type_that_no_server_can_be_offered_is_told) {
  const std::string path = file.string();
  for (const std::string options : {"-algorithm EC -pkeyopt ec_paramgen_curve:secp256k1",
                                    "-algorithm ed448", "-algorithm X25519"}) {
    BOOST_REQUIRE(run("openssl genpkey " + options + " -out " + path + " && chmod 600 " + path));
    BOOST_TEST(contains(objection(), "not in a private key format"), options);
  }
  BOOST_REQUIRE(run("openssl genpkey -genparam -algorithm DSA -pkeyopt dsa_paramgen_bits:1024 -out "
                    + path + ".p && openssl genpkey -paramfile " + path + ".p -out " + path));
  // libssh 0.11 does not read DSA any more.
  BOOST_TEST((contains(objection(), "type that cannot be used")
              || contains(objection(), "not in a private key format")));
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
