#include "files.hpp"
#include "no_descriptors_left.hpp"
#include "sshexec/ssh/known_hosts.hpp"
#include "sshexec/testing/temporary_directory.hpp"

#include <boost/test/unit_test.hpp>
#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace sshexec;
using namespace sshexec::test;
namespace fs = std::filesystem;

const ssh::host_key ed25519_key{
  "ssh-ed25519", "AAAAC3NzaC1lZDI1NTE5AAAAICaFogyROqZmUOiu+bwZtr7LM0Gkt2KEVHYeXhtKsvq4"};
const ssh::host_key ecdsa_key{
  "ecdsa-sha2-nistp256",
  "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBDKi1AWtrowryCT5z29lzQ/"
  "l8HkhtihavoORFeoM/ug2gDrKQvg6GDY/wT7W/hEQ0PBk07UfpDCeMswjMWJsdw8="};

std::string to_text(const ssh::host_key& key) {
  return key.type + " " + key.base64;
}

const std::string ed25519 = to_text(ed25519_key);
const std::string ecdsa = to_text(ecdsa_key);

struct fixture {
  /// Trusted keys of a host in the file.
  std::size_t trusted(const std::string& host, std::uint16_t port = 22) {
    const auto found = subject.find(host, port);
    BOOST_REQUIRE(found);
    return found->trusted.size();
  }

  std::size_t trusted_in(const std::string& text, const std::string& host,
                         std::uint16_t port = 22) {
    write_file(file, text);
    return trusted(host, port);
  }

  void hash_names() { BOOST_REQUIRE(run("ssh-keygen -q -H -f " + file.string())); }

  /// The lines of the file; blank ones mean nothing.
  std::multiset<std::string> filled_lines() {
    std::ifstream in{file};
    std::multiset<std::string> result;
    for (std::string line; std::getline(in, line);)
      if (!line.empty())
        result.insert(line);
    return result;
  }

  bool openssh_finds(const std::string& name) {
    return run("ssh-keygen -F '" + name + "' -f " + file.string());
  }

  testing::temporary_directory directory;
  fs::path file = directory.path() / "known_hosts";
  ssh::known_hosts_file subject{file};
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(known_hosts_test, fixture)

BOOST_AUTO_TEST_CASE(a_missing_file_holds_nothing) {
  BOOST_TEST(trusted("host.example") == 0u);
}

BOOST_AUTO_TEST_CASE(a_plain_host_name_is_found_with_its_keys) {
  write_file(file, "other.example " + ecdsa + "\nhost.example " + ed25519 + " a comment\n"
                     + "host.example,192.0.2.1 " + ecdsa);
  const auto found = subject.find("host.example", 22);
  BOOST_REQUIRE(found);
  BOOST_TEST((found->trusted == std::vector{ed25519_key, ecdsa_key}));
  BOOST_TEST(found->revoked.empty());
  BOOST_TEST(trusted("192.0.2.1") == 1u);
  BOOST_TEST(trusted("host.exampl") == 0u);
}

BOOST_AUTO_TEST_CASE(the_line_of_the_first_key_of_a_host_is_told) {
  write_file(file, "\n# a comment\n\nhost.example " + ed25519 + "\nhost.example " + ecdsa);
  const auto line_of = [this](const std::string& host) {
    const auto found = subject.find(host, 22);
    BOOST_REQUIRE(found);
    return found->file + ':' + std::to_string(found->line);
  };
  BOOST_TEST(line_of("host.example") == file.string() + ":4");
  // Behind the last line, which had no end.
  BOOST_REQUIRE(subject.append("ours", 22, ed25519_key));
  BOOST_TEST(line_of("ours") == file.string() + ":6");
  BOOST_REQUIRE(subject.append("also.ours", 22, ed25519_key));
  BOOST_TEST(line_of("also.ours") == file.string() + ":7");
}

BOOST_AUTO_TEST_CASE(the_case_of_a_host_name_does_not_matter) {
  BOOST_TEST(trusted_in("Host.Example " + ed25519, "hOST.eXAMPLE") == 1u);
}

BOOST_AUTO_TEST_CASE(another_port_is_another_host) {
  write_file(file, "host.example " + ed25519 + "\n[host.example]:2222 " + ecdsa + "\n");
  const auto on_2222 = subject.find("host.example", 2222);
  BOOST_REQUIRE(on_2222);
  BOOST_TEST((on_2222->trusted == std::vector{ecdsa_key}));
  BOOST_TEST(trusted("host.example", 2223) == 0u);
  BOOST_TEST(trusted("host.example", 22) == 1u);
}

BOOST_AUTO_TEST_CASE(an_ipv6_address_is_found_on_any_port) {
  write_file(file, "2001:db8::1 " + ed25519 + "\n[2001:DB8::1]:2222 " + ecdsa + "\n");
  BOOST_TEST(trusted("2001:db8::1") == 1u);
  BOOST_TEST(trusted("2001:db8::1", 2222) == 1u);
  BOOST_TEST(trusted("2001:db8::2") == 0u);
}

BOOST_AUTO_TEST_CASE(a_hashed_host_name_is_found) {
  write_file(file, "host.example " + ed25519 + "\n[host.example]:2222 " + ecdsa + "\n");
  hash_names();
  BOOST_REQUIRE(read_file(file).find("host") == std::string::npos);
  BOOST_TEST(trusted("host.example") == 1u);
  BOOST_TEST(trusted("HOST.example", 2222) == 1u);
  BOOST_TEST(trusted("other.example") == 0u);
}

BOOST_AUTO_TEST_CASE(a_pattern_names_many_hosts) {
  write_file(file, "*.example,web-?? " + ed25519 + "\n[*]:2222 " + ecdsa + "\n");
  BOOST_TEST(trusted("a.example") == 1u);
  BOOST_TEST(trusted("a.b.example") == 1u);
  BOOST_TEST(trusted("example") == 0u);
  BOOST_TEST(trusted("a.example.org") == 0u);
  BOOST_TEST(trusted("web-01") == 1u);
  BOOST_TEST(trusted("web-1") == 0u);
  BOOST_TEST(trusted("anything", 2222) == 1u);
}

BOOST_AUTO_TEST_CASE(a_negated_pattern_excludes_a_host_wherever_it_stands) {
  BOOST_TEST(trusted_in("*.example,!bad.example " + ed25519, "bad.example") == 0u);
  BOOST_TEST(trusted("good.example") == 1u);
  BOOST_TEST(trusted_in("!bad.example,*.example " + ed25519 + "\n", "bad.example") == 0u);
  BOOST_TEST(trusted_in("!bad.example " + ed25519 + "\n\n", "good.example") == 0u);
}

BOOST_AUTO_TEST_CASE(a_revoked_key_is_not_trusted) {
  write_file(file, "@revoked * " + ed25519 + "\nhost.example " + ecdsa + "\n");
  const auto found = subject.find("host.example", 22);
  BOOST_REQUIRE(found);
  BOOST_TEST((found->trusted == std::vector{ecdsa_key}));
  BOOST_TEST((found->revoked == std::vector{ed25519_key}));
}

BOOST_AUTO_TEST_CASE(the_key_of_a_certificate_authority_is_no_host_key) {
  BOOST_TEST(trusted_in("@cert-authority *.example " + ed25519, "host.example") == 0u);
  BOOST_TEST(trusted_in("@unheard-of host.example " + ed25519 + "\n", "host.example") == 0u);
}

BOOST_AUTO_TEST_CASE(a_line_that_cannot_be_parsed_is_skipped) {
  const std::string broken = "host.example\n"
                             "host.example ssh-ed25519\n"
                             "host.example ssh-ed25519 AAAA\n"
                             "host.example ssh-ed25519 ????\n"
                             "host.example ssh-unheard-of AAAAC3NzaC1lZDI1NTE5\n"
                             "|1|bad "
                             + ed25519 + "\n# host.example " + ed25519 + "\n#host.example "
                             + ed25519 + "\n@revoked\n\n \t \n";
  BOOST_TEST(trusted_in(broken + "host.example " + ed25519, "host.example") == 1u);
}

BOOST_AUTO_TEST_CASE(tabs_and_carriage_returns_separate_as_blanks_do) {
  BOOST_TEST(trusted_in(" host.example\t" + ed25519_key.type + "\t" + ed25519_key.base64 + "\r\n",
                        "host.example")
             == 1u);
}

BOOST_AUTO_TEST_CASE(a_change_made_by_somebody_else_is_seen) {
  BOOST_TEST(trusted_in("host.example " + ed25519 + "\n", "host.example") == 1u);
  const auto other = file.string() + ".new";
  write_file(other, "host.exampel " + ed25519 + "\n");
  fs::rename(other, file);
  BOOST_TEST(trusted("host.example") == 0u);
  fs::remove(file);
  BOOST_TEST(trusted("host.exampel") == 0u);
}

BOOST_AUTO_TEST_CASE(hashed_and_plain_lines_of_a_host_are_told_in_the_order_of_the_file) {
  write_file(file, "host.example " + ecdsa + "\n");
  hash_names();
  write_file(file, "*.example " + ed25519 + "\n" + read_file(file) + "HOST.example " + ed25519);
  for (int look = 0; look < 2; ++look) {
    const auto found = subject.find("host.example", 22);
    BOOST_REQUIRE(found);
    BOOST_TEST((found->trusted == std::vector{ed25519_key, ecdsa_key, ed25519_key}));
    BOOST_TEST(trusted("other.example") == 1u);
    BOOST_TEST(trusted("other") == 0u);
  }
}

BOOST_AUTO_TEST_CASE(a_hashed_line_that_is_added_later_is_found) {
  const auto other = file.string() + ".hashed";
  write_file(file, "host.example " + ecdsa + "\n");
  hash_names();
  const std::string hashed = read_file(file);
  write_file(file, "other.example " + ed25519 + "\n");
  hash_names();
  BOOST_TEST(trusted("host.example") == 0u);
  write_file(other, read_file(file) + hashed);
  fs::rename(other, file);
  BOOST_TEST(trusted("host.example") == 1u);
  BOOST_TEST(trusted("other.example") == 1u);
}

BOOST_AUTO_TEST_CASE(what_others_append_between_our_own_lines_is_found) {
  for (int round = 0; round < 3; ++round) {
    const std::string number = std::to_string(round);
    BOOST_TEST(trusted("ours" + number) == 0u);
    BOOST_REQUIRE(subject.append("ours" + number, 22, ed25519_key));
    BOOST_TEST(trusted("ours" + number) == 1u);
    std::ofstream{file, std::ios::app} << "theirs" + number + " " + ecdsa;
    BOOST_TEST(trusted("theirs" + number) == 1u);
  }
  BOOST_TEST(trusted("ours0") == 1u);
  BOOST_TEST(openssh_finds("ours2"));
}

BOOST_AUTO_TEST_CASE(a_pipe_or_a_device_is_told_at_once) {
  BOOST_REQUIRE(::mkfifo(file.c_str(), 0600) == 0);
  for (const fs::path& path : {file, fs::path{"/dev/zero"}}) {
    const auto reason = ssh::known_hosts_file{path}.find("host.example", 22);
    BOOST_REQUIRE(!reason);
    BOOST_TEST((reason.error().kind == ssh::error_kind::file));
    BOOST_TEST(reason.error().text == "Cannot read " + path.string() + ": Not a regular file");
  }
}

BOOST_AUTO_TEST_CASE(a_file_beyond_all_measure_is_told) {
  write_file(file, "");
  fs::resize_file(file, std::uintmax_t{1} << 40);
  const auto reason = subject.find("host.example", 22);
  BOOST_REQUIRE(!reason);
  BOOST_TEST(contains(reason.error().text, "File too large"));
}

BOOST_AUTO_TEST_CASE(the_null_device_holds_nothing_and_takes_everything) {
  ssh::known_hosts_file null{"/dev/null"};
  BOOST_REQUIRE(null.find("host.example", 22));
  BOOST_TEST(null.append("host.example", 22, ed25519_key).has_value());
  BOOST_TEST(null.find("host.example", 22)->trusted.empty());
}

BOOST_AUTO_TEST_CASE(a_full_disk_is_told) {
  const auto written = ssh::known_hosts_file{"/dev/full"}.append("host.example", 22, ed25519_key);
  BOOST_REQUIRE(!written);
  BOOST_TEST((written.error().kind == ssh::error_kind::file));
  BOOST_TEST(written.error().text == "Cannot write to /dev/full: No space left on device");
}

BOOST_AUTO_TEST_CASE(a_folder_that_cannot_be_one_holds_nothing) {
  write_file(file, "");
  const auto found = ssh::known_hosts_file{file / "known_hosts"}.find("host.example", 22);
  BOOST_REQUIRE(found);
  BOOST_TEST(found->trusted.empty());
}

BOOST_AUTO_TEST_CASE(a_shortage_of_descriptors_is_no_verdict_about_the_file) {
  write_file(file, "host.example " + ed25519 + "\n");
  std::optional<no_descriptors_left> shortage{std::in_place};
  const auto found = subject.find("host.example", 22);
  const auto written = subject.append("other.example", 22, ed25519_key);
  shortage.reset();
  BOOST_REQUIRE(!found);
  BOOST_TEST((found.error().kind == ssh::error_kind::shortage));
  BOOST_REQUIRE(!written);
  BOOST_TEST((written.error().kind == ssh::error_kind::shortage));
  BOOST_TEST(trusted("host.example") == 1u);
}

BOOST_AUTO_TEST_CASE(a_directory_in_place_of_the_file_is_an_error_that_names_it) {
  fs::create_directory(file);
  for (const auto& reason : {subject.find("host.example", 22).error(),
                             subject.append("host.example", 22, ed25519_key).error()}) {
    BOOST_TEST((reason.kind == ssh::error_kind::file));
    BOOST_TEST(contains(reason.text, file.string() + ": Is a directory"));
  }
}

BOOST_AUTO_TEST_CASE(a_file_without_permission_is_an_error_that_names_it) {
  write_file(file, "host.example " + ed25519 + "\n");
  fs::permissions(file, fs::perms::none);
  const without_privileges ordinary_user;
  for (const auto& reason : {subject.find("host.example", 22).error(),
                             subject.append("host.example", 22, ed25519_key).error()}) {
    BOOST_TEST((reason.kind == ssh::error_kind::file));
    BOOST_TEST(contains(reason.text, file.string() + ": Permission denied"));
  }
}

BOOST_AUTO_TEST_CASE(an_appended_key_is_found_here_and_by_openssh) {
  BOOST_REQUIRE(subject.append("Host.example", 22, ed25519_key));
  BOOST_REQUIRE(subject.append("host.example", 2222, ecdsa_key));
  BOOST_REQUIRE(subject.append("2001:db8::1", 2222, ecdsa_key));
  BOOST_TEST(trusted("host.example") == 1u);
  BOOST_TEST(trusted("host.example", 2222) == 1u);
  BOOST_TEST(trusted("2001:db8::1", 2222) == 1u);
  BOOST_TEST(openssh_finds("host.example"));
  BOOST_TEST(openssh_finds("[host.example]:2222"));
  BOOST_TEST(openssh_finds("[2001:db8::1]:2222"));
}

BOOST_AUTO_TEST_CASE(file_and_folder_are_created_for_their_owner_alone) {
  const auto folder = directory.path() / "ssh";
  ssh::known_hosts_file nested{folder / "known_hosts"};
  BOOST_REQUIRE(nested.append("host.example", 22, ed25519_key));
  BOOST_TEST((fs::status(folder).permissions() == fs::perms::owner_all));
  BOOST_TEST((fs::status(folder / "known_hosts").permissions()
              == (fs::perms::owner_read | fs::perms::owner_write)));
}

BOOST_AUTO_TEST_CASE(appending_touches_nothing_else_and_ends_an_open_line) {
  const std::string before = "# kept\r\n\n  broken line\nother.example " + ed25519;
  write_file(file, before);
  BOOST_REQUIRE(subject.append("host.example", 22, ecdsa_key));
  BOOST_TEST(read_file(file) == before + "\nhost.example " + ecdsa + "\n");
}

BOOST_AUTO_TEST_CASE(a_name_that_means_more_than_itself_is_not_recorded) {
  for (const std::string name :
       {"*", "web-?", "a,b", "!a", "|1|a", "#a", "@revoked", "a b", "a\nb", "a\tb", "[a]:1", ""})
    BOOST_CHECK_MESSAGE(!subject.append(name, 22, ed25519_key), name);
  BOOST_TEST(!fs::exists(file));
}

BOOST_AUTO_TEST_CASE(two_writers_do_not_corrupt_the_file) {
  constexpr int lines = 100;
  const auto write_all = [&](const std::string& writer) {
    ssh::known_hosts_file own{file};
    for (int i = 0; i < lines; ++i)
      (void)own.append(writer + std::to_string(i), 22, ed25519_key);
  };
  std::thread first{write_all, "first-"};
  std::thread second{write_all, "second-"};
  first.join();
  second.join();
  std::multiset<std::string> expected;
  for (const std::string writer : {"first-", "second-"})
    for (int i = 0; i < lines; ++i)
      expected.insert(writer + std::to_string(i) + " " + ed25519);
  BOOST_TEST((filled_lines() == expected));
}

BOOST_AUTO_TEST_CASE(a_fingerprint_is_what_ssh_keygen_prints) {
  BOOST_TEST(ssh::fingerprint(ed25519_key) == "SHA256:Pu+mwEYXTd2lNZI3HFc0SWcRYqUnWiKOP6bBK+ASngU");
  BOOST_TEST(ssh::fingerprint(ecdsa_key) == "SHA256:fufnbT8JE5SBpfErKy7UJuVs66D2x8UbqrNUtwJ/n6A");
}

BOOST_AUTO_TEST_CASE(a_key_that_is_none_has_no_fingerprint) {
  BOOST_TEST(ssh::fingerprint({"ssh-ed25519", "????"}) == "");
  BOOST_TEST(ssh::fingerprint({"ssh-unheard-of", ed25519_key.base64}) == "");
  BOOST_TEST(ssh::fingerprint({}) == "");
}

BOOST_AUTO_TEST_SUITE_END()
