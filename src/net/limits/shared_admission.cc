#include "net/limits/shared_admission.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <new>
#include <system_error>

#include "base/keyed_hash.h"
#include "net/limits/token_bucket.h"

namespace stormo::net {
namespace {

constexpr std::size_t kPageBytes = 64 << 10;  // of the largest system pages
constexpr std::size_t kWordsMin = kPageBytes / sizeof(AddressCounts::Word);
constexpr std::size_t kWordsMax = std::size_t{1} << 24;

std::size_t roundedUp(std::size_t bytes) { return (bytes + kPageBytes - 1) & ~(kPageBytes - 1); }

}  // namespace

SharedAdmission::SharedAdmission(const Limits& limits, int processes, std::size_t connectionsMax)
    : limits_(limits), parts_(2 * processes) {
  bytes_ = roundedUp(sizeof(Part) * (static_cast<std::size_t>(parts_) + 1));
  place(addresses_, limits.connectionsPerAddress, connectionsMax);
  place(users_, limits.connectionsPerUser, connectionsMax);
  // All zero, which is the initial state of everything in it.
  void* const memory = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    throw std::system_error(errno, std::generic_category(), "cannot map memory for limits");
  }
  memory_ = static_cast<char*>(memory);
  new (memory_) Head;
  for (int each = 0; each < parts_; ++each) new (&partAt(each)) Part;
}

void SharedAdmission::place(Table& table, const Limit& limit, std::size_t connectionsMax) {
  if (limit.max == 0) return;
  static_cast<void>(processHashKey());  // one for all processes
  const std::size_t wanted = std::bit_ceil(std::min(connectionsMax, kWordsMax));
  table.wordsPerPart = std::clamp(4 * wanted, kWordsMin, kWordsMax);
  table.begin = bytes_;
  bytes_ += static_cast<std::size_t>(parts_) * table.wordsPerPart * sizeof(AddressCounts::Word);
}

SharedAdmission::~SharedAdmission() { ::munmap(memory_, bytes_); }

SharedAdmission::Part& SharedAdmission::partAt(int index) const {
  return reinterpret_cast<Part*>(memory_)[index + 1];
}

std::span<AddressCounts::Word> SharedAdmission::wordsOf(const Table& table, int part) const {
  const std::size_t first = static_cast<std::size_t>(part) * table.wordsPerPart;
  return {reinterpret_cast<AddressCounts::Word*>(memory_ + table.begin) + first,
          table.wordsPerPart};
}

/// Counts before it reads what the others count: of two processes at the same time at least one
/// sees the other, so together they never exceed the limit.
std::uint64_t SharedAdmission::add(int part) {
  partAt(part).connections.store(partAt(part).connections.load() + 1);
  std::uint64_t sum = 0;
  for (int each = 0; each < parts_; ++each) sum += partAt(each).connections.load();
  return sum;
}

void SharedAdmission::subtract(int part) {
  partAt(part).connections.store(partAt(part).connections.load() - 1);
}

std::uint64_t SharedAdmission::add(const Table& table, int part, std::uint64_t key) {
  if (!AddressCounts(wordsOf(table, part)).add(key)) return 0;
  std::uint64_t sum = 0;
  for (int each = 0; each < parts_; ++each) sum += AddressCounts(wordsOf(table, each)).count(key);
  return sum;
}

std::uint64_t SharedAdmission::addAddress(int part, std::uint64_t key) {
  return add(addresses_, part, key);
}

void SharedAdmission::subtractAddress(int part, std::uint64_t key) {
  AddressCounts(wordsOf(addresses_, part)).subtract(key);
}

std::uint64_t SharedAdmission::addUser(int part, std::uint64_t key) {
  return add(users_, part, key);
}

void SharedAdmission::subtractUser(int part, std::uint64_t key) {
  AddressCounts(wordsOf(users_, part)).subtract(key);
}

/// A TokenBucket that several processes change.
bool SharedAdmission::takeFromRate(TimePoint now) {
  const Clock::duration cost = TokenBucket::costOf(1, limits_.connectionsPerSecond.max);
  auto& spentUntil = reinterpret_cast<Head*>(memory_)->rateSpentUntil;
  const Clock::rep time = now.time_since_epoch().count();
  Clock::rep before = spentUntil.load();
  while (true) {
    const Clock::rep after = std::max(before, time) + cost.count();
    if (after - time > TokenBucket::kBurst.count()) return false;
    if (spentUntil.compare_exchange_weak(before, after)) return true;
  }
}

void SharedAdmission::release(int part) {
  partAt(part).connections.store(0);
  release(addresses_, part);
  release(users_, part);
}

void SharedAdmission::release(const Table& table, int part) {
  const std::span<AddressCounts::Word> all = wordsOf(table, part);
  if (all.empty()) return;
  // Gives the memory back, too; then it reads as zeros.
  if (::madvise(all.data(), all.size_bytes(), MADV_REMOVE) == 0) return;
  for (AddressCounts::Word& word : all) word.store(0);
}

}  // namespace stormo::net
