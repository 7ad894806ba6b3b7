#pragma once

#include <openssl/types.h>
#include <stormo/tls.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/tls/tls_material.h"

namespace stormo::net {

/// The settings and keys that all TLS connections of an endpoint share. Sessions keep theirs alive:
/// an endpoint may get another one at any time.
class TlsContext {
 public:
  /// For accepted connections. Throws std::invalid_argument, with a sentence for the user, if the
  /// material cannot be used.
  [[nodiscard]] static std::shared_ptr<const TlsContext> ofServer(const TlsMaterial& material);
  /// For outgoing connections. Reads the files. Throws as ofServer().
  [[nodiscard]] static std::shared_ptr<const TlsContext> ofClient(const TlsClient& settings);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  [[nodiscard]] SSL_CTX* get() const { return contexts_.front().get(); }
  [[nodiscard]] bool isOfClient() const { return isOfClient_; }

  /// States which certificate is not valid at that time, or not for `margin` more. Empty: all are.
  [[nodiscard]] std::string complaintOfDates(std::chrono::system_clock::time_point now,
                                             std::chrono::hours margin = {}) const;

 private:
  TlsContext() = default;

  static int onServerName(SSL* session, int* alert, void* context);
  static int onTicket(SSL* session, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                      EVP_MAC_CTX* mac, int encrypting);

  struct Free {
    void operator()(SSL_CTX* context) const;
  };
  using Context = std::unique_ptr<SSL_CTX, Free>;
  std::vector<Context> contexts_;          // one for each certificate, or one without any
  std::vector<std::string> certificates_;  // the names of their files
  TicketKeys ticketKeys_;
  bool isOfClient_ = false;
};

}  // namespace stormo::net
