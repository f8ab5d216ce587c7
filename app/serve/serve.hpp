#pragma once

#include "sshexec/app/serve/serve_options.hpp"

namespace sshexec::app {

/// Publishes an executor until a signal ends it. To be called before there is any other thread.
/// Returns the tool's exit code.
int serve(const serve_request& request);

} // namespace sshexec::app
