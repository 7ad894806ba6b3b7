#include "net/tls/tls_session.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "net/tls/tls_error.h"

namespace stormo::net {

/// OpenSSL's view of a session's bytes: it reads what was received and writes to the output of the
/// call. Nothing is kept in between, so an idle session has no buffers.
struct TlsBio {
  static TlsSession& of(BIO* bio) { return *static_cast<TlsSession*>(::BIO_get_data(bio)); }

  static int read(BIO* bio, char* out, int wanted) {
    ::BIO_clear_retry_flags(bio);
    std::span<const char>& input = of(bio).input_;
    const std::size_t bytes = std::min(input.size(), static_cast<std::size_t>(wanted));
    if (bytes == 0) {
      ::BIO_set_retry_read(bio);
      return -1;
    }
    std::memcpy(out, input.data(), bytes);
    input = input.subspan(bytes);
    return static_cast<int>(bytes);
  }
  static int write(BIO* bio, const char* bytes, int count) {
    const auto size = static_cast<std::size_t>(count);
    std::memcpy(of(bio).output_->extend(size), bytes, size);
    return count;
  }
  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static BIO_METHOD* method() {
    static BIO_METHOD* const kMethod = [] {
      BIO_METHOD* const made = ::BIO_meth_new(::BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "turn");
      if (made == nullptr) throw std::bad_alloc();
      ::BIO_meth_set_read(made, &read);
      ::BIO_meth_set_write(made, &write);
      ::BIO_meth_set_ctrl(made, &control);
      return made;
    }();
    return kMethod;
  }
};

void TlsSession::Free::operator()(SSL* session) const { ::SSL_free(session); }

TlsSession::TlsSession(std::shared_ptr<const TlsContext> context, const std::string& host)
    : context_(std::move(context)), session_(::SSL_new(context_->get())) {
  BIO* const bio = ::BIO_new(TlsBio::method());
  if (session_ == nullptr || bio == nullptr) throw std::bad_alloc();
  ::BIO_set_data(bio, this);
  ::BIO_set_init(bio, 1);
  ::SSL_set_bio(session_.get(), bio, bio);
  isOfClient() ? ::SSL_set_connect_state(session_.get()) : ::SSL_set_accept_state(session_.get());
  if (!isOfClient()) return;
  X509_VERIFY_PARAM* const expected = ::SSL_get0_param(session_.get());
  if (::X509_VERIFY_PARAM_set1_ip_asc(expected, host.c_str()) == 1) return;
  if (::X509_VERIFY_PARAM_set1_host(expected, host.c_str(), host.size()) != 1 ||
      ::SSL_set_tlsext_host_name(session_.get(), host.c_str()) != 1) {
    throw std::bad_alloc();
  }
}

TlsSession::~TlsSession() = default;

TlsSession::ReadResult TlsSession::read(std::span<char> buffer, SharedBuffer& output) {
  output_ = &output;
  ::ERR_clear_error();
  std::size_t bytes = 0;
  // It makes the handshake, too.
  const int result = ::SSL_read_ex(session_.get(), buffer.data(), buffer.size(), &bytes);
  if (result == 1) return {Read::Plaintext, bytes};
  switch (::SSL_get_error(session_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return {Read::MoreNeeded};
    case SSL_ERROR_ZERO_RETURN:
      return {Read::Closed};
    default:
      break;
  }
  const std::error_code error = takeTlsError();
  const long verified = ::SSL_get_verify_result(session_.get());
  error_ = verified == X509_V_OK ? error : certificateError(verified);
  isClosed_ = true;  // after a fatal alert there is no close_notify
  return {Read::Failed};
}

bool TlsSession::write(std::string_view plaintext, SharedBuffer& output) {
  output_ = &output;
  ::ERR_clear_error();
  while (!plaintext.empty()) {
    std::size_t written = 0;
    if (::SSL_write_ex(session_.get(), plaintext.data(), plaintext.size(), &written) != 1) {
      ::ERR_clear_error();
      return false;
    }
    plaintext.remove_prefix(written);
  }
  return true;
}

void TlsSession::close(SharedBuffer& output) {
  if (isClosed_) return;
  isClosed_ = true;
  output_ = &output;
  ::ERR_clear_error();
  if (isEstablished()) ::SSL_shutdown(session_.get());
  ::ERR_clear_error();
}

bool TlsSession::isEstablished() const { return ::SSL_is_init_finished(session_.get()) == 1; }

}  // namespace stormo::net
