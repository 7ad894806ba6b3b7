#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "sys/address.h"

namespace stormo::net {

/// The secret hash under which a client's address is counted: of an IPv4 address, also one that is
/// mapped to IPv6, or of the first 64 bits of an IPv6 address, as one client usually has all
/// addresses that share them. None for a unix socket.
[[nodiscard]] std::optional<std::uint64_t> addressKey(const Address& address);

/// Numbers of connections by addressKey(), in memory that other processes read meanwhile. Only one
/// process writes. Does not own the memory.
class AddressCounts {
 public:
  /// One key: its upper 40 bits and its count. Zero: free.
  using Word = std::atomic<std::uint64_t>;

  /// The number of words, all zero at first, is a power of two between 2^5 and 2^24. A quarter as
  /// many addresses at a time find a place, more with luck.
  explicit AddressCounts(std::span<Word> words) : words_(words) {}

  [[nodiscard]] std::uint64_t count(std::uint64_t key) const;
  /// False if there is no place for the key: it is not counted.
  bool add(std::uint64_t key);
  /// Only after an add() of this key that returned true.
  void subtract(std::uint64_t key);

 private:
  [[nodiscard]] Word* find(std::uint64_t key) const;
  [[nodiscard]] Word& at(std::uint64_t key, std::size_t i) const;

  std::span<Word> words_;
};

}  // namespace stormo::net
