#pragma once

#include <string>
#include <string_view>

/// The URL of a JWK Set in the settings. Whoever can change what it yields can make tokens, so it
/// is https://, or http:// on this machine. `insecure+http://` is plain HTTP over a network that
/// the user trusts.
namespace stormo::config {

/// States what is wrong, as a sentence. Empty: nothing is, or the URL is empty.
[[nodiscard]] std::string complaintOfKeySetUrl(std::string_view url);

/// The URL to fetch, without `insecure+`.
[[nodiscard]] std::string urlToFetch(std::string_view url);

}  // namespace stormo::config
