#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace stormo::bench {

/// Counts durations from 1 ns to 1 h with a relative error below 1/64, in buckets whose width grows
/// with the value (as in HdrHistogram). Contains no pointers, so it may be in shared memory.
class Histogram {
 public:
  void record(std::uint64_t ns) {
    ++counts_[bucketOf(ns)];
    ++total_;
    if (ns > max_) max_ = ns;
  }
  void merge(const Histogram& other);

  [[nodiscard]] std::uint64_t count() const { return total_; }
  [[nodiscard]] std::uint64_t max() const { return max_; }
  /// A value that `part` (0 to 1) of all recorded values do not exceed; 0 if there are none.
  [[nodiscard]] std::uint64_t quantile(double part) const;

 private:
  static constexpr int kSubBits = 6;  // 64 buckets per power of two
  static constexpr std::size_t kBuckets = std::size_t{42 - kSubBits + 1} << kSubBits;

  static constexpr std::size_t bucketOf(std::uint64_t value) {
    if (value < (std::uint64_t{1} << kSubBits)) return value;
    const int shift = static_cast<int>(std::bit_width(value)) - 1 - kSubBits;
    const std::size_t bucket =
        (static_cast<std::size_t>(shift) << kSubBits) + static_cast<std::size_t>(value >> shift);
    return bucket < kBuckets ? bucket : kBuckets - 1;
  }
  /// The largest value of a bucket.
  static constexpr std::uint64_t topOf(std::size_t bucket) {
    if (bucket < (std::size_t{2} << kSubBits)) return bucket;
    const std::size_t shift = (bucket >> kSubBits) - 1;
    const std::uint64_t within = (bucket & ((1U << kSubBits) - 1)) | (1U << kSubBits);
    return ((within + 1) << shift) - 1;
  }

  std::array<std::uint64_t, kBuckets> counts_{};
  std::uint64_t total_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace stormo::bench
