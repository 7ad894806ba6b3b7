#include "net/tls/tls_error.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <string>

namespace stormo::net {
namespace {

class TlsCategory final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "tls"; }
  [[nodiscard]] std::string message(int error) const override {
    const char* const reason = ::ERR_reason_error_string(static_cast<unsigned>(error));
    return reason == nullptr ? "TLS failed" : reason;
  }
};

class CertificateCategory final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "certificate"; }
  [[nodiscard]] std::string message(int result) const override {
    return std::string("the certificate is not accepted: ") +
           ::X509_verify_cert_error_string(result);
  }
};

}  // namespace

std::error_code takeTlsError() {
  static const TlsCategory kCategory;
  const unsigned long error = ::ERR_peek_last_error();
  ::ERR_clear_error();
  if (ERR_SYSTEM_ERROR(error)) return {ERR_GET_REASON(error), std::generic_category()};
  return {static_cast<int>(error), kCategory};
}

std::error_code certificateError(long result) {
  static const CertificateCategory kCategory;
  return {static_cast<int>(result), kCategory};
}

}  // namespace stormo::net
