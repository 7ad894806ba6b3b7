#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace stormo::cli {

struct FetchRequest {
  std::string url;                   ///< http:// or https://
  std::string authoritiesFile = {};  ///< PEM file. Empty: those of the system.
  std::size_t bytesMax = 1 << 20;
  std::chrono::seconds timeout{5};  ///< For all of it.
};

struct Fetched {
  std::string body = {};
  /// How long it may be used, if the answer states it (RFC 9111 5.2.2: max-age, no-cache,
  /// no-store).
  std::optional<std::chrono::seconds> maxAge = {};
};

/// Fetches with GET, and blocks meanwhile. Follows three redirects at most, from https:// to
/// nothing else. Proxies are those of the environment (`https_proxy`). Throws std::runtime_error,
/// with the reason for the user, if there is no answer with status 200, or it has more than
/// bytesMax.
[[nodiscard]] Fetched fetch(const FetchRequest& request);

/// What a field Cache-Control states for `maxAge`.
[[nodiscard]] std::optional<std::chrono::seconds> maxAgeIn(std::string_view cacheControl);

}  // namespace stormo::cli
