#include "config/api_key_settings.h"

#include <algorithm>

namespace stormo::config {
namespace {

constexpr std::size_t kHashDigits = 64;

bool isHash(std::string_view text) {
  constexpr std::string_view kPrefix = "sha256:";
  if (!text.starts_with(kPrefix) || text.size() != kPrefix.size() + kHashDigits) return false;
  return text.find_first_not_of("0123456789abcdef", kPrefix.size()) == text.npos;
}

bool isRight(std::string_view text) {
  return text == "publish" || text == "control" || text == "read";
}

}  // namespace

std::optional<ApiKeySetting> apiKeyIn(std::string_view word) {
  const std::size_t first = word.find(':');
  const std::size_t second = first == word.npos ? word.npos : word.find(':', first + 1);
  if (second == word.npos || first == 0) return std::nullopt;
  ApiKeySetting key{.name = std::string(word.substr(0, first)),
                    .rights = {},
                    .hash = std::string(word.substr(second + 1))};
  if (!isHash(key.hash)) return std::nullopt;
  std::string_view rights = word.substr(first + 1, second - first - 1);
  while (!rights.empty()) {
    const std::size_t plus = std::min(rights.find('+'), rights.size());
    if (!isRight(rights.substr(0, plus))) return std::nullopt;
    key.rights.emplace_back(rights.substr(0, plus));
    rights.remove_prefix(std::min(plus + 1, rights.size()));
  }
  return key.rights.empty() ? std::nullopt : std::optional(key);
}

std::string wordOf(const ApiKeySetting& key) {
  std::string word = key.name + ':';
  for (const std::string& right : key.rights) {
    if (word.back() != ':') word += '+';
    word += right;
  }
  return word + ':' + key.hash;
}

std::string complaintOfApiKeys(const std::vector<std::string>& words) {
  std::vector<std::string> names;
  for (const std::string& word : words) {
    const auto key = apiKeyIn(word);
    if (!key) return "'" + word + "' is not " + std::string(kApiKeyForm);
    if (std::ranges::find(names, key->name) != names.end()) {
      return "two keys have the name '" + key->name + "'";
    }
    names.push_back(key->name);
  }
  return {};
}

}  // namespace stormo::config
