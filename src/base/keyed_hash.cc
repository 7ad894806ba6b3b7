#include "base/keyed_hash.h"

#include <sys/random.h>

#include <bit>
#include <cerrno>
#include <system_error>

namespace stormo {
namespace {

constexpr std::size_t kWordBytes = sizeof(std::uint64_t);

/// Compilers turn this into one load.
template <std::size_t kBytes>
std::uint64_t load(const char* bytes) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < kBytes; ++i) {
    number |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  }
  return number;
}

/// One round per word, three at the end.
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

/// The last word of the message: the bytes that fill no whole word, and the lowest byte of the
/// length. The loads overlap, which is faster than byte by byte.
std::uint64_t lastWord(std::string_view bytes) {
  const std::size_t rest = bytes.size() % kWordBytes;
  const char* const end = bytes.data() + bytes.size();
  std::uint64_t word = std::uint64_t{bytes.size()} << 56;
  if (rest == 0) return word;
  if (bytes.size() > kWordBytes) {
    word |= load<8>(end - kWordBytes) >> (8 * (kWordBytes - rest));
  } else if (rest >= 4) {
    word |= load<4>(bytes.data()) | load<4>(end - 4) << (8 * (rest - 4));
  } else {
    const char* const middle = bytes.data() + rest / 2;
    word |= load<1>(bytes.data()) | load<1>(middle) << (8 * (rest / 2)) |
            load<1>(end - 1) << (8 * (rest - 1));
  }
  return word;
}

HashKey randomKey() {
  HashKey key;
  while (true) {
    // Up to 256 bytes are returned completely or not at all. Only the wait for the first seed can
    // be interrupted by a signal.
    if (::getrandom(&key, sizeof key, 0) == sizeof key) return key;
    if (errno != EINTR) throw std::system_error(errno, std::system_category(), "getrandom");
  }
}

}  // namespace

const HashKey& processHashKey() {
  static const HashKey kKey = randomKey();
  return kKey;
}

std::uint64_t sipHash13(const HashKey& key, std::string_view bytes) {
  SipHash13 hash(key);
  for (std::size_t at = 0; bytes.size() - at >= kWordBytes; at += kWordBytes) {
    hash.add(load<8>(bytes.data() + at));
  }
  hash.add(lastWord(bytes));
  return hash.finish();
}

std::uint64_t sipHash13(const HashKey& key, std::uint64_t number) {
  SipHash13 hash(key);
  hash.add(number);
  hash.add(std::uint64_t{kWordBytes} << 56);
  return hash.finish();
}

}  // namespace stormo
