#include "bench/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace stormo::bench {
namespace {

constexpr std::uint64_t kHourNs = 3'600'000'000'000;
constexpr double kParts[] = {0, 0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1};

Histogram histogramOf(const std::vector<std::uint64_t>& values) {
  Histogram histogram;
  for (const std::uint64_t value : values) histogram.record(value);
  return histogram;
}

/// `sorted` is sorted. Returns the smallest value that `part` of the values do not exceed.
std::uint64_t exactQuantile(const std::vector<std::uint64_t>& sorted, double part) {
  const auto rank = static_cast<std::size_t>(std::ceil(part * static_cast<double>(sorted.size())));
  return sorted[std::max<std::size_t>(rank, 1) - 1];
}

/// Spread evenly over the powers of two from 1 ns to 1 h.
std::vector<std::uint64_t> valuesOfAllSizes(std::size_t count) {
  std::mt19937_64 random(42);
  std::uniform_real_distribution<double> exponent(0, std::log2(static_cast<double>(kHourNs)));
  std::vector<std::uint64_t> values = {1, kHourNs};
  while (values.size() < count) {
    values.push_back(static_cast<std::uint64_t>(std::exp2(exponent(random))));
  }
  return values;
}

/// Checks that the reported value is not less than `value`, and greater by less than 1/64.
void expectNear(std::uint64_t reported, std::uint64_t value) {
  EXPECT_GE(reported, value);
  EXPECT_LT((reported - value) * 64, value) << reported << " for " << value;
}

TEST(Histogram, EmptyHistogramReturnsZero) {
  const Histogram empty;
  EXPECT_EQ(empty.count(), 0u);
  EXPECT_EQ(empty.max(), 0u);
  for (const double part : kParts) EXPECT_EQ(empty.quantile(part), 0u);
}

TEST(Histogram, OneValueIsReturnedExactly) {
  for (const std::uint64_t value : {std::uint64_t{1}, std::uint64_t{12'345'678}, kHourNs}) {
    for (const double part : kParts) EXPECT_EQ(histogramOf({value}).quantile(part), value) << part;
  }
}

TEST(Histogram, IsExactBelow128) {
  Histogram histogram;
  for (std::uint64_t value = 100; value >= 1; --value) histogram.record(value);
  EXPECT_EQ(histogram.count(), 100u);
  EXPECT_EQ(histogram.max(), 100u);
  EXPECT_EQ(histogram.quantile(0), 1u);
  EXPECT_EQ(histogram.quantile(0.01), 1u);
  EXPECT_EQ(histogram.quantile(0.5), 50u);
  EXPECT_EQ(histogram.quantile(0.505), 51u);
  EXPECT_EQ(histogram.quantile(0.99), 99u);
  EXPECT_EQ(histogram.quantile(0.999), 100u);
  EXPECT_EQ(histogram.quantile(1), 100u);
}

TEST(Histogram, ErrorIsBelowA64thAroundEveryPowerOfTwo) {
  for (int bit = 0; bit < 42; ++bit) {
    const std::uint64_t power = std::uint64_t{1} << bit;
    for (const std::uint64_t value : {power - 1, power, power + 1, power + power / 2}) {
      if (value == 0 || value > kHourNs) continue;
      // With a greater value, because no quantile exceeds the maximum recorded.
      expectNear(histogramOf({value, kHourNs}).quantile(0.5), value);
    }
  }
}

TEST(Histogram, ErrorIsBelowA64thFromANanosecondToAnHour) {
  std::vector<std::uint64_t> values = valuesOfAllSizes(10'001);
  const Histogram histogram = histogramOf(values);
  std::ranges::sort(values);
  for (const double part : kParts) {
    expectNear(histogram.quantile(part), exactQuantile(values, part));
  }
  EXPECT_EQ(histogram.max(), kHourNs);
}

TEST(Histogram, ValuesBeyondTheHourAreCounted) {
  const Histogram histogram = histogramOf({1, 100 * kHourNs});
  EXPECT_EQ(histogram.count(), 2u);
  EXPECT_EQ(histogram.max(), 100 * kHourNs);
  EXPECT_GT(histogram.quantile(1), kHourNs);
}

TEST(Histogram, MergeEqualsRecordingAllInOne) {
  const std::vector<std::uint64_t> values = valuesOfAllSizes(3'000);
  Histogram merged;
  merged.merge(Histogram());
  for (std::size_t i = 0; i < 3; ++i) {
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(1'000 * i);
    merged.merge(histogramOf({begin, begin + 1'000}));
  }
  const Histogram whole = histogramOf(values);
  EXPECT_EQ(merged.count(), whole.count());
  EXPECT_EQ(merged.max(), whole.max());
  for (const double part : kParts) EXPECT_EQ(merged.quantile(part), whole.quantile(part)) << part;
}

}  // namespace
}  // namespace stormo::bench
