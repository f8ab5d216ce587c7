#pragma once

#include <string>

namespace sshexec::app {

/// Tells the service manager that started this process how it is, as in sd_notify(3): "READY=1",
/// "STOPPING=1". Does nothing when there is none (NOTIFY_SOCKET is not set).
void notify_manager(const std::string& state);

} // namespace sshexec::app
