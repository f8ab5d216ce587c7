#pragma once

#include <compare>
#include <memory>
#include <string>

namespace sshexec::ssh {

/// Overwrites a text and empties it.
void wipe(std::string& text);

/// A passphrase, or the text of a private key. Copies share one buffer, which is wiped when the
/// last of them lets go. Nothing prints it.
class secret {
public:
  secret() = default;

  /// Takes a copy and wipes `text`; what the caller made it from is the caller's to wipe.
  explicit secret(std::string text);

  /// Valid as long as this secret or a copy of it lives.
  [[nodiscard]] const std::string& text() const;

  [[nodiscard]] bool empty() const { return text().empty(); }

  friend bool operator==(const secret& a, const secret& b) { return a.text() == b.text(); }

  friend auto operator<=>(const secret& a, const secret& b) { return a.text() <=> b.text(); }

private:
  std::shared_ptr<const std::string> text_;
};

} // namespace sshexec::ssh
