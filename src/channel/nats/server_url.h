#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace stormo::channel {

/// A NATS server, from its URL.
struct ServerUrl {
  std::string host;  ///< An IPv6 address has no brackets here.
  std::uint16_t port = 4222;
  bool isTls = false;
  std::string user = {};  ///< Decoded, as all below. Empty: the URL has none.
  std::string password = {};
  std::string token = {};  ///< The URL has one word before the host, and no password.

  /// "host:port", for log lines.
  [[nodiscard]] std::string name() const;
};

/// Parses a URL of ClusterSettings::servers. Throws std::invalid_argument with a sentence that
/// never has the password.
[[nodiscard]] ServerUrl parseServerUrl(std::string_view text);

/// All of them. Throws also if there is none.
[[nodiscard]] std::vector<ServerUrl> parseServerUrls(const std::vector<std::string>& texts);

}  // namespace stormo::channel
