#pragma once

#include <openssl/types.h>
#include <stormo/tls.h>

#include <memory>

namespace stormo::net {

/// The settings and keys that all TLS connections of an endpoint share.
class TlsContext {
 public:
  /// For accepted connections. Reads the files. Throws std::invalid_argument, with a sentence for
  /// the user, if they cannot be used.
  explicit TlsContext(const Tls& settings);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  [[nodiscard]] SSL_CTX* get() const { return context_.get(); }

 private:
  struct Free {
    void operator()(SSL_CTX* context) const;
  };
  std::unique_ptr<SSL_CTX, Free> context_;
};

}  // namespace stormo::net
