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
/// in memory that the master maps before it forks them. Each slot has a part that only its process
/// writes, so no process waits for another, and the part of a killed one can be given back.
class SharedAdmission {
 public:
  /// For slots 0 to `slots` - 1, of processes with at most `connectionsMax` connections each.
  /// Throws std::system_error if there is no memory; what is not used takes none.
  SharedAdmission(const Limits& limits, int slots, std::size_t connectionsMax);
  ~SharedAdmission();
  SharedAdmission(const SharedAdmission&) = delete;
  SharedAdmission& operator=(const SharedAdmission&) = delete;

  [[nodiscard]] const Limits& limits() const { return limits_; }
  [[nodiscard]] int slots() const { return slots_; }

  // --- In the process of a slot ---

  /// Counts one connection of the slot. Returns how many all slots have now.
  std::uint64_t add(int slot);
  void subtract(int slot);
  /// The same for the connections of one addressKey(), with limits().connectionsPerAddress. Returns
  /// 0, and has counted nothing, if the slot has too many addresses.
  std::uint64_t addAddress(int slot, std::uint64_t key);
  void subtractAddress(int slot, std::uint64_t key);
  /// Takes a place in the rate limits().connectionsPerSecond, at least 1. False if it has none.
  bool takeFromRate(TimePoint now);

  // --- In the master ---

  /// The process of this slot has ended: its connections count no more.
  void release(int slot);

 private:
  struct alignas(64) Part {
    std::atomic<std::uint64_t> connections{0};
  };
  struct Head {
    std::atomic<Clock::rep> rateSpentUntil{0};
  };

  [[nodiscard]] Part& part(int slot) const;
  [[nodiscard]] std::span<AddressCounts::Word> words(int slot) const;

  const Limits limits_;
  const int slots_;
  std::size_t wordsPerSlot_ = 0;  // 0 without a limit per address
  std::size_t wordsAt_ = 0;       // where those of slot 0 begin
  std::size_t bytes_ = 0;
  char* memory_ = nullptr;
};

}  // namespace stormo::net
