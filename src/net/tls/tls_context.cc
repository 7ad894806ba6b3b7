#include "net/tls/tls_context.h"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <new>
#include <stdexcept>
#include <utility>

#include "base/free_by.h"
#include "net/tls/tls_error.h"

namespace stormo::net {
namespace {

// The one protocol that is spoken over TLS here (RFC 7301).
constexpr unsigned char kAlpn[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
constexpr unsigned char kSessionIdContext[] = {'s', 't', 'o', 'r', 'm', 'o'};

using X509Pointer = std::unique_ptr<X509, FreeBy<&::X509_free>>;
using KeyPointer = std::unique_ptr<EVP_PKEY, FreeBy<&::EVP_PKEY_free>>;
using BioPointer = std::unique_ptr<BIO, FreeBy<&::BIO_free>>;

[[noreturn]] void refuse(std::string_view what, const std::string& file, std::string_view why) {
  throw std::invalid_argument(fmt::format("{} '{}': {}", what, file, why));
}

[[noreturn]] void fail(std::string_view what, const std::string& file) {
  refuse(what, file, takeTlsError().message());
}

BioPointer reading(const std::string& pem) {
  BioPointer bio(::BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (bio == nullptr) throw std::bad_alloc();
  ::ERR_clear_error();
  return bio;
}

/// OpenSSL would ask for it on the terminal. Notes that it has.
int noPassword(char*, int, int, void* wasAsked) {
  if (wasAsked != nullptr) *static_cast<bool*>(wasAsked) = true;
  return -1;
}

/// The certificates of a PEM file, in their order.
std::vector<X509Pointer> certificatesIn(const std::string& pem, std::string_view what,
                                        const std::string& file) {
  const BioPointer bio = reading(pem);
  std::vector<X509Pointer> found;
  while (X509* const next = ::PEM_read_bio_X509(bio.get(), nullptr, &noPassword, nullptr)) {
    found.emplace_back(next);
  }
  const bool isEnd = ERR_GET_REASON(::ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (!isEnd) fail(what, file);
  ::ERR_clear_error();
  if (found.empty()) refuse(what, file, "it has no certificate in PEM format");
  return found;
}

KeyPointer keyIn(const TlsMaterial::Certificate& certificate) {
  const BioPointer bio = reading(certificate.key);
  bool hasPassword = false;
  KeyPointer key(::PEM_read_bio_PrivateKey(bio.get(), nullptr, &noPassword, &hasPassword));
  if (key != nullptr) return key;
  ::ERR_clear_error();
  refuse("the key file", certificate.keyFile,
         hasPassword
             ? "it is encrypted with a password (write it without one, readable by its owner only)"
             : "it has no private key in PEM format");
}

void use(SSL_CTX* context, const TlsMaterial::Certificate& certificate) {
  auto chain =
      certificatesIn(certificate.certificate, "the certificate file", certificate.certificateFile);
  if (::SSL_CTX_use_certificate(context, chain.front().get()) != 1) {
    fail("the certificate file", certificate.certificateFile);
  }
  for (std::size_t i = 1; i < chain.size(); ++i) {
    if (::SSL_CTX_add1_chain_cert(context, chain[i].get()) != 1) {
      fail("the certificate file", certificate.certificateFile);
    }
  }
  const KeyPointer key = keyIn(certificate);
  const bool isItsKey = ::X509_check_private_key(chain.front().get(), key.get()) == 1;
  ::ERR_clear_error();
  if (!isItsKey) {
    refuse(
        "the key file", certificate.keyFile,
        fmt::format("its key is not that of the certificate in {}", certificate.certificateFile));
  }
  if (::SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
    fail("the key file", certificate.keyFile);
  }
}

void trust(SSL_CTX* context, const std::string& pem, std::string_view what, const std::string& file,
           bool isOfServer) {
  for (const X509Pointer& authority : certificatesIn(pem, what, file)) {
    X509_STORE* const store = ::SSL_CTX_get_cert_store(context);
    const bool isAdded = ::X509_STORE_add_cert(store, authority.get()) == 1 &&
                         (!isOfServer || ::SSL_CTX_add_client_CA(context, authority.get()) == 1);
    if (!isAdded) fail(what, file);
  }
}

int selectAlpn(SSL*, const unsigned char** out, unsigned char* outBytes, const unsigned char* in,
               unsigned int inBytes, void*) {
  unsigned char* selected = nullptr;
  const int result = ::SSL_select_next_proto(&selected, outBytes, kAlpn, sizeof kAlpn, in, inBytes);
  *out = selected;
  // A client that offers others only is left to its own protocol, as if it had offered none.
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

SSL_CTX* makeContext(const SSL_METHOD* method) {
  SSL_CTX* const context = ::SSL_CTX_new(method);
  if (context == nullptr) throw std::bad_alloc();
  ::SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  ::SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  ::SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  return context;
}

}  // namespace

void TlsContext::Free::operator()(SSL_CTX* context) const { ::SSL_CTX_free(context); }

TlsContext::~TlsContext() = default;

std::shared_ptr<const TlsContext> TlsContext::ofServer(const TlsMaterial& material) {
  std::shared_ptr<TlsContext> made(new TlsContext);
  made->ticketKeys_ = material.ticketKeys;
  for (const TlsMaterial::Certificate& certificate : material.certificates) {
    SSL_CTX* const context = made->contexts_.emplace_back(makeContext(::TLS_server_method())).get();
    made->certificates_.push_back(certificate.certificateFile);
    SSL_CTX_set_app_data(context, made.get());
    ::SSL_CTX_set_session_id_context(context, kSessionIdContext, sizeof kSessionIdContext);
    ::SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);  // tickets need none
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context, &onTicket);
    ::SSL_CTX_set_alpn_select_cb(context, &selectAlpn, nullptr);
    use(context, certificate);
    if (material.clientAuthorities.empty()) continue;
    trust(context, material.clientAuthorities, "the file of the clients' authorities",
          material.clientAuthoritiesFile, true);
    ::SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  if (made->contexts_.size() > 1) {
    ::SSL_CTX_set_tlsext_servername_callback(made->get(), &onServerName);
    ::SSL_CTX_set_tlsext_servername_arg(made->get(), made.get());
  }
  return made;
}

std::shared_ptr<const TlsContext> TlsContext::ofClient(const TlsClient& settings) {
  std::shared_ptr<TlsContext> made(new TlsContext);
  made->isOfClient_ = true;
  SSL_CTX* const context = made->contexts_.emplace_back(makeContext(::TLS_client_method())).get();
  ::SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  if (settings.authoritiesFile.empty()) {
    ::SSL_CTX_set_default_verify_paths(context);
  } else {
    constexpr const char* kWhat = "the file of authorities";
    const std::string& file = settings.authoritiesFile;
    trust(context, readTlsFile(kWhat, file), kWhat, file, false);
  }
  if (!settings.certificate.certificateFile.empty()) {
    const TlsMaterial own = TlsMaterial::read({.certificates = {settings.certificate}});
    use(context, own.certificates.front());
  }
  return made;
}

int TlsContext::onServerName(SSL* session, int*, void* context) {
  const auto& self = *static_cast<const TlsContext*>(context);
  const char* const name = ::SSL_get_servername(session, TLSEXT_NAMETYPE_host_name);
  if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
  for (const Context& each : self.contexts_) {
    X509* const certificate = ::SSL_CTX_get0_certificate(each.get());
    if (::X509_check_host(certificate, name, 0, 0, nullptr) != 1) continue;
    ::SSL_set_SSL_CTX(session, each.get());
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_NOACK;  // it gets the first one, and decides
}

int TlsContext::onTicket(SSL* session, unsigned char* name, unsigned char* iv,
                         EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, int encrypting) {
  constexpr int kFailed = -1;
  constexpr int kNoTicket = 0;
  constexpr int kUse = 1;
  constexpr int kUseAndRenew = 2;
  const auto& self =
      *static_cast<const TlsContext*>(SSL_CTX_get_app_data(::SSL_get_SSL_CTX(session)));
  const TicketKeys::Key& current = self.ticketKeys_.current();
  const TicketKeys::Key* const key = encrypting == 1 ? &current : self.ticketKeys_.find(name);
  if (key == nullptr) return kNoTicket;
  if (encrypting == 1) {
    std::copy(key->name.begin(), key->name.end(), name);
    if (::RAND_bytes(iv, ::EVP_CIPHER_get_iv_length(::EVP_aes_256_cbc())) != 1) return kFailed;
  }
  char digest[] = "SHA256";
  auto macKey = key->mac;
  const OSSL_PARAM parameters[] = {
      ::OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, macKey.data(), macKey.size()),
      ::OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      ::OSSL_PARAM_construct_end()};
  if (::EVP_CipherInit_ex(cipher, ::EVP_aes_256_cbc(), nullptr, key->cipher.data(), iv,
                          encrypting) != 1 ||
      ::EVP_MAC_CTX_set_params(mac, parameters) != 1) {
    return kFailed;
  }
  return key == &current ? kUse : kUseAndRenew;
}

std::string TlsContext::complaintOfDates(std::chrono::system_clock::time_point now,
                                         std::chrono::hours margin) const {
  const std::time_t today = std::chrono::system_clock::to_time_t(now);
  for (std::size_t i = 0; i < certificates_.size(); ++i) {
    const X509* const certificate = ::SSL_CTX_get0_certificate(contexts_[i].get());
    int days = 0;
    int seconds = 0;
    const auto secondsUntil = [&](const ASN1_TIME* time) {
      ASN1_TIME* const from = ::ASN1_TIME_set(nullptr, today);
      ::ASN1_TIME_diff(&days, &seconds, from, time);
      ::ASN1_TIME_free(from);
      return days * 86'400L + seconds;
    };
    if (secondsUntil(::X509_get0_notBefore(certificate)) > 0) {
      return fmt::format("the certificate in {} is not valid yet", certificates_[i]);
    }
    const long left = secondsUntil(::X509_get0_notAfter(certificate));
    if (left <= 0) return fmt::format("the certificate in {} has expired", certificates_[i]);
    if (left <= std::chrono::seconds(margin).count()) {
      return fmt::format("the certificate in {} expires in {} hours", certificates_[i],
                         left / 3600);
    }
  }
  return {};
}

}  // namespace stormo::net
