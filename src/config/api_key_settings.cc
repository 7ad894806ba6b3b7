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

/// The parts of a word, which may be wrong.
struct Parts {
  std::string_view name;
  std::vector<std::string_view> rights = {};
  std::string_view hash;
};

/// Nullopt if it does not have three parts.
std::optional<Parts> partsOf(std::string_view word) {
  const std::size_t first = word.find(':');
  const std::size_t second = first == word.npos ? word.npos : word.find(':', first + 1);
  if (second == word.npos) return std::nullopt;
  Parts parts{.name = word.substr(0, first), .hash = word.substr(second + 1)};
  std::string_view rights = word.substr(first + 1, second - first - 1);
  while (!rights.empty()) {
    const std::size_t plus = std::min(rights.find('+'), rights.size());
    parts.rights.push_back(rights.substr(0, plus));
    rights.remove_prefix(std::min(plus + 1, rights.size()));
  }
  return parts;
}

/// What is wrong with the parts of that word; empty if nothing is.
std::string complaintOf(std::string_view word, const std::optional<Parts>& parts) {
  if (!parts) return "'" + std::string(word) + "' is not " + std::string(kApiKeyForm);
  if (parts->name.empty()) return "an API key needs a name";
  const std::string who = "the API key '" + std::string(parts->name) + "' ";
  if (parts->rights.empty()) return who + "needs rights: publish, control or read";
  const auto wrong = std::ranges::find_if_not(parts->rights, &isRight);
  if (wrong != parts->rights.end()) {
    return who + "has the right '" + std::string(*wrong) +
           "', which is none of publish, control and read";
  }
  if (isHash(parts->hash)) return {};
  return who + "needs its hash, \"sha256:\" and 64 hexadecimal digits: 'stormo api-key' makes it";
}

}  // namespace

std::optional<ApiKeySetting> apiKeyIn(std::string_view word) {
  const auto parts = partsOf(word);
  if (!complaintOf(word, parts).empty()) return std::nullopt;
  return ApiKeySetting{.name = std::string(parts->name),
                       .rights = {parts->rights.begin(), parts->rights.end()},
                       .hash = std::string(parts->hash)};
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
  std::vector<std::string_view> names;
  for (const std::string& word : words) {
    const auto parts = partsOf(word);
    if (std::string wrong = complaintOf(word, parts); !wrong.empty()) return wrong;
    if (std::ranges::find(names, parts->name) != names.end()) {
      return "two keys have the name '" + std::string(parts->name) + "'";
    }
    names.push_back(parts->name);
  }
  return {};
}

}  // namespace stormo::config
