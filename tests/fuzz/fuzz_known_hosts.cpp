#include "fuzz.hpp"
#include "sshexec/ssh/file_descriptor.hpp"
#include "sshexec/ssh/known_hosts.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>

using namespace sshexec;
using fuzz::require;

namespace {

const ssh::host_key own_key{"ssh-ed25519",
                            "AAAAC3NzaC1lZDI1NTE5AAAAICaFogyROqZmUOiu+bwZtr7LM0Gkt2KEVHYeXhtKsvq4"};

/// A file without a disk.
class memory_file {
public:
  explicit memory_file(const std::string& text)
    : descriptor_(::memfd_create("known_hosts", MFD_CLOEXEC)) {
    require(::write(descriptor_.get(), text.data(), text.size())
              == static_cast<ssize_t>(text.size()),
            "the file can be written");
  }

  [[nodiscard]] std::string path() const {
    return "/proc/self/fd/" + std::to_string(descriptor_.get());
  }

private:
  ssh::file_descriptor descriptor_;
};

struct known_host {
  std::string name;
  std::uint16_t port = 22;
};

ssh::known_keys find(const std::string& file, const known_host& host) {
  // A change within the clock's tick would not be noticed, so every look is the first one.
  auto found = ssh::known_hosts_file{file}.find(host.name, host.port);
  require(found.has_value(), "a file that can be read is read");
  for (const auto* keys : {&found->trusted, &found->revoked})
    for (const ssh::host_key& key : *keys)
      require(!key.type.empty() && !fingerprint(key).empty(), "a key on record is a key");
  return std::move(*found);
}

bool are_equal(const ssh::known_keys& a, const ssh::known_keys& b) {
  return a.trusted == b.trusted && a.revoked == b.revoked;
}

bool are_same_host(const known_host& a, const known_host& b) {
  const auto same_letter
    = [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); };
  return a.port == b.port
         && std::equal(a.name.begin(), a.name.end(), b.name.begin(), b.name.end(), same_letter);
}

void check_append(const std::string& file, const known_host& host, const known_host& neighbour) {
  ssh::known_keys expected = find(file, host);
  const ssh::known_keys others = find(file, neighbour);
  if (ssh::known_hosts_file{file}.append(host.name, host.port, own_key))
    expected.trusted.push_back(own_key);
  require(are_equal(find(file, host), expected), "a recorded key is found, behind those before it");
  if (!are_same_host(host, neighbour))
    require(are_equal(find(file, neighbour), others), "a recorded key is that of one host alone");
}

} // namespace

/// The first line names a host, the second one another host, and the rest is a known_hosts file: it
/// holds keys or nothing, and what is recorded means that host and no other.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::lines input{fuzz::to_text(data, size)};
  const std::string host = input.next();
  const std::string neighbour = input.next();
  const memory_file file{input.rest()};
  check_append(file.path(), {host, 22}, {neighbour, 22});
  check_append(file.path(), {host, 2222}, {host, 22});
  return 0;
}
