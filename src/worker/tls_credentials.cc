#include "worker/tls_credentials.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace stormo {

std::shared_ptr<TlsCredentials> TlsCredentials::of(const Tls& settings) {
  return settings.isOn() ? std::make_shared<TlsCredentials>(settings) : nullptr;
}

TlsCredentials::TlsCredentials(Tls settings)
    : settings_(std::move(settings)),
      material_(net::TlsMaterial::read(settings_)),
      context_(net::TlsContext::ofServer(material_)) {}

void TlsCredentials::reload() {
  net::TlsMaterial material = net::TlsMaterial::read(settings_);
  material.ticketKeys = material_.ticketKeys;
  context_ = net::TlsContext::ofServer(material);
  material_ = std::move(material);
}

void TlsCredentials::rotate() {
  material_.ticketKeys.rotate();
  context_ = net::TlsContext::ofServer(material_);
}

std::string TlsCredentials::complaint(std::chrono::hours margin) const {
  return context_->complaintOfDates(std::chrono::system_clock::now(), margin);
}

UniqueFd TlsCredentials::share() const {
  const std::string bytes = material_.encode();
  UniqueFd file(::memfd_create("credentials", MFD_CLOEXEC));
  if (!file.valid() ||
      ::write(file.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
    throw std::system_error(errno, std::generic_category(), "share credentials");
  }
  return file;
}

net::TlsMaterial TlsCredentials::materialIn(const UniqueFd& file) {
  struct stat found {};
  std::string bytes;
  if (::fstat(file.get(), &found) == 0) bytes.resize(static_cast<std::size_t>(found.st_size));
  // With an offset: all children of the role read the same open file.
  const bool isRead = !bytes.empty() && ::pread(file.get(), bytes.data(), bytes.size(), 0) ==
                                            static_cast<ssize_t>(bytes.size());
  auto material = isRead ? net::TlsMaterial::decode(bytes) : std::nullopt;
  if (!material) throw std::runtime_error("the credentials of the master cannot be read");
  return std::move(*material);
}

void TlsCredentials::adopt(const UniqueFd& file) {
  net::TlsMaterial material = materialIn(file);
  context_ = net::TlsContext::ofServer(material);
  material_ = std::move(material);
}

std::shared_ptr<const net::TlsContext> TlsCredentials::contextIn(const UniqueFd& file) {
  return net::TlsContext::ofServer(materialIn(file));
}

}  // namespace stormo
