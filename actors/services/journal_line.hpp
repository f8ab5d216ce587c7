#pragma once

#include "sshexec/actors/services/services.hpp"

#include <caf/timestamp.hpp>

#include <string>

namespace sshexec {

/// A record as one line of the journal, without its end: fields of the form `name=value`, text in
/// quotes and escaped (see `escape`).
std::string to_plain_line(const execution_record& x);

/// The same as a JSON object in ASCII. Text that is no UTF-8 is in "NAME_base64".
std::string to_json_line(const execution_record& x);

/// The same for what is about no request.
std::string to_plain_line(const std::string& notice, caf::timestamp time);
std::string to_json_line(const std::string& notice, caf::timestamp time);

} // namespace sshexec
