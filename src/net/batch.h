#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/handle_table.h"
#include "base/shared_buffer.h"
#include "net/lossy_source.h"

namespace stormo::net {

class Batch;

/// One of the encodings that a codec has for the same message. A connection gets one of them, which
/// is chosen in its handshake: WebSocket has frames as they are, and frames compressed with a
/// window of each size. What is plain is understood by all connections of the codec.
using Variant = std::uint8_t;
inline constexpr Variant kPlain = 0;

/// The order in which the output of one reactor came within a turn, across all its batches.
struct OutputOrder {
  std::uint64_t next = 1;
  const Batch* last = nullptr;
};

/// The encoded output of one turn for one destination: the members of a group, or one connection.
/// A run is what came without output for another destination in between. A connection that receives
/// several batches gets their runs merged back into the order in which everything came.
class Batch {
 public:
  struct Run {
    std::uint64_t order;
    std::size_t begin;
  };
  /// A range of bytes that one member does not get.
  struct Exclusion {
    Handle connection;
    std::size_t begin;
    std::size_t end;
  };
  /// Where the messages of a batch end, each of which may be dropped for a member.
  struct Droppable {
    struct Unit {
      std::size_t end;
      std::uint64_t messages;  ///< That are missing if it is dropped.
    };
    std::shared_ptr<LossySource> source;
    std::vector<Unit> units = {};
  };

  /// Makes room for `bytes` more, which the caller writes before the next call.
  char* extend(std::size_t bytes, OutputOrder& order) {
    if (order.last != this) {
      runs_.push_back({order.next++, bytes_.size()});
      order.last = this;
    }
    return bytes_.extend(bytes);
  }
  void append(std::string_view bytes, OutputOrder& order) {
    bytes.copy(extend(bytes.size(), order), bytes.size());
  }
  /// Appends bytes that have their place in the order already. Places must not decrease.
  void appendInPlace(std::uint64_t place, std::string_view bytes) {
    if (runs_.empty() || runs_.back().order != place) runs_.push_back({place, bytes_.size()});
    bytes.copy(bytes_.extend(bytes.size()), bytes.size());
  }
  void exclude(Handle connection, std::size_t begin, std::size_t end) {
    exclusions_.push_back({connection, begin, end});
  }

  /// From now on the messages are those of `source`, and each ends with endUnit(). Null: as at
  /// first.
  void makeDroppable(const std::shared_ptr<LossySource>& source) {
    droppable_ =
        source == nullptr ? nullptr : std::make_unique<Droppable>(Droppable{.source = source});
  }
  void endUnit(std::uint64_t messages) {
    if (droppable_ != nullptr) droppable_->units.push_back({bytes_.size(), messages});
  }
  /// Null if its messages may not be dropped.
  [[nodiscard]] const Droppable* droppable() const { return droppable_.get(); }

  void forgetExclusions(Handle connection) {
    std::erase_if(exclusions_,
                  [=](const Exclusion& hole) { return hole.connection == connection; });
  }

  [[nodiscard]] const SharedBuffer& bytes() const { return bytes_; }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  [[nodiscard]] bool empty() const { return bytes_.empty(); }
  [[nodiscard]] const std::vector<Run>& runs() const { return runs_; }
  [[nodiscard]] const std::vector<Exclusion>& exclusions() const { return exclusions_; }

  /// Makes the batch empty, for the next turn. Output queues may still hold its bytes.
  void clear() {
    bytes_.reset();
    runs_.clear();
    exclusions_.clear();
    if (droppable_ != nullptr) droppable_->units.clear();
    if (runs_.capacity() > kKeptMax) runs_.shrink_to_fit();
    if (exclusions_.capacity() > kKeptMax) exclusions_.shrink_to_fit();
  }

 private:
  /// The capacity of each list that is kept for the next turn.
  static constexpr std::size_t kKeptMax = 1024;

  SharedBuffer bytes_;
  std::vector<Run> runs_;
  std::vector<Exclusion> exclusions_;
  std::unique_ptr<Droppable> droppable_;
};

/// A range of a batch's bytes that is sent to one connection.
struct Piece {
  std::uint64_t order;
  const SharedBuffer* buffer;
  std::size_t begin;
  std::size_t length;
};

/// A piece that is one message if it has a source, which may drop it.
struct DroppablePiece {
  Piece piece;
  std::shared_ptr<LossySource> source;
  std::uint64_t messages = 0;
};

/// Appends the ranges of `batch` that `connection` gets.
void collectPieces(const Batch& batch, Handle connection, std::vector<Piece>& out);
/// The same, with the messages that may be dropped as pieces of their own.
void collectPieces(const Batch& batch, Handle connection, std::vector<DroppablePiece>& out);
/// Sorts into the order in which everything came.
void sortPieces(std::vector<Piece>& pieces);
void sortPieces(std::vector<DroppablePiece>& pieces);
/// Joins pieces that follow one another in their buffer as well.
void joinNeighbours(std::vector<Piece>& pieces);

}  // namespace stormo::net
