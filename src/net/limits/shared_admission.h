#pragma once

#include <stormo/limits.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "net/limits/address_counts.h"
#include "sys/clock.h"

namespace stormo::net {

/// What the processes of one Worker count together, so that its limits hold for all of them. Lives
/// in memory that the master maps before it forks them. Each process has a part that only it
/// writes, so no process waits for another, and the part of a killed one can be given back.
class SharedAdmission {
 public:
  /// For `processes`, with at most `connectionsMax` connections each, and during a reload for as
  /// many successors: the parts are 0 to twice `processes` - 1. Throws std::system_error if there
  /// is no memory; what is not used takes none.
  SharedAdmission(const Limits& limits, int processes, std::size_t connectionsMax);
  ~SharedAdmission();
  SharedAdmission(const SharedAdmission&) = delete;
  SharedAdmission& operator=(const SharedAdmission&) = delete;

  [[nodiscard]] const Limits& limits() const { return limits_; }
  [[nodiscard]] int processes() const { return parts_ / 2; }

  // --- In the process of a part ---

  /// Counts one connection of the part. Returns how many all parts have now.
  std::uint64_t add(int part);
  void subtract(int part);
  /// The same for the connections of one addressKey(), with limits().connectionsPerAddress. Returns
  /// 0, and has counted nothing, if the part has too many addresses.
  std::uint64_t addAddress(int part, std::uint64_t key);
  void subtractAddress(int part, std::uint64_t key);
  /// The same for the connections of one user, by a secret hash, with limits().connectionsPerUser.
  std::uint64_t addUser(int part, std::uint64_t key);
  void subtractUser(int part, std::uint64_t key);
  /// Takes a place in the rate limits().connectionsPerSecond, at least 1. False if it has none.
  bool takeFromRate(TimePoint now);

  // --- In the master ---

  /// The process of this part has ended: its connections count no more.
  void release(int part);

 private:
  struct alignas(64) Part {
    std::atomic<std::uint64_t> connections{0};
  };
  struct Head {
    std::atomic<Clock::rep> rateSpentUntil{0};
  };

  [[nodiscard]] Part& partAt(int index) const;
  /// The words of all parts for one limit: none without it.
  struct Table {
    std::size_t wordsPerPart = 0;
    std::size_t begin = 0;  // in bytes
  };
  void place(Table& table, const Limit& limit, std::size_t connectionsMax);
  [[nodiscard]] std::span<AddressCounts::Word> wordsOf(const Table& table, int part) const;
  std::uint64_t add(const Table& table, int part, std::uint64_t key);
  void release(const Table& table, int part);

  const Limits limits_;
  const int parts_;
  Table addresses_;
  Table users_;
  std::size_t bytes_ = 0;
  char* memory_ = nullptr;
};

}  // namespace stormo::net
