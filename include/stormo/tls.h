#pragma once

#include <string>
#include <vector>

namespace stormo {

/// A certificate and its private key.
struct TlsCertificate {
  /// PEM file with the certificate and, after it, those of the intermediate authorities.
  std::string certificateFile = {};
  /// PEM file with the private key, without a password. Empty: it is in certificateFile.
  std::string keyFile = {};
};

/// For listeners that speak TLS 1.2 and 1.3 (RFC 5246, RFC 8446).
struct Tls {
  /// A client gets the first one that is valid for the name that it has sent (SNI, RFC 6066 3), or
  /// else the first of all. Empty: no TLS.
  std::vector<TlsCertificate> certificates = {};
  /// PEM file with authorities: clients need a certificate of one of them (mutual TLS). Empty: they
  /// need none.
  std::string clientAuthoritiesFile = {};

  [[nodiscard]] bool isOn() const { return !certificates.empty(); }
};

/// For outgoing connections that speak TLS. The server's certificate must be valid for the host of
/// the URL.
struct TlsClient {
  /// PEM file with the authorities that the server's certificate may come from. Empty: those that
  /// the system trusts.
  std::string authoritiesFile = {};
  /// For a server that requires a certificate of its clients.
  TlsCertificate certificate = {};
};

}  // namespace stormo
