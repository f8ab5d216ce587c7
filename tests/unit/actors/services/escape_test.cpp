#include "sshexec/actors/services/escape.hpp"
#include "unescape.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

namespace {

using namespace sshexec;
using namespace sshexec::test;

std::string all_byte_values() {
  std::string result;
  for (int x = 0; x < 256; ++x)
    result += static_cast<char>(x);
  return result;
}

} // namespace

BOOST_AUTO_TEST_SUITE(escape_test)

BOOST_AUTO_TEST_CASE(printable_text_stays_as_it_is) {
  for (const std::string text : {"", "echo 'a b' | grep -v {} %s", "größe", "日本語", "🚀"})
    BOOST_TEST(escape(text) == text);
}

BOOST_AUTO_TEST_CASE(quotes_and_backslashes_are_escaped) {
  BOOST_TEST(escape(R"(echo "a\b")") == R"(echo \"a\\b\")");
}

BOOST_AUTO_TEST_CASE(control_characters_are_escaped) {
  BOOST_TEST(escape(std::string("a\n\r\t\0\x1b\x7f", 7)) == R"(a\n\r\t\u0000\u001b\u007f)");
}

BOOST_AUTO_TEST_CASE(separators_and_invisible_characters_are_escaped) {
  BOOST_TEST(escape("\u0080\u0085\u009f") == R"(\u0080\u0085\u009f)");
  BOOST_TEST(escape("\u2028\u2029") == R"(\u2028\u2029)");
  BOOST_TEST(escape("\u202e\u2066\u200b\ufeff") == R"(\u202e\u2066\u200b\ufeff)");
  BOOST_TEST(escape("\U000e0041") == R"(\u{e0041})");
}

BOOST_AUTO_TEST_CASE(bytes_that_are_not_utf8_are_escaped_one_by_one) {
  BOOST_TEST(escape("a\xff") == R"(a\xff)");
  BOOST_TEST(escape("\x80z") == R"(\x80z)");
  BOOST_TEST(escape("\xc3") == R"(\xc3)");
  BOOST_TEST(escape("\xe2\x82z") == R"(\xe2\x82z)");
  BOOST_TEST(escape("\xc0\xaf") == R"(\xc0\xaf)");
  BOOST_TEST(escape("\xe0\x80\x8a") == R"(\xe0\x80\x8a)");
  BOOST_TEST(escape("\xed\xa0\x80") == R"(\xed\xa0\x80)");
  BOOST_TEST(escape("\xf4\x90\x80\x80") == R"(\xf4\x90\x80\x80)");
}

BOOST_AUTO_TEST_CASE(the_exact_bytes_can_be_told_from_the_escaped_text) {
  for (const auto& bytes : {all_byte_values(), std::string{R"(\n \\n \x41 \u0041)"},
                            std::string{"\u2028\U000e0041\u0085größe🚀\xc3"}})
    BOOST_TEST((unescape(escape(bytes)) == bytes));
}

BOOST_AUTO_TEST_SUITE_END()
