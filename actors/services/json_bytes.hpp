#pragma once

#include <nlohmann/json.hpp>

#include <string>

namespace sshexec {

bool is_utf8(const std::string& text);

/// Puts bytes into an object, from which they can be told exactly. JSON text cannot hold bytes that
/// are no UTF-8; those go as "NAME_base64", so that nobody takes the one for the other.
void put_bytes(nlohmann::ordered_json& object, const std::string& name, const std::string& bytes);

} // namespace sshexec
