#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/shared_buffer.h"
#include "net/batch.h"
#include "net/lossy_source.h"

namespace stormo::net {

/// The output of a connection behind its OutputQueue: what may still be dropped, and everything
/// that came after it, in order, unencrypted, as references into the groups' batches. A message is
/// dropped whole, and never after it has left for the queue. Where messages of a group with notices
/// were dropped, a mark with their number stays in their place.
class HeldOutput {
 public:
  /// The cost of a droppable message in addition to its bytes, when room is sought.
  static constexpr std::size_t kEntryBytes = 128;

  struct Entry {
    SharedBuffer shared;  ///< The bytes lie in it, or, if it is empty, in `copied`.
    std::size_t begin = 0;
    std::size_t length = 0;
    std::string copied;
    std::shared_ptr<LossySource> source;  ///< Null: it may not be dropped.
    std::uint64_t messages = 0;           ///< That it holds, or, of a mark, that are missing.
    bool isMark = false;

    [[nodiscard]] std::string_view bytes() const {
      return shared.empty() ? std::string_view(copied) : shared.view().substr(begin, length);
    }

   private:
    friend class HeldOutput;
    using Place = std::list<Entry>::iterator;
    // The neighbours of the same source; entries_.end(): none.
    Place previous_;
    Place next_;
  };

  HeldOutput() = default;
  HeldOutput(const HeldOutput&) = delete;
  HeldOutput& operator=(const HeldOutput&) = delete;

  /// What may not be dropped.
  void push(const Piece& piece);
  /// One message, by the policy of its source: the bytes that wait, with `waitingBefore` in front
  /// of them, do not exceed `bytesMax` by it.
  void push(const DroppablePiece& piece, std::uint64_t waitingBefore, std::uint64_t bytesMax);
  /// Drops the oldest messages until no more than `bytesMax` bytes wait, or none may be dropped.
  void makeRoom(std::uint64_t waitingBefore, std::uint64_t bytesMax);

  [[nodiscard]] bool empty() const { return entries_.empty(); }
  /// Bytes that will leave; a mark counts as some.
  [[nodiscard]] std::uint64_t bytes() const { return keptBytes_ + droppableBytes_ + markBytes_; }
  /// Those of them that may not be dropped.
  [[nodiscard]] std::uint64_t keptBytes() const { return keptBytes_; }
  /// Removes and returns the first entry. There must be one.
  Entry pop();

 private:
  using Entries = std::list<Entry>;
  using Place = Entries::iterator;

  static void store(const Piece& piece, Entry& entry);
  [[nodiscard]] bool hasRoomFor(std::uint64_t cost, std::uint64_t before, std::uint64_t max) const {
    return before + keptBytes_ + droppableBytes_ + droppableCount_ * kEntryBytes + cost <= max;
  }
  Place append(Entry entry);
  void drop(Place entry);
  void dropLatestOf(const LossySource& source);
  void advanceOldest();
  void noteMissed(const std::shared_ptr<LossySource>& source, std::uint64_t messages);
  void erase(Place entry);
  void unlink(Place entry);
  void uncount(const Entry& entry);
  [[nodiscard]] bool isMark(Place entry) const { return entry != entries_.end() && entry->isMark; }

  Entries entries_;
  std::map<const LossySource*, Place> last_;  // the last entry of each source
  Place oldest_ = entries_.end();             // the first that may be dropped
  std::uint64_t keptBytes_ = 0;
  std::uint64_t droppableBytes_ = 0;
  std::uint64_t droppableCount_ = 0;
  std::uint64_t markBytes_ = 0;
};

}  // namespace stormo::net
