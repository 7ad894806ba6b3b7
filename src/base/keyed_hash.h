#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace stormo {

/// The secret key of a hash. Without it nobody can choose keys that collide.
struct HashKey {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
};

/// The key of this process: drawn with getrandom(2) at the first use, then fixed; a process forked
/// later has the same one. Throws std::system_error if the system has no random bytes.
[[nodiscard]] const HashKey& processHashKey();

/// SipHash-1-3 (Aumasson, Bernstein 2012), a pseudorandom function of its key.
[[nodiscard]] std::uint64_t sipHash13(const HashKey& key, std::string_view bytes);
/// The hash of the number's eight bytes, lowest first.
[[nodiscard]] std::uint64_t sipHash13(const HashKey& key, std::uint64_t number);

/// The hash of all hash tables of this library. Peers choose most keys (names and numbers), and a
/// peer that can compute the hash can put all its keys into one bucket. Finding a std::string by a
/// std::string_view makes no copy.
struct KeyedHash {
  using is_transparent = void;
  // Not noexcept, so that libstdc++ stores each entry's hash and computes it once per lookup.
  std::size_t operator()(std::string_view name) const { return sipHash13(processHashKey(), name); }
  std::size_t operator()(std::uint64_t number) const { return sipHash13(processHashKey(), number); }
};

/// The unordered containers of this library. A house test rejects others.
template <typename Key, typename Value>
using KeyedMap = std::unordered_map<Key, Value, KeyedHash, std::equal_to<>>;
template <typename Key>
using KeyedSet = std::unordered_set<Key, KeyedHash, std::equal_to<>>;

}  // namespace stormo
