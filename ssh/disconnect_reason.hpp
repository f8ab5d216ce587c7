#pragma once

/// Why a peer took its leave, as far as it matters here (RFC 4253 §11.1).
namespace sshexec::ssh::disconnect_reason {

inline constexpr unsigned protocol_error = 2;
inline constexpr unsigned key_exchange_failed = 3;
inline constexpr unsigned no_more_auth_methods = 14;

} // namespace sshexec::ssh::disconnect_reason
