#include "net/tls/tls_context.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <new>
#include <stdexcept>
#include <string>
#include <string_view>

namespace stormo::net {
namespace {

// The one protocol that is spoken over TLS here (RFC 7301).
constexpr unsigned char kAlpn[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
constexpr unsigned char kSessionIdContext[] = {'s', 't', 'o', 'r', 'm', 'o'};

int selectAlpn(SSL*, const unsigned char** out, unsigned char* outBytes, const unsigned char* in,
               unsigned int inBytes, void*) {
  unsigned char* selected = nullptr;
  const int result = ::SSL_select_next_proto(&selected, outBytes, kAlpn, sizeof kAlpn, in, inBytes);
  *out = selected;
  // A client that offers others only is left to its own protocol, as if it had offered none.
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

[[noreturn]] void fail(std::string_view what, const std::string& file) {
  const unsigned long error = ::ERR_peek_error();
  const char* reason = ::ERR_reason_error_string(error);
  if (ERR_SYSTEM_ERROR(error)) reason = ::strerror(ERR_GET_REASON(error));
  const std::string why = reason == nullptr ? "it cannot be read" : reason;
  ::ERR_clear_error();
  throw std::invalid_argument(fmt::format("{} '{}': {}", what, file, why));
}

}  // namespace

void TlsContext::Free::operator()(SSL_CTX* context) const { ::SSL_CTX_free(context); }

TlsContext::~TlsContext() = default;

TlsContext::TlsContext(const Tls& settings) : context_(::SSL_CTX_new(::TLS_server_method())) {
  SSL_CTX* const context = context_.get();
  if (context == nullptr) throw std::bad_alloc();
  ::SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  ::SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  ::SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  ::SSL_CTX_set_session_id_context(context, kSessionIdContext, sizeof kSessionIdContext);
  ::SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);  // tickets need none
  ::SSL_CTX_set_alpn_select_cb(context, &selectAlpn, nullptr);

  const std::string& certificate = settings.certificateFile;
  const std::string& key = settings.keyFile.empty() ? certificate : settings.keyFile;
  ::ERR_clear_error();
  if (::SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1) {
    fail("the certificate file", certificate);
  }
  if (::SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1) {
    fail("the key file", key);
  }
  if (::SSL_CTX_check_private_key(context) != 1) fail("the key file", key);
}

}  // namespace stormo::net
