#include "server/api/keys.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "access/base64url.h"
#include "protocol/text/ascii.h"

namespace stormo {
namespace {

constexpr std::string_view kHashPrefix = "sha256:";
constexpr std::string_view kKeyPrefix = "stormo_";
constexpr std::size_t kNameBytesMax = 64;
constexpr std::size_t kKeyBytesMax = 512;

int digitOf(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

std::optional<access::Sha256> hashIn(std::string_view text) {
  access::Sha256 hash{};
  if (!text.starts_with(kHashPrefix)) return std::nullopt;
  text.remove_prefix(kHashPrefix.size());
  if (text.size() != 2 * hash.size()) return std::nullopt;
  for (std::size_t i = 0; i < hash.size(); ++i) {
    const int high = digitOf(text[2 * i]);
    const int low = digitOf(text[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    hash[i] = static_cast<unsigned char>(high * 16 + low);
  }
  return hash;
}

bool isNameByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.';
}

}  // namespace

std::string makeApiKey() {
  std::array<unsigned char, 32> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    throw std::runtime_error("the system has no random bytes");
  }
  const std::string_view view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return std::string(kKeyPrefix) + access::encodeBase64url(view);
}

std::string hashOfApiKey(std::string_view key) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text(kHashPrefix);
  for (const unsigned char byte : access::sha256(key)) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

std::string complaintOfApiKey(const ApiKey& key) {
  if (key.name.empty() || key.name.size() > kNameBytesMax ||
      !std::ranges::all_of(key.name, isNameByte)) {
    return "the name of an API key must be 1 to 64 letters, digits, '-', '_' and '.', not '" +
           key.name + "'";
  }
  const std::string who = "the API key '" + key.name + "' ";
  if (!hashIn(key.hash)) {
    return who + "needs its hash, \"sha256:\" and 64 hexadecimal digits: 'stormo api-key' makes it";
  }
  if (key.rights.empty()) return who + "needs rights: publish, control and read";
  for (const std::string& right : key.rights) {
    if (!server::api::rightNamed(right)) {
      return fmt::format("{}has the right '{}', which is none of publish, control and read", who,
                         right);
    }
  }
  return {};
}

namespace server::api {

std::optional<Right> rightNamed(std::string_view name) {
  for (const Right right : {Right::Publish, Right::Control, Right::Read}) {
    if (name == nameOf(right)) return right;
  }
  return std::nullopt;
}

std::string_view nameOf(Right right) {
  if (right == Right::Publish) return "publish";
  return right == Right::Control ? "control" : "read";
}

Keys::Keys(const std::vector<ApiKey>& keys) {
  for (const ApiKey& key : keys) {
    if (const std::string wrong = complaintOfApiKey(key); !wrong.empty()) {
      throw std::invalid_argument(wrong);
    }
    if (std::ranges::find(keys_, key.name, &Key::name) != keys_.end()) {
      throw std::invalid_argument("two API keys have the name '" + key.name + "'");
    }
    std::uint8_t rights = 0;
    for (const std::string& right : key.rights) {
      rights = static_cast<std::uint8_t>(rights | static_cast<std::uint8_t>(*rightNamed(right)));
    }
    keys_.push_back({.name = key.name, .hash = *hashIn(key.hash), .rights = rights});
  }
}

const Keys::Key* Keys::find(std::string_view authorization) const {
  constexpr std::string_view kScheme = "bearer ";
  if (authorization.size() <= kScheme.size() ||
      authorization.size() > kScheme.size() + kKeyBytesMax ||
      !equalsIgnoringCase(authorization.substr(0, kScheme.size()), kScheme)) {
    return nullptr;
  }
  const access::Sha256 hash = access::sha256(trimmed(authorization.substr(kScheme.size())));
  const Key* found = nullptr;
  for (const Key& key : keys_) {
    if (CRYPTO_memcmp(key.hash.data(), hash.data(), hash.size()) == 0) found = &key;
  }
  return found;
}

}  // namespace server::api
}  // namespace stormo
