#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The keys of the HTTP API in the settings: `--api-key web:publish+read:sha256:…`, and the tables
/// [[api.keys]] of the file.
namespace stormo::config {

struct ApiKeySetting {
  std::string name;
  std::vector<std::string> rights;
  std::string hash;  ///< "sha256:…"
};

inline constexpr std::string_view kApiKeyForm =
    "NAME:RIGHT+RIGHT:sha256:HEX, as 'stormo api-key NAME' prints it";

/// The key that a word of the command line states; nullopt if it has not kApiKeyForm.
[[nodiscard]] std::optional<ApiKeySetting> apiKeyIn(std::string_view word);
[[nodiscard]] std::string wordOf(const ApiKeySetting& key);
/// States what is wrong with these words, as a sentence. Empty: nothing is.
[[nodiscard]] std::string complaintOfApiKeys(const std::vector<std::string>& words);

}  // namespace stormo::config
