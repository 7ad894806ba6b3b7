#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/handle_table.h"
#include "base/shared_buffer.h"

namespace stormo::net {

class Batch;

/// The order in which one table's output came within a turn, across all its batches.
struct OutputOrder {
  std::uint64_t next = 1;
  const Batch* last = nullptr;
};

/// The encoded output of one turn for one destination: a group's members, or a single connection.
/// What came without output for another destination in between is one run; whoever receives from
/// several batches merges their runs back into the order in which everything came.
class Batch {
 public:
  struct Run {
    std::uint64_t order;
    std::size_t begin;
  };
  /// A stretch that one connection does not get, though it is a member.
  struct Exclusion {
    Handle connection;
    std::size_t begin;
    std::size_t end;
  };

  /// Room for `bytes` more, to be written at once.
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
  /// The same for bytes that have their place in the order already. The runs must come in order.
  void appendInPlace(std::uint64_t place, std::string_view bytes) {
    if (runs_.empty() || runs_.back().order != place) runs_.push_back({place, bytes_.size()});
    bytes.copy(bytes_.extend(bytes.size()), bytes.size());
  }
  void exclude(Handle connection, std::size_t begin, std::size_t end) {
    exclusions_.push_back({connection, begin, end});
  }

  void forgetExclusions(Handle connection) {
    std::erase_if(exclusions_,
                  [=](const Exclusion& hole) { return hole.connection == connection; });
  }

  [[nodiscard]] const SharedBuffer& bytes() const { return bytes_; }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  [[nodiscard]] bool empty() const { return bytes_.empty(); }
  [[nodiscard]] const std::vector<Run>& runs() const { return runs_; }
  [[nodiscard]] const std::vector<Exclusion>& exclusions() const { return exclusions_; }

  /// Lets go of the bytes (output queues may hold them on) and is ready for the next turn.
  void clear() {
    bytes_.reset();
    runs_.clear();
    exclusions_.clear();
    if (runs_.capacity() > kKeptMax) runs_.shrink_to_fit();
    if (exclusions_.capacity() > kKeptMax) exclusions_.shrink_to_fit();
  }

 private:
  /// Of each list, what stays for the next turn.
  static constexpr std::size_t kKeptMax = 1024;

  SharedBuffer bytes_;
  std::vector<Run> runs_;
  std::vector<Exclusion> exclusions_;
};

/// A stretch of a batch on its way to one connection.
struct Piece {
  std::uint64_t order;
  const SharedBuffer* buffer;
  std::size_t begin;
  std::size_t length;
};

/// Appends the stretches of `batch` that `connection` gets.
void collectPieces(const Batch& batch, Handle connection, std::vector<Piece>& out);
/// Into the order in which everything came.
void sortPieces(std::vector<Piece>& pieces);
/// Makes one of those that follow one another in one buffer, too.
void joinNeighbours(std::vector<Piece>& pieces);

}  // namespace stormo::net
