#include "net/limits/address_counts.h"

#include <netinet/in.h>

#include <cstring>
#include <string_view>

#include "base/assert.h"
#include "base/keyed_hash.h"

namespace stormo::net {
namespace {

constexpr std::uint64_t kCountMask = (std::uint64_t{1} << 24) - 1;
// A key is in one of so many words from its first place on, so a search ends also in a table that
// is full.
constexpr std::size_t kWindow = 32;

bool hasKey(std::uint64_t word, std::uint64_t key) {
  return (word & kCountMask) != 0 && (word & ~kCountMask) == (key & ~kCountMask);
}

}  // namespace

std::optional<std::uint64_t> addressKey(const Address& address) {
  const auto hashOf = [](const void* bytes, std::size_t size) {
    return sipHash13(processHashKey(), {static_cast<const char*>(bytes), size});
  };
  if (address.family() == AF_INET) {
    const in_addr& ip = reinterpret_cast<const sockaddr_in*>(address.raw())->sin_addr;
    return hashOf(&ip, sizeof ip);
  }
  if (address.family() != AF_INET6) return std::nullopt;
  const in6_addr& ip = reinterpret_cast<const sockaddr_in6*>(address.raw())->sin6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&ip)) return hashOf(ip.s6_addr + 12, 4);
  return hashOf(ip.s6_addr, 8);
}

AddressCounts::Word& AddressCounts::at(std::uint64_t key, std::size_t i) const {
  return words_[(static_cast<std::size_t>(key) + i) & (words_.size() - 1)];
}

AddressCounts::Word* AddressCounts::find(std::uint64_t key) const {
  for (std::size_t i = 0; i < kWindow; ++i) {
    Word& word = at(key, i);
    if (hasKey(word.load(), key)) return &word;
  }
  return nullptr;
}

std::uint64_t AddressCounts::count(std::uint64_t key) const {
  // Once, as the word may change: another key may take its place.
  for (std::size_t i = 0; i < kWindow; ++i) {
    const std::uint64_t word = at(key, i).load();
    if (hasKey(word, key)) return word & kCountMask;
  }
  return 0;
}

bool AddressCounts::add(std::uint64_t key) {
  Word* word = find(key);
  for (std::size_t i = 0; word == nullptr && i < kWindow; ++i) {
    if ((at(key, i).load() & kCountMask) == 0) word = &at(key, i);
  }
  if (word == nullptr) return false;
  const std::uint64_t count = word->load() & kCountMask;
  STORMO_ASSERT(count < kCountMask);
  word->store((key & ~kCountMask) | (count + 1));
  return true;
}

void AddressCounts::subtract(std::uint64_t key) {
  Word* const word = find(key);
  STORMO_ASSERT(word != nullptr);
  word->store(word->load() - 1);
}

}  // namespace stormo::net
