#pragma once

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

private:
  friend class weak_secret;

  std::shared_ptr<const std::string> text_;
};

/// Knows a secret again without keeping it from being wiped.
class weak_secret {
public:
  weak_secret() = default;

  explicit weak_secret(const secret& x) : text_(x.text_), is_empty_(x.empty()) {}

  /// Whether nobody holds the secret any more.
  [[nodiscard]] bool expired() const { return !is_empty_ && text_.expired(); }

  /// Whether both are held by somebody and have the same text.
  [[nodiscard]] bool is(const weak_secret& x) const;

private:
  std::weak_ptr<const std::string> text_;
  bool is_empty_ = true;
};

} // namespace sshexec::ssh
