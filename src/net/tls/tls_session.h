#pragma once

#include <openssl/types.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include "base/shared_buffer.h"
#include "net/tls/tls_context.h"

namespace stormo::net {

/// TLS of one connection, without its socket: it turns bytes that were received into plaintext, and
/// plaintext into bytes to send. While the connection is idle it holds no buffers.
class TlsSession {
 public:
  /// The side of the context. `host`, for a client only: the name or IP address that the server's
  /// certificate must be valid for.
  explicit TlsSession(std::shared_ptr<const TlsContext> context, const std::string& host = {});
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  /// Bytes that have come from the peer: all of them are taken by calls of read() until it returns
  /// MoreNeeded. A view that must be valid until then.
  void receive(std::span<const char> bytes) { input_ = bytes; }

  enum class Read {
    Plaintext,   ///< `bytes` of the buffer were written. Call again.
    MoreNeeded,  ///< All that was received was taken.
    Closed,      ///< The peer has sent close_notify (RFC 8446 6.1): its end of file.
    Failed,      ///< It broke the protocol. See error().
  };
  struct ReadResult {
    Read what;
    std::size_t bytes = 0;
  };
  /// Begins the handshake or goes on with it, or decrypts into `buffer`. Appends to `output` what
  /// must be sent for it, also if it fails (an alert).
  [[nodiscard]] ReadResult read(std::span<char> buffer, SharedBuffer& output);
  /// Encrypts, and appends the records to `output`. Only if isEstablished(). False if it failed.
  [[nodiscard]] bool write(std::string_view plaintext, SharedBuffer& output);
  /// Appends close_notify, once.
  void close(SharedBuffer& output);

  [[nodiscard]] bool isOfClient() const { return context_->isOfClient(); }
  /// The handshake is done.
  [[nodiscard]] bool isEstablished() const;
  /// close() was called.
  [[nodiscard]] bool isClosed() const { return isClosed_; }
  /// Why read() has failed.
  [[nodiscard]] const std::error_code& error() const { return error_; }

 private:
  friend struct TlsBio;
  struct Free {
    void operator()(SSL* session) const;
  };
  std::shared_ptr<const TlsContext> context_;
  std::unique_ptr<SSL, Free> session_;
  std::span<const char> input_;
  SharedBuffer* output_ = nullptr;  // during a call
  bool isClosed_ = false;
  std::error_code error_;
};

}  // namespace stormo::net
