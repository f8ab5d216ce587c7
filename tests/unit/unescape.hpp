#pragma once

#include <string>

namespace sshexec::test {

inline std::string to_utf8(char32_t x) {
  std::string out;
  const auto put = [&](char32_t byte) { out += static_cast<char>(byte); };
  if (x < 0x80) {
    put(x);
  } else if (x < 0x800) {
    put(0xc0 | (x >> 6));
    put(0x80 | (x & 0x3f));
  } else if (x < 0x10000) {
    put(0xe0 | (x >> 12));
    put(0x80 | ((x >> 6) & 0x3f));
    put(0x80 | (x & 0x3f));
  } else {
    put(0xf0 | (x >> 18));
    put(0x80 | ((x >> 12) & 0x3f));
    put(0x80 | ((x >> 6) & 0x3f));
    put(0x80 | (x & 0x3f));
  }
  return out;
}

/// Undoes `escape`, by its description alone.
inline std::string unescape(const std::string& text) {
  const auto hex = [&](std::size_t at, std::size_t length) {
    return static_cast<char32_t>(std::stoul(text.substr(at, length), nullptr, 16));
  };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    switch (text[++i]) {
      case 'n':
        out += '\n';
        break;
      case 'r':
        out += '\r';
        break;
      case 't':
        out += '\t';
        break;
      case 'x':
        out += static_cast<char>(hex(i + 1, 2));
        i += 2;
        break;
      case 'u':
        if (text[i + 1] == '{') {
          const auto end = text.find('}', i);
          out += to_utf8(hex(i + 2, end - i - 2));
          i = end;
        } else {
          out += to_utf8(hex(i + 1, 4));
          i += 4;
        }
        break;
      default:
        out += text[i];
    }
  }
  return out;
}

} // namespace sshexec::test
