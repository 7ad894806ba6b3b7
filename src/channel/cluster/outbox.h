#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

#include "channel/cluster/batch.h"

namespace stormo::channel {

/// The batches of this node that were not read back from the stream yet, so that they can be sent
/// again. What is added leaves at once while few batches are on their way; else it joins those that
/// wait, so that batches grow with the load.
class Outbox {
 public:
  /// On their way at the same time, at most.
  static constexpr std::size_t kSentMax = 8;

  /// Sends a message, which may be lost; see Stream::publish().
  std::function<void(std::string id, std::string message)> send;

  /// Before all else, and again if this incarnation was ended: all that is here is numbered anew,
  /// from 1, and counts as not sent.
  void begin(NodeId node, std::uint64_t incarnation, std::size_t messageBytesMax);

  /// Adds the whole records of one turn.
  void add(std::string_view records, std::uint64_t count);
  /// Adds a batch without records.
  void add(BatchKind kind, std::string_view body = {});
  /// Sends what may be on its way now.
  void flush();
  /// All that was sent may be lost. Without `isMissing` the stream drops what it has had;
  /// with it, one was missing and others have come: they have to come again.
  void sendAgain(bool isMissing = false);
  /// Nothing can be sent: until sendAgain().
  void hold() { isHeld_ = true; }

  /// The batch of this number has counted: it was the first one here. Returns the number of its
  /// records, with those of the parts before it.
  std::uint64_t remove(std::uint64_t number);

  [[nodiscard]] bool isEmpty() const { return batches_.empty(); }
  /// Of the batch that is read back next.
  [[nodiscard]] std::uint64_t nextNumber() const { return nextNumber_; }
  [[nodiscard]] std::uint32_t round() const { return round_; }
  /// Bytes of all batches.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    std::string message;
    std::uint64_t number = 0;
    std::uint64_t records = 0;
    BatchKind kind = BatchKind::Records;
  };

  /// A batch of the number lastNumber_.
  [[nodiscard]] std::string encode(BatchKind kind, std::string_view body) const;
  void push(BatchKind kind, std::string_view body, std::uint64_t records);
  void addLong(std::string_view record);

  NodeId node_ = 0;
  std::uint64_t incarnation_ = 0;
  std::size_t bodyBytesMax_ = 0;
  std::uint64_t lastNumber_ = 0;  // of the batch that was added last
  std::uint64_t nextNumber_ = 1;
  std::uint32_t round_ = 0;
  std::deque<Entry> batches_;
  std::size_t counted_ = 0;  // of batches_: parts whose records have not come yet
  std::size_t sent_ = 0;     // of batches_, with those
  std::size_t bytes_ = 0;
  bool isHeld_ = false;
};

}  // namespace stormo::channel
