#pragma once

#include <openssl/ssl.h>
#include <stormo/tls.h>

#include <memory>
#include <string>
#include <string_view>

#include "support/temp_directory.h"

namespace stormo::test {

/// Writes a new key and a certificate of its own for `host` into the directory: HOST.crt, HOST.key.
/// It replaces those that are there. The certificate is an authority, too: of itself.
TlsCertificate makeCertificate(const TempDirectory& directory,
                               const std::string& host = "localhost", long validSeconds = 3600);

/// The client's side of TLS on a connected socket, which the caller owns. Never blocks.
class TlsPeer {
 public:
  explicit TlsPeer(int fd);
  ~TlsPeer();
  TlsPeer(const TlsPeer&) = delete;
  TlsPeer& operator=(const TlsPeer&) = delete;

  // Before the handshake:
  void useVersion(int version);           ///< TLS1_2_VERSION or TLS1_3_VERSION alone.
  void offerAlpn(std::string_view wire);  ///< As on the wire: each name after its length.
  void resume(SSL_SESSION* session);
  void askFor(const std::string& host);  ///< The name of SNI.
  void show(const TlsCertificate& certificate);

  /// Goes on with the handshake. True when it is done.
  bool shakeHands();
  void send(std::string_view bytes);
  /// Reads what is available, then returns and removes all that was received.
  [[nodiscard]] std::string take();
  /// The server has ended TLS with close_notify.
  [[nodiscard]] bool isClosed();
  void close();        ///< Sends close_notify.
  void renegotiate();  ///< Begins a second handshake on the connection (TLS 1.2).

  [[nodiscard]] std::string alpn() const;
  [[nodiscard]] bool wasResumed() const;
  [[nodiscard]] std::string certificateName() const;  ///< The common name of the server's.

 private:
  struct Free {
    void operator()(SSL_CTX* context) const;
    void operator()(SSL* session) const;
    void operator()(SSL_SESSION* session) const;
  };

 public:
  using Session = std::unique_ptr<SSL_SESSION, Free>;
  /// What a later connection resumes.
  [[nodiscard]] Session session() const;

 private:
  std::unique_ptr<SSL_CTX, Free> context_;
  std::unique_ptr<SSL, Free> session_;
  bool isClosed_ = false;
};

}  // namespace stormo::test
