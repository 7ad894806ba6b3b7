#include "base/keyed_hash.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

namespace stormo {
namespace {

/// With 10,000 keys in 10,000 buckets, a random hash puts 20 into one bucket once in 10^14 times.
constexpr std::size_t kKeys = 10'000;
constexpr std::size_t kKeysInABucketMax = 20;

template <typename Set>
std::size_t fullestBucket(const Set& set) {
  std::size_t most = 0;
  for (std::size_t i = 0; i < set.bucket_count(); ++i) most = std::max(most, set.bucket_size(i));
  return most;
}

/// A set with room for kKeys from the start, so that its number of buckets does not change.
template <typename Set>
Set emptySet() {
  Set set;
  set.reserve(kKeys);
  return set;
}

/// Names of 16 bytes with the same hash in libstdc++: its string hash is MurmurHash64A with a fixed
/// seed, and each of its steps can be inverted.
std::vector<std::string> namesThatCollideUnderMurmur() {
  constexpr std::uint64_t kFactor = 0xc6a4a7935bd1e995;
  constexpr std::uint64_t kInverse = 0x5f7a0ea7e59b19bd;
  static_assert(kFactor * kInverse == 1);
  constexpr std::uint64_t kSeed = 0xc70f6907;
  const auto mix = [](std::uint64_t word) {
    word *= kFactor;
    return (word ^ (word >> 47)) * kFactor;
  };
  const auto unmix = [](std::uint64_t word) {
    word *= kInverse;
    return (word ^ (word >> 47)) * kInverse;
  };
  std::vector<std::string> names;
  for (std::uint64_t i = 0; i < kKeys; ++i) {
    const std::uint64_t first = i;
    const std::uint64_t state = ((kSeed ^ (16 * kFactor)) ^ mix(first)) * kFactor;
    const std::uint64_t second = unmix(state);  // the state becomes zero
    std::string& name = names.emplace_back(16, '\0');
    std::memcpy(name.data(), &first, 8);
    std::memcpy(name.data() + 8, &second, 8);
  }
  return names;
}

TEST(KeyedHash, IsSipHash13) {
  // The published test vectors: key 00 01 … 0f, messages of 0, 1, … bytes 00 01 ….
  const HashKey key{.low = 0x0706050403020100, .high = 0x0f0e0d0c0b0a0908};
  const std::uint64_t hashes[] = {
      0xabac0158050fc4dc, 0xc9f49bf37d57ca93, 0x82cb9b024dc7d44d, 0x8bf80ab8e7ddf7fb,
      0xcf75576088d38328, 0xdef9d52f49533b67, 0xc50d2b50c59f22a7, 0xd3927d989bb11140,
      0x369095118d299a8e, 0x25a48eb36c063de4, 0x79de85ee92ff097f, 0x70c118c1f94dc352,
      0x78a384b157b4d9a2, 0x306f760c1229ffa7, 0x605aa111c0f95d34, 0xd320d86d2a519956,
      0xcc4fdd1a7d908b66, 0x9cf2689063dbd80c,
  };
  std::string message;
  for (const std::uint64_t hash : hashes) {
    EXPECT_EQ(sipHash13(key, message), hash) << message.size();
    message.push_back(static_cast<char>(message.size()));
  }
  EXPECT_EQ(sipHash13(key, std::uint64_t{0x0706050403020100}), 0x369095118d299a8e);
}

TEST(KeyedHash, DifferentKeysGiveDifferentHashes) {
  const HashKey keys[] = {{1, 2}, {1, 3}, {2, 2}};
  for (const HashKey& one : keys) {
    for (const HashKey& other : keys) {
      EXPECT_EQ(sipHash13(one, "name") == sipHash13(other, "name"), &one == &other);
      EXPECT_EQ(sipHash13(one, 7) == sipHash13(other, 7), &one == &other);
    }
  }
}

TEST(KeyedHash, ProcessKeyIsDrawnOnce) {
  const HashKey& key = processHashKey();
  EXPECT_EQ(&processHashKey(), &key);
  EXPECT_FALSE(key.low == 0 && key.high == 0);
  EXPECT_EQ(KeyedHash{}("name"), sipHash13(key, "name"));
}

TEST(KeyedHash, NamesThatCollideInTheStandardLibraryAreSpread) {
  const std::vector<std::string> names = namesThatCollideUnderMurmur();
#ifdef __GLIBCXX__
  for (const std::string& name : names) {
    ASSERT_EQ(std::hash<std::string>{}(name), std::hash<std::string>{}(names.front()));
  }
#endif
  auto set = emptySet<KeyedSet<std::string>>();
  set.insert(names.begin(), names.end());
  EXPECT_EQ(set.size(), kKeys);
  EXPECT_LE(fullestBucket(set), kKeysInABucketMax);
}

TEST(KeyedHash, MultiplesOfTheBucketCountAreSpread) {
  auto set = emptySet<KeyedSet<std::uint64_t>>();
  const std::uint64_t step = set.bucket_count();
  for (std::uint64_t i = 0; i < kKeys; ++i) set.insert(i * step);
  ASSERT_EQ(set.bucket_count(), step);
  EXPECT_LE(fullestBucket(set), kKeysInABucketMax);
}

TEST(KeyedHash, SequentialNumbersAreSpread) {
  auto set = emptySet<KeyedSet<std::uint64_t>>();
  for (std::uint64_t i = 0; i < kKeys; ++i) set.insert(i);
  EXPECT_LE(fullestBucket(set), kKeysInABucketMax);
  EXPECT_GT(fullestBucket(set), 1u);  // a random hash is not perfectly even either
}

TEST(KeyedHash, StringIsFoundByStringView) {
  KeyedMap<std::string, int> map;
  map["name"] = 1;
  EXPECT_TRUE(map.contains(std::string_view("name")));
  EXPECT_FALSE(map.contains(std::string_view("nam")));
}

}  // namespace
}  // namespace stormo
