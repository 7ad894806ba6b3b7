#pragma once

#include <system_error>

namespace stormo::net {

/// OpenSSL's latest error of this thread, whose queue is emptied: "wrong version number". For a
/// system call that failed, its error.
[[nodiscard]] std::error_code takeTlsError();

/// Why a certificate was not accepted: "self-signed certificate". `result` is X509_V_ERR_….
[[nodiscard]] std::error_code certificateError(long result);

}  // namespace stormo::net
