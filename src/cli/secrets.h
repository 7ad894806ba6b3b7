#pragma once

#include <string>

namespace stormo::cli {

/// What links to the Channel must know, or what tokens are signed with.
struct Secrets {
  std::string current;  ///< Empty: nothing.
  std::string other;    ///< Accepted, too, while programs change from one to the other.
};

/// The first two lines of the file; without a file, of the environment variable, if it is set.
/// White space at the end of a line does not count. Throws std::runtime_error, with a sentence for
/// the user, if the first line is empty or one is too long.
Secrets readSecrets(const std::string& file, const char* variable);

inline constexpr const char* kChannelSecretVariable = "STORMO_CHANNEL_SECRET";
inline constexpr const char* kTokenSecretVariable = "STORMO_TOKEN_SECRET";

}  // namespace stormo::cli
