#include "cli/dev_cert_command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/free_by.h"
#include "cli/parse_arguments.h"
#include "sys/error_text.h"
#include "sys/standard_streams.h"
#include "sys/unique_fd.h"

namespace {

using namespace stormo;

using Key = std::unique_ptr<EVP_PKEY, FreeBy<&::EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, FreeBy<&::X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, FreeBy<&::X509_EXTENSION_free>>;
using Memory = std::unique_ptr<BIO, FreeBy<&::BIO_free_all>>;

constexpr long kDaysValid = 365;
constexpr mode_t kKeyMode = 0600;
constexpr mode_t kCertificateMode = 0644;

void require(bool isDone) {
  if (isDone) return;
  const char* const reason = ::ERR_reason_error_string(::ERR_peek_last_error());
  throw std::runtime_error(fmt::format("OpenSSL failed: {}", reason == nullptr ? "?" : reason));
}

void addExtension(X509& certificate, int kind, const std::string& value) {
  const Extension extension(::X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str()));
  if (extension == nullptr) throw std::runtime_error(fmt::format("not a host: {}", value));
  require(::X509_add_ext(&certificate, extension.get(), -1) == 1);
}

/// The names as an X.509 subject alternative name: IP addresses are marked as such.
std::string alternativeNames(const std::vector<std::string>& hosts) {
  std::string names;
  for (const std::string& host : hosts) {
    const bool isIp = host.find(':') != std::string::npos ||
                      host.find_first_not_of("0123456789.") == std::string::npos;
    names += fmt::format("{}{}:{}", names.empty() ? "" : ",", isIp ? "IP" : "DNS", host);
  }
  return names;
}

Certificate makeCertificate(EVP_PKEY& key, const std::vector<std::string>& hosts) {
  Certificate certificate(::X509_new());
  require(certificate != nullptr);
  std::uint64_t serial = 0;
  require(::RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1);
  require(::X509_set_version(certificate.get(), X509_VERSION_3) == 1);
  require(::ASN1_INTEGER_set_uint64(::X509_get_serialNumber(certificate.get()), serial >> 1) == 1);
  require(::X509_gmtime_adj(::X509_getm_notBefore(certificate.get()), 0) != nullptr);
  require(::X509_time_adj_ex(::X509_getm_notAfter(certificate.get()), kDaysValid, 0, nullptr) !=
          nullptr);
  require(::X509_set_pubkey(certificate.get(), &key) == 1);
  X509_NAME* const name = ::X509_get_subject_name(certificate.get());
  require(::X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                       reinterpret_cast<const unsigned char*>("Stormo development"),
                                       -1, -1, 0) == 1);
  require(::X509_set_issuer_name(certificate.get(), name) == 1);
  addExtension(*certificate, NID_basic_constraints, "critical,CA:FALSE");
  addExtension(*certificate, NID_ext_key_usage, "serverAuth");
  addExtension(*certificate, NID_subject_alt_name, alternativeNames(hosts));
  require(::X509_sign(certificate.get(), &key, ::EVP_sha256()) > 0);
  return certificate;
}

template <typename Write>
std::string pemOf(const Write& write) {
  const Memory memory(::BIO_new(::BIO_s_mem()));
  require(memory != nullptr && write(memory.get()) == 1);
  char* bytes = nullptr;
  const long count = ::BIO_get_mem_data(memory.get(), &bytes);
  return {bytes, static_cast<std::size_t>(count)};
}

void writeNew(const std::string& path, const std::string& content, mode_t mode) {
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!file.valid() && errno == EEXIST) {
    throw std::runtime_error(path + " exists (remove it, or choose another --name)");
  }
  const bool isWritten = file.valid() && ::write(file.get(), content.data(), content.size()) ==
                                             static_cast<ssize_t>(content.size());
  if (!isWritten) throw std::runtime_error("cannot write " + path + ": " + errorText(errno));
}

}  // namespace

int runDevCert(int argc, char** argv) {
  CLI::App app("Make a self-signed certificate for this machine, to try wss://", "stormo dev-cert");
  std::vector<std::string> hosts = {"localhost", "127.0.0.1", "::1"};
  app.add_option("--host", hosts, "Host name or IP address of the server; repeatable")
      ->capture_default_str();
  std::string name = "stormo-dev";
  app.add_option("--name", name, "The files are NAME.crt and NAME.key")->capture_default_str();
  if (const auto status = parseArguments(app, argc, argv)) return *status;
  try {
    const Key key(::EVP_EC_gen("P-256"));
    require(key != nullptr);
    const Certificate certificate = makeCertificate(*key, hosts);
    writeNew(name + ".crt",
             pemOf([&](BIO* out) { return ::PEM_write_bio_X509(out, certificate.get()); }),
             kCertificateMode);
    writeNew(name + ".key", pemOf([&](BIO* out) {
               return ::PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr,
                                                 nullptr);
             }),
             kKeyMode);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "stormo dev-cert: %s\n", failure.what());
    return 1;
  }
  printOut(
      fmt::format("{0}.crt and {0}.key were written. Start the server with them:\n\n"
                  "    stormo start --tls-cert {0}.crt --tls-key {0}.key\n\n"
                  "Then open https://localhost:1234/ and accept the certificate: no authority "
                  "vouches for it.\n",
                  name));
  return 0;
}
