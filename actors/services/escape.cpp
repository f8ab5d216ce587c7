#include "sshexec/actors/services/escape.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace sshexec {

namespace {

/// A character and the number of bytes that encode it; no bytes where the text is not UTF-8.
struct decoded {
  char32_t character = 0;
  std::size_t length = 0;
};

std::uint8_t byte_at(std::string_view text, std::size_t index) {
  return static_cast<std::uint8_t>(text[index]);
}

/// The form of a character's encoding, by its first byte (RFC 3629 §3).
struct utf8_form {
  std::uint8_t mask;
  std::uint8_t prefix;
  std::size_t length;
  /// A smaller character is to be encoded in a shorter form.
  char32_t smallest;
};

constexpr std::array<utf8_form, 4> utf8_forms{{
  {0x80, 0x00, 1, 0},
  {0xe0, 0xc0, 2, 0x80},
  {0xf0, 0xe0, 3, 0x800},
  {0xf8, 0xf0, 4, 0x10000},
}};

bool is_scalar_value(char32_t x) {
  return x < 0xd800 || (x > 0xdfff && x <= 0x10ffff);
}

/// Decodes the first character of a text that is not empty.
decoded decode(std::string_view text) {
  const auto first = byte_at(text, 0);
  const auto* form = std::find_if(utf8_forms.begin(), utf8_forms.end(),
                                  [&](const utf8_form& x) { return (first & x.mask) == x.prefix; });
  if (form == utf8_forms.end() || text.size() < form->length)
    return {};
  char32_t character = first & static_cast<std::uint8_t>(~form->mask);
  for (std::size_t i = 1; i < form->length; ++i) {
    const auto next = byte_at(text, i);
    if ((next & 0xc0) != 0x80)
      return {};
    character = (character << 6) | (next & 0x3f);
  }
  if (character < form->smallest || !is_scalar_value(character))
    return {};
  return {character, form->length};
}

struct character_range {
  char32_t first;
  char32_t last;
};

/// What ends or garbles a line on some screen (Unicode, general categories Cc, Cf, Zl and Zp).
constexpr std::array unprintable{
  character_range{0x00, 0x1f},     character_range{0x7f, 0x9f},
  character_range{0xad, 0xad},     character_range{0x61c, 0x61c},
  character_range{0x200b, 0x200f}, character_range{0x2028, 0x202e},
  character_range{0x2060, 0x206f}, character_range{0xfeff, 0xfeff},
  character_range{0xfff9, 0xfffb}, character_range{0xe0000, 0xe007f},
};

bool is_unprintable(char32_t x) {
  return std::any_of(unprintable.begin(), unprintable.end(), [&](const character_range& range) {
    return range.first <= x && x <= range.last;
  });
}

std::string to_escape_sequence(char32_t character) {
  const auto code = static_cast<std::uint32_t>(character);
  switch (character) {
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      // More than four digits need a mark where they end.
      return code > 0xffff ? fmt::format("\\u{{{:x}}}", code) : fmt::format("\\u{:04x}", code);
  }
}

/// Escapes what is not printable, and of the printable characters those in `more`.
std::string escape_also(std::string_view bytes, std::string_view more) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    const auto [character, length] = decode(bytes);
    if (length == 0)
      out += fmt::format("\\x{:02x}", byte_at(bytes, 0));
    else if (is_unprintable(character))
      out += to_escape_sequence(character);
    else if (more.find(bytes.front()) != std::string_view::npos)
      out.append("\\").append(bytes.substr(0, 1));
    else
      out.append(bytes.substr(0, length));
    bytes.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

} // namespace

std::string escape(std::string_view bytes) {
  return escape_also(bytes, "\"\\");
}

std::string escape_controls(std::string_view bytes) {
  return escape_also(bytes, "");
}

} // namespace sshexec
