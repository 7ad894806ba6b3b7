#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli/http_fetch.h"

namespace stormo::cli {

/// A JWK Set as it was fetched. Times are seconds since 1970.
struct FetchedKeys {
  std::string keySet;  ///< JSON.
  std::int64_t fetched = 0;
  std::int64_t freshUntil = 0;  ///< Then it is fetched again.
};

/// How the workers of an instance get the key set of a URL. They share a directory with the latest
/// copy, so that one of them fetches for all, and that a start without the network has keys.
struct TokenKeyFetch {
  FetchRequest request;
  std::string directory = {};  ///< Only its owner may enter it. Empty: nothing is shared.
  std::int64_t refreshSeconds = 600;
};

/// What lookForKeys() has found.
struct FoundKeys {
  std::optional<FetchedKeys> keys = {};  ///< Nothing: there are none yet.
  std::string problem = {};  ///< Why it could not fetch; empty if it could, or need not.
  bool isFetched = false;    ///< By this call, and not from the copy.
};

/// Fetches the key set if the copy is not fresh, or `isUrgent`, and no worker has tried it within
/// retrySeconds(). Blocks meanwhile, also while another worker does this.
[[nodiscard]] FoundKeys lookForKeys(const TokenKeyFetch& fetch, bool isUrgent);

/// The least time between two attempts of an instance, which has keys or not.
[[nodiscard]] std::int64_t retrySeconds(const TokenKeyFetch& fetch, bool hasKeys);

}  // namespace stormo::cli
