#include "support/tls_peer.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <stdexcept>

namespace stormo::test {
namespace {

void require(bool isDone, const char* what) {
  if (!isDone) throw std::runtime_error(what);
}

}  // namespace

TlsCertificate makeCertificate(const TempDirectory& directory, const std::string& host,
                               long validSeconds) {
  const TlsCertificate files{.certificateFile = directory.file(host + ".crt"),
                             .keyFile = directory.file(host + ".key")};
  const std::unique_ptr<EVP_PKEY, decltype(&::EVP_PKEY_free)> key(::EVP_EC_gen("P-256"),
                                                                  &::EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&::X509_free)> certificate(::X509_new(), &::X509_free);
  require(key && certificate, "no key");
  ::X509_set_version(certificate.get(), X509_VERSION_3);
  ::ASN1_INTEGER_set(::X509_get_serialNumber(certificate.get()), 1);
  constexpr long kADay = 86'400;
  ::X509_gmtime_adj(::X509_getm_notBefore(certificate.get()), -kADay);
  ::X509_gmtime_adj(::X509_getm_notAfter(certificate.get()), validSeconds);
  ::X509_set_pubkey(certificate.get(), key.get());
  X509_NAME* const name = ::X509_get_subject_name(certificate.get());
  ::X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(host.c_str()), -1, -1, 0);
  ::X509_set_issuer_name(certificate.get(), name);
  const std::string names =
      (host.find_first_not_of("0123456789.") == std::string::npos ? "IP:" : "DNS:") + host;
  const std::unique_ptr<X509_EXTENSION, decltype(&::X509_EXTENSION_free)> alternative(
      ::X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str()),
      &::X509_EXTENSION_free);
  require(alternative != nullptr, "no such name");
  ::X509_add_ext(certificate.get(), alternative.get(), -1);
  require(::X509_sign(certificate.get(), key.get(), ::EVP_sha256()) > 0, "cannot sign");
  const auto write = [](const std::string& path, const auto& body) {
    std::FILE* const file = std::fopen(path.c_str(), "w");
    require(file != nullptr, "cannot write");
    require(body(file) == 1, "cannot write PEM");
    std::fclose(file);
  };
  write(files.certificateFile,
        [&](std::FILE* file) { return ::PEM_write_X509(file, certificate.get()); });
  write(files.keyFile, [&](std::FILE* file) {
    return ::PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
  return files;
}

void TlsPeer::Free::operator()(SSL_CTX* context) const { ::SSL_CTX_free(context); }
void TlsPeer::Free::operator()(SSL* session) const { ::SSL_free(session); }
void TlsPeer::Free::operator()(SSL_SESSION* session) const { ::SSL_SESSION_free(session); }

TlsPeer::TlsPeer(int fd) : context_(::SSL_CTX_new(::TLS_client_method())) {
  require(context_ != nullptr, "no context");
  session_.reset(::SSL_new(context_.get()));
  require(session_ != nullptr, "no session");
  ::SSL_set_mode(session_.get(), SSL_MODE_AUTO_RETRY);
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  ::SSL_set_fd(session_.get(), fd);
  ::SSL_set_connect_state(session_.get());
}

TlsPeer::~TlsPeer() = default;

void TlsPeer::useVersion(int version) {
  ::SSL_set_min_proto_version(session_.get(), version);
  ::SSL_set_max_proto_version(session_.get(), version);
}

void TlsPeer::offerAlpn(std::string_view wire) {
  ::SSL_set_alpn_protos(session_.get(), reinterpret_cast<const unsigned char*>(wire.data()),
                        static_cast<unsigned>(wire.size()));
}

void TlsPeer::resume(SSL_SESSION* session) { ::SSL_set_session(session_.get(), session); }

bool TlsPeer::shakeHands() {
  ::ERR_clear_error();
  return ::SSL_do_handshake(session_.get()) == 1;
}

void TlsPeer::send(std::string_view bytes) {
  ::ERR_clear_error();
  std::size_t written = 0;
  require(::SSL_write_ex(session_.get(), bytes.data(), bytes.size(), &written) == 1 &&
              written == bytes.size(),
          "the kernel did not take all");
}

std::string TlsPeer::take() {
  std::string all;
  char bytes[16 << 10];
  while (true) {
    ::ERR_clear_error();
    std::size_t count = 0;
    const int result = ::SSL_read_ex(session_.get(), bytes, sizeof bytes, &count);
    if (result != 1) {
      isClosed_ |= ::SSL_get_error(session_.get(), result) == SSL_ERROR_ZERO_RETURN;
      return all;
    }
    all.append(bytes, count);
  }
}

bool TlsPeer::isClosed() {
  static_cast<void>(take());
  return isClosed_;
}

void TlsPeer::close() {
  ::ERR_clear_error();
  ::SSL_shutdown(session_.get());
}

void TlsPeer::renegotiate() {
  require(::SSL_renegotiate(session_.get()) == 1, "no second handshake");
  ::SSL_do_handshake(session_.get());
}

void TlsPeer::askFor(const std::string& host) {
  ::SSL_set_tlsext_host_name(session_.get(), host.c_str());
}

void TlsPeer::show(const TlsCertificate& certificate) {
  require(::SSL_use_certificate_file(session_.get(), certificate.certificateFile.c_str(),
                                     SSL_FILETYPE_PEM) == 1 &&
              ::SSL_use_PrivateKey_file(session_.get(), certificate.keyFile.c_str(),
                                        SSL_FILETYPE_PEM) == 1,
          "no certificate to show");
}

std::string TlsPeer::certificateName() const {
  const std::unique_ptr<X509, decltype(&::X509_free)> certificate(
      ::SSL_get1_peer_certificate(session_.get()), &::X509_free);
  char name[256] = "";
  if (certificate != nullptr) {
    ::X509_NAME_get_text_by_NID(::X509_get_subject_name(certificate.get()), NID_commonName, name,
                                sizeof name);
  }
  return name;
}

std::string TlsPeer::alpn() const {
  const unsigned char* name = nullptr;
  unsigned bytes = 0;
  ::SSL_get0_alpn_selected(session_.get(), &name, &bytes);
  return {reinterpret_cast<const char*>(name), bytes};
}

bool TlsPeer::wasResumed() const { return ::SSL_session_reused(session_.get()) == 1; }

TlsPeer::Session TlsPeer::session() const { return Session(::SSL_get1_session(session_.get())); }

}  // namespace stormo::test
