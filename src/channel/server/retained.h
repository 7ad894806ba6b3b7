#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <tuple>

#include "base/keyed_hash.h"
#include "channel/log/state_stream.h"
#include "protocol/channel/packet.h"

namespace stormo::channel {

/// Events that are kept until a time, for those that subscribe later: at most one for each event
/// and key. Times are those of records, in milliseconds.
class Retained {
 public:
  static constexpr std::size_t kBytesMax = 16 << 20;

  /// Keeps the event of a Retain in the place of the one before; `until` in the past only removes
  /// that one. Forgets what has expired.
  void keep(const Packet& retain, std::uint64_t now);
  /// Bytes of all that is kept.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

  /// Calls `visit(payload)` for each event of that name that has not expired.
  template <typename Visit>
  void forEachOf(std::string_view event, std::uint64_t now, const Visit& visit) const {
    const auto found = events_.find(event);
    if (found == events_.end()) return;
    for (const auto& [key, kept] : found->second) {
      if (kept.until > now) visit(std::string_view(kept.payload));
    }
  }
  /// Calls `visit(name)` for each event of which some are kept.
  template <typename Visit>
  void forEachName(const Visit& visit) const {
    for (const auto& [name, kept] : events_) visit(std::string_view(name));
  }

  void save(StateWriter& out) const;
  /// Only on an empty object.
  void restore(StateReader& in);

 private:
  struct Kept {
    std::uint64_t until = 0;
    std::string payload;
  };
  using ByKey = KeyedMap<std::uint64_t, Kept>;

  void insert(std::string_view event, std::uint64_t key, Kept kept);
  void remove(std::string_view event, std::uint64_t key);
  [[nodiscard]] static std::size_t bytesOf(std::string_view event, std::string_view payload);

  KeyedMap<std::string, ByKey> events_;
  std::set<std::tuple<std::uint64_t, std::string, std::uint64_t>> byEnd_;  // until, event, key
  std::size_t bytes_ = 0;
};

}  // namespace stormo::channel
