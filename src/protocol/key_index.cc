#include "protocol/key_index.h"

#include <bit>
#include <cstring>
#include <random>

#include "base/assert.h"

namespace stormo {
namespace {

constexpr std::size_t kFirstSlots = 64;

struct HashKey {
  std::uint64_t low;
  std::uint64_t high;
};

HashKey randomKey() {
  std::random_device device;
  const auto word = [&device] { return (std::uint64_t{device()} << 32) | device(); };
  return {word(), word()};
}

/// SipHash with one round a word and three at the end (Aumasson, Bernstein 2012).
class SipHash13 {
 public:
  explicit SipHash13(const HashKey& key)
      : a_(key.low ^ 0x736f6d6570736575),
        b_(key.high ^ 0x646f72616e646f6d),
        c_(key.low ^ 0x6c7967656e657261),
        d_(key.high ^ 0x7465646279746573) {}

  void add(std::uint64_t word) {
    d_ ^= word;
    round();
    a_ ^= word;
  }

  std::uint64_t finish() {
    c_ ^= 0xff;
    round();
    round();
    round();
    return a_ ^ b_ ^ c_ ^ d_;
  }

 private:
  void round() {
    a_ += b_;
    c_ += d_;
    b_ = std::rotl(b_, 13) ^ a_;
    d_ = std::rotl(d_, 16) ^ c_;
    a_ = std::rotl(a_, 32);
    c_ += b_;
    a_ += d_;
    b_ = std::rotl(b_, 17) ^ c_;
    d_ = std::rotl(d_, 21) ^ a_;
    c_ = std::rotl(c_, 32);
  }

  std::uint64_t a_, b_, c_, d_;
};

SipHash13 newHash() {
  static const HashKey kKey = randomKey();
  return SipHash13(kKey);
}

}  // namespace

std::uint32_t KeyIndex::hash(std::string_view key) {
  SipHash13 hash = newHash();
  std::uint64_t word = 0;
  std::size_t at = 0;
  for (; key.size() - at >= sizeof word; at += sizeof word) {
    std::memcpy(&word, key.data() + at, sizeof word);
    hash.add(word);
  }
  word = std::uint64_t{key.size()} << 56;
  for (std::size_t i = 0; at + i < key.size(); ++i) {
    word |= std::uint64_t{static_cast<unsigned char>(key[at + i])} << (8 * i);
  }
  hash.add(word);
  return static_cast<std::uint32_t>(hash.finish());
}

std::uint32_t KeyIndex::hash(std::int64_t key) {
  SipHash13 hash = newHash();
  hash.add(static_cast<std::uint64_t>(key));
  return static_cast<std::uint32_t>(hash.finish());
}

void KeyIndex::insert(std::uint32_t hash, std::size_t position) {
  STORMO_ASSERT(position < std::numeric_limits<std::uint32_t>::max());
  if (2 * (used_ + 1) > slots_.size()) {
    std::vector<Slot> old(slots_.empty() ? kFirstSlots : 2 * slots_.size());
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.positionPlusOne != 0) place(slot);
    }
  }
  place({hash, static_cast<std::uint32_t>(position + 1)});
  ++used_;
}

void KeyIndex::place(Slot slot) {
  std::size_t at = slot.hash & mask();
  while (slots_[at].positionPlusOne != 0) at = (at + 1) & mask();
  slots_[at] = slot;
}

}  // namespace stormo
