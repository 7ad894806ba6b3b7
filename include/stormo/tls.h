#pragma once

#include <string>

namespace stormo {

/// A server's certificate, for listeners that speak TLS 1.2 and 1.3 (RFC 5246, RFC 8446).
struct Tls {
  /// PEM file with the server's certificate and, after it, those of the intermediate authorities.
  /// Empty: no TLS.
  std::string certificateFile = {};
  /// PEM file with the private key. Empty: it is in certificateFile.
  std::string keyFile = {};

  [[nodiscard]] bool isOn() const { return !certificateFile.empty(); }
};

}  // namespace stormo
