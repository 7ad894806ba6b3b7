#pragma once

#include <string>
#include <vector>

#include "protocol/proxy/ip_address.h"

namespace stormo::proxy {

/// States which entry of ProxyOptions::trusted is invalid, and what to write instead. Empty: none.
[[nodiscard]] std::string complaintOfTrustedProxies(const std::vector<std::string>& entries);

/// The proxies whose statements about the client's address are believed.
class TrustedProxies {
 public:
  /// Trusts nobody.
  TrustedProxies() = default;
  /// The entries of ProxyOptions::trusted. Throws std::invalid_argument with the complaint.
  explicit TrustedProxies(const std::vector<std::string>& entries);

  [[nodiscard]] bool empty() const { return networks_.empty() && !trustsUnix_; }
  [[nodiscard]] bool trustsNetworks() const { return !networks_.empty(); }
  [[nodiscard]] bool trusts(const IpAddress& address) const;
  /// True if the peers of unix sockets are trusted.
  [[nodiscard]] bool trustsUnix() const { return trustsUnix_; }

 private:
  std::vector<IpNetwork> networks_;
  bool trustsUnix_ = false;
};

}  // namespace stormo::proxy
