#include "sshexec/ssh/login_report.hpp"

#include "sshexec/ssh/host_key.hpp"

#include <ctime>
#include <memory>

namespace sshexec::ssh {

namespace {

void append(std::string& list, const char* separator, const std::string& item) {
  list += (list.empty() ? "" : separator) + item;
}

std::string keys(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " key" : " keys");
}

/// How the server lets clients log in; empty when it did not say.
std::string accepted_methods(ssh_session session) {
  const int methods = ssh_userauth_list(session, nullptr);
  std::string result;
  const auto add = [&](int method, const char* name) {
    if ((methods & method) != 0)
      append(result, ", ", name);
  };
  add(SSH_AUTH_METHOD_PUBLICKEY, "publickey");
  add(SSH_AUTH_METHOD_PASSWORD, "password");
  add(SSH_AUTH_METHOD_INTERACTIVE, "keyboard-interactive");
  add(SSH_AUTH_METHOD_HOSTBASED, "hostbased");
  add(SSH_AUTH_METHOD_GSSAPI_MIC, "gssapi-with-mic");
  return result;
}

} // namespace

void login_report::offered(const private_key& key, bool with_certificate) {
  ++count_;
  char* base64 = nullptr;
  ssh_pki_export_pubkey_base64(key.get(), &base64);
  const std::unique_ptr<char, decltype(&ssh_string_free_char)> owner{base64, ssh_string_free_char};
  const std::string print
    = base64 ? fingerprint({ssh_key_type_to_char(ssh_key_type(key.get())), base64}) : "";
  add_offer((key.name.empty() ? "a key" : key.name) + " (" + print + ")"
            + (with_certificate ? " with " + describe(*key.certificate, std::time(nullptr)) : ""));
  if (!key.objection.empty() && failures_.find(key.objection) == std::string::npos)
    remark(key.objection);
}

void login_report::offered_of_agent(std::size_t count) {
  count_ += count;
  if (count > 0)
    append(offers_, ", ", keys(count) + " of the agent");
}

void login_report::offered_password() {
  password_ = fate::said;
  add_offer("a password");
}

/// What is offered for two steps is told once.
void login_report::add_offer(const std::string& text) {
  if (offers_.find(text) == std::string::npos)
    append(offers_, ", ", text);
}

void login_report::remark(const std::string& text) {
  append(failures_, "; ", text);
}

void login_report::failed(const error& why) {
  remark(why.text);
  if (why.kind != error_kind::file)
    kind_of_failures_ = why.kind;
}

error login_report::refusal(ssh_session session) const {
  // A server that was asked about nothing refused nothing.
  if (count_ == 0 && password_ == fate::unsaid && !was_asked_)
    return {kind_of_failures_, failures_};
  const std::string methods = accepted_methods(session);
  std::string what = password_ == fate::refused ? "wrong password; " : "";
  if (const std::string half = accepted(); !half.empty())
    what += half + " not enough, the server asks for more: " + methods;
  else if (methods.empty())
    what += "the server does not say what it accepts";
  else
    what += "the server accepts " + methods;
  error result = make(what);
  // What could not be offered for a moment may be what the server takes; a password that may be
  // wrong is not said again for that.
  const bool may_be_wrong = password_ == fate::said || password_ == fate::refused;
  if (kind_of_failures_ != error_kind::file && !may_be_wrong)
    result.kind = kind_of_failures_;
  return result;
}

/// "the key alone is".
std::string login_report::accepted() const {
  std::string result;
  if (keys_accepted_ > 0)
    result = keys_accepted_ == 1 ? "the key" : keys(keys_accepted_);
  if (password_ == fate::accepted)
    append(result, " and ", "the password");
  if (result.empty())
    return result;
  const bool are_several = keys_accepted_ + (password_ == fate::accepted ? 1 : 0) > 1;
  return result + (are_several ? " are" : " alone is");
}

error login_report::end(const std::string& farewell) const {
  const std::string advice = count_ > 1 ? "; name one key, or have the agent hold fewer" : "";
  std::string offered = count_ > 0 || password_ == fate::unsaid ? keys(count_) : "";
  if (password_ != fate::unsaid)
    append(offered, " and ", "a password");
  return make("the server ended the connection when " + offered + " had been offered (" + farewell
              + ')' + advice);
}

error login_report::make(const std::string& what) const {
  return {error_kind::authentication, "login refused for " + username_ + ": " + what
                                        + "; offered: " + (offers_.empty() ? "nothing" : offers_)
                                        + (failures_.empty() ? "" : "; " + failures_)};
}

} // namespace sshexec::ssh
