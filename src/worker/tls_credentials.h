#pragma once

#include <stormo/tls.h>

#include <memory>

#include "net/tls/tls_context.h"
#include "process/credentials.h"

namespace stormo {

/// The certificates of a Worker or a Channel server. All of its processes share the keys of their
/// session tickets, so each of them resumes the sessions of the others.
class TlsCredentials final : public process::Credentials {
 public:
  /// Null if `settings` has no TLS. Throws std::invalid_argument if its files cannot be used.
  static std::shared_ptr<TlsCredentials> of(const Tls& settings);
  explicit TlsCredentials(Tls settings);

  [[nodiscard]] const std::shared_ptr<const net::TlsContext>& context() const { return context_; }
  /// In a child: what share() has put into the file. Throws std::runtime_error if it cannot be
  /// read.
  static std::shared_ptr<const net::TlsContext> contextIn(const UniqueFd& file);

  void reload() override;
  void rotate() override;
  void adopt(const UniqueFd& file) override;
  [[nodiscard]] std::string complaint(std::chrono::hours margin) const override;
  [[nodiscard]] UniqueFd share() const override;

 private:
  static net::TlsMaterial materialIn(const UniqueFd& file);

  const Tls settings_;
  net::TlsMaterial material_;
  std::shared_ptr<const net::TlsContext> context_;
};

}  // namespace stormo
