#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "channel/log/log.h"
#include "channel/log/record.h"
#include "protocol/channel/packet.h"
#include "protocol/package/frame.h"
#include "sys/random_id.h"

namespace stormo::channel {

/// What the nodes of a cluster have appended, in its one order. The test adds what others append.
struct SharedRecords {
  struct Batch {
    NodeId from = 0;
    std::string records = {};  ///< Empty: that node is gone.
    std::uint64_t count = 0;
  };

  /// Adds one record of another node.
  void append(NodeId from, const Packet& packet, std::uint64_t producerId = 0,
              std::uint64_t time = 1) {
    Batch& batch = batches.emplace_back(Batch{.from = from, .count = 1});
    const std::string frame = encode(packet);
    appendRecord({.time = time, .producerId = producerId, .packet = framePayload(frame)},
                 batch.records);
  }
  void nodeGone(NodeId node) { batches.push_back({.from = node}); }

  std::uint64_t epoch = randomId();
  std::vector<Batch> batches = {};
};

/// The log of one node that shares its records with others. The test decides when it opens, and
/// when it applies the next batch.
class SharedLog final : public Log {
 public:
  SharedLog(SharedRecords& shared, NodeId node, bool opensAtOnce = true)
      : shared_(shared), node_(node), opensAtOnce_(opensAtOnce) {}

  void becomeOpen() { std::exchange(onOpened_, {})(); }
  /// Applies so many batches.
  void apply(std::size_t count) {
    for (; count > 0; --count) applyNext();
  }
  /// From the next turn on, or no longer.
  void setBlocked(bool isBlocked) { isBlocked_ = isBlocked; }
  void applyAll() {
    while (applied_ < shared_.batches.size()) applyNext();
  }

  [[nodiscard]] Result<void> open(LogState& state, std::function<void()> onOpened) override {
    state_ = &state;
    onOpened_ = std::move(onOpened);
    state_->begin(shared_.epoch);
    if (opensAtOnce_) becomeOpen();
    return {};
  }
  void append(std::string_view records, std::uint64_t count) override {
    shared_.batches.push_back({.from = node_, .records = std::string(records), .count = count});
  }
  [[nodiscard]] std::uint64_t appliedCount() const override { return appliedCount_; }
  [[nodiscard]] NodeId node() const override { return node_; }
  [[nodiscard]] std::size_t waitingBytes() const override { return 0; }
  [[nodiscard]] bool isBlocked() const override { return isBlocked_; }
  void finish(std::function<void()> onDone) override { onDone(); }

 private:
  void applyNext() {
    const SharedRecords::Batch batch = shared_.batches.at(applied_++);
    if (batch.records.empty()) return state_->nodeGone(batch.from);
    const std::uint64_t first = offset_ + 1;
    offset_ += batch.count;
    if (batch.from == node_) appliedCount_ += batch.count;
    state_->apply(first, batch.records, batch.from);
  }

  SharedRecords& shared_;
  const NodeId node_;
  const bool opensAtOnce_;
  LogState* state_ = nullptr;
  std::function<void()> onOpened_;
  bool isBlocked_ = false;
  std::size_t applied_ = 0;  // batches
  std::uint64_t offset_ = 0;
  std::uint64_t appliedCount_ = 0;
};

}  // namespace stormo::channel
