#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>

#include "channel/cluster/nodes.h"
#include "channel/log/log.h"

namespace stormo::channel {

/// What the messages of the stream have made of the Channel's state and of the cluster: the same on
/// all nodes that have read the same messages. Gives the records their offsets, and applies them.
class Replica final : public SavedState {
 public:
  explicit Replica(LogState& state) : state_(state) {}

  /// Reads what save() has written, before all else. False if it cannot: then it is as new.
  [[nodiscard]] bool restore(StateReader& in);
  void save(StateWriter& out) const override;
  void hold() override { state_.hold(); }
  void release() override { state_.release(); }
  /// Once, after restore() if there is something to restore, and before the first message.
  /// `stream`: StreamInfo::epoch.
  void begin(std::uint64_t stream);

  /// Sequence of the first message to read: the latest one in the state, to compare it, or one
  /// before it that the state needs once more.
  [[nodiscard]] std::uint64_t readFrom() const;

  /// Takes nothing of the messages up to this one: they are lost for the state.
  void skipTo(std::uint64_t sequence) { sequence_ = sequence; }
  /// True if this is the message of sequence(), as it was taken: else the stream has lost messages.
  [[nodiscard]] bool isLatest(std::string_view message) const {
    return message.substr(0, kBatchHeaderBytes) == latest_;
  }
  /// Of the latest message that was taken before restore().
  [[nodiscard]] std::uint64_t restored() const { return restored_; }

  /// What a message has turned out to be.
  struct Taken {
    BatchRead read;
    Nodes::Verdict verdict = Nodes::Verdict::Repeated;
    bool isRecalled = false;  ///< It had been taken before this process.
  };
  /// The message of this sequence: the next one, from readFrom() on, or a later one if the stream
  /// has lost those that were taken before this process. A message of a later version is not taken.
  /// `read`: what readBatch() has read of it.
  Taken take(std::uint64_t sequence, std::string_view message, const BatchRead& read);

  [[nodiscard]] const Nodes& nodes() const { return nodes_; }
  /// StreamInfo::epoch of its stream.
  [[nodiscard]] std::uint64_t stream() const { return stream_; }
  /// Of the latest message.
  [[nodiscard]] std::uint64_t sequence() const { return sequence_; }
  /// Of the latest record.
  [[nodiscard]] std::uint64_t offset() const { return offset_; }

 private:
  /// Messages in a row that have counted, with records that the state may need once more.
  struct Run {
    std::uint64_t first = 0;   ///< Sequence of the first message.
    std::uint64_t last = 0;    ///< Of the last one.
    std::uint64_t offset = 0;  ///< Of the first record in them.
    bool isWhole = false;      ///< Before them, no node had sent parts without their end.
  };

  void act(const Batch& batch);
  void beginEpoch(EpochBegin begin);
  void applyRecords(const Batch& batch);
  void addToRun(std::uint64_t sequence);
  void forgetRuns();
  void recall(std::uint64_t sequence, const BatchRead& read);

  LogState& state_;
  Nodes nodes_;
  std::uint64_t stream_ = 0;
  std::uint64_t epoch_ = 0;  // that of the stream, or of its latest Epoch batch
  std::uint64_t sequence_ = 0;
  std::string latest_;  // the header of the message of sequence_
  std::uint64_t offset_ = 0;
  std::deque<Run> runs_;

  // While messages from before restore() are read again:
  std::uint64_t restored_ = 0;      // the last of them
  std::size_t recalledRuns_ = 0;    // of runs_, before the current one
  std::uint64_t recallOffset_ = 0;  // of the next record; 0: not known yet
  std::map<NodeId, std::string> recalledParts_;
};

}  // namespace stormo::channel
