#include "sshexec/ssh/config/expansion.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace sshexec::ssh {

namespace {

/// What ssh makes of a connection's ends for the names of sockets; nothing depends on its strength.
std::string sha1_in_hex(const std::string& text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  ::EVP_Digest(text.data(), text.size(), digest.data(), &size, ::EVP_sha1(), nullptr);
  constexpr std::string_view digits = "0123456789abcdef";
  std::string result;
  for (std::size_t i = 0; i < size; ++i)
    result.append({digits[digest.at(i) / 16], digits[digest.at(i) % 16]});
  return result;
}

/// Replaces what stands for something else in a text, from its begin to its end.
class expander {
public:
  explicit expander(std::string_view text) : rest_(text) {}

  /// Tokens or variables are left alone where there is no pointer.
  value_result<std::string> expand(const config_tokens* tokens,
                                   const config_environment* environment) {
    while (!rest_.empty()) {
      value_result<std::string> part;
      if (tokens != nullptr && rest_.front() == '%')
        part = take_token(*tokens);
      else if (environment != nullptr && rest_.starts_with("${"))
        part = take_variable(*environment);
      else
        part = std::string{take(1)};
      if (!part)
        return part;
      result_ += *part;
    }
    return result_;
  }

private:
  std::string_view take(std::size_t count) {
    const auto result = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return result;
  }

  value_result<std::string> take_token(const config_tokens& tokens) {
    if (rest_.size() < 2)
      return tl::unexpected<std::string>{"a '%' stands at the end"};
    const char name = take(2)[1];
    if (name == '%')
      return "%";
    const auto token = tokens.find(name);
    if (token == tokens.end())
      return tl::unexpected{std::string{"there is no token %"} + name + " here"};
    return token->second;
  }

  value_result<std::string> take_variable(const config_environment& environment) {
    const auto end = rest_.find('}');
    if (end == std::string_view::npos)
      return tl::unexpected<std::string>{"a '${' has no '}'"};
    const std::string name{take(end + 1).substr(2, end - 2)};
    if (name.empty())
      return tl::unexpected<std::string>{"a '${}' names no variable"};
    const auto value = environment.variable(name);
    if (!value)
      return tl::unexpected{"there is no environment variable " + name};
    return *value;
  }

  std::string_view rest_;
  std::string result_;
};

} // namespace

config_tokens make_tokens(const token_facts& facts, const config_environment& environment) {
  const std::string& local = environment.host_name;
  return {{'C', sha1_in_hex(local + facts.host + facts.port + facts.remote_user)},
          {'L', local.substr(0, local.find('.'))},
          {'d', environment.home},
          {'h', facts.host},
          {'i', std::to_string(environment.user_id)},
          {'k', facts.key_alias},
          {'l', local},
          {'n', facts.original_host},
          {'p', facts.port},
          {'r', facts.remote_user},
          {'u', environment.user}};
}

config_tokens host_token(const std::string& host) {
  return {{'h', host}};
}

config_tokens proxy_tokens(const config_tokens& all) {
  config_tokens result;
  std::copy_if(all.begin(), all.end(), std::inserter(result, result.end()),
               [](const auto& x) { return std::string_view{"hknpr"}.find(x.first) < 5; });
  return result;
}

value_result<std::string> expand_tokens(const std::string& text, const config_tokens& tokens) {
  return expander{text}.expand(&tokens, nullptr);
}

value_result<std::string> expand_all(const std::string& text, const config_tokens& tokens,
                                     const config_environment& environment) {
  return expander{text}.expand(&tokens, &environment);
}

value_result<std::string> expand_variables(const std::string& text,
                                           const config_environment& environment) {
  return expander{text}.expand(nullptr, &environment);
}

value_result<std::string> expand_tilde(const std::string& path,
                                       const config_environment& environment) {
  if (!path.starts_with('~'))
    return path;
  const auto slash = std::min(path.find('/'), path.size());
  const std::string user = path.substr(1, slash - 1);
  auto home = user.empty() ? std::optional{environment.home} : environment.home_of(user);
  if (!home)
    return tl::unexpected{"there is no user " + user};
  if (!home->ends_with('/'))
    *home += '/';
  return *home + path.substr(std::min(path.find_first_not_of('/', slash), path.size()));
}

value_result<std::string> expand_path(const std::string& path, const config_tokens& tokens,
                                      const config_environment& environment) {
  return expand_tilde(path, environment).and_then([&](const std::string& x) {
    return expand_all(x, tokens, environment);
  });
}

} // namespace sshexec::ssh
