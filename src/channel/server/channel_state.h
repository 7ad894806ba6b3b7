#pragma once

#include <stormo/channel/server.h>

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "channel/log/log.h"
#include "channel/log/record.h"
#include "channel/server/dedup_table.h"
#include "channel/server/history.h"
#include "channel/server/interests.h"
#include "channel/server/job_store.h"
#include "channel/server/replay_window.h"
#include "channel/server/retained.h"
#include "protocol/channel/group_event.h"
#include "protocol/channel/packet.h"

namespace stormo::channel {

/// Acts on what records have changed. All views are valid during the call.
class StateObserver {
 public:
  /// For all subscribers. `frame` is its whole frame.
  virtual void onEvent(const Packet& event, std::string_view frame) = 0;
  /// For one subscriber, of this node.
  virtual void onEventToOne(const Packet& event) = 0;
  /// A job waits, as a new one or again.
  virtual void onJobWaiting(std::uint64_t number, std::string_view queue) = 0;
  virtual void onJobHanded(std::uint64_t number, const JobStore::Job& job) = 0;
  /// This node was to hand a job to that consumer, but the job was handed to another one before, or
  /// was done. It was not reported as waiting since then.
  virtual void onJobMissed(ConsumerId consumer) = 0;
  /// That publish was rejected, now or when it came for the first time.
  virtual void onRejected(std::uint64_t producerId, std::uint64_t sequence,
                          std::string_view reason) = 0;
  /// A publish of that producer has asked for a receipt. The event, if there is one, was reported
  /// before. `offset` as Receipt::position.
  virtual void onReceipt(std::uint64_t producerId, const Packet& publish, std::uint64_t offset,
                         bool isDuplicate) = 0;
  /// A consumer has done a job, or has given it back, or its node is gone: then the job waits next.
  virtual void onJobLeft(std::uint64_t lease, ConsumerId consumer) = 0;
  /// After what its jobs report.
  virtual void onNodeGone(NodeId node) = 0;

 protected:
  ~StateObserver() = default;
};

/// The Channel as a state machine: what the records of its log have made of it. The same records
/// make the same state, also their times: it reads no clock. Subscriptions are not part of it, nor
/// is anything else of a link.
///
/// One record makes at most two events, of one offset: an event `groupEvent` also is a message to
/// the group that its data names, and that one is `derived`.
class ChannelState final : public LogState {
 public:
  static constexpr std::size_t kProducersMax = 100'000;
  static constexpr std::size_t kSessionsMax = 500'000;
  /// The latest rejected publishes: one that is resent is rejected again.
  static constexpr std::size_t kRejectionsMax = 1000;

  /// Uses the settings that concern the state: groupEvent, the replay window, the history. They
  /// outlive this.
  explicit ChannelState(const Server& settings);

  /// From now on each change is reported to `observer`, which is of the node `node`. Null: to
  /// nobody.
  void observe(StateObserver* observer, NodeId node = 0) {
    observer_ = observer;
    node_ = node;
  }
  [[nodiscard]] bool restore(StateReader& in) override;
  void reset() override;
  /// Forgets the events of an earlier epoch.
  void begin(std::uint64_t epoch) override;
  void save(StateWriter& out) const override;
  void hold() override { history_.pool().hold(); }
  void release() override { history_.pool().release(); }
  /// Of the replay window's first event.
  [[nodiscard]] std::uint64_t recallFrom() const override { return window_.firstOffset(); }
  void recall(std::uint64_t first, std::string_view records) override;
  void apply(std::uint64_t first, std::string_view records, NodeId from) override;
  /// The jobs that it has handed wait again, and its subscribers are forgotten.
  void nodeGone(NodeId node) override;

  [[nodiscard]] std::uint64_t epoch() const { return epoch_; }
  /// Offset of the latest record.
  [[nodiscard]] std::uint64_t offset() const { return offset_; }
  /// The latest time of a record: clocks of nodes may differ.
  [[nodiscard]] std::uint64_t time() const { return time_; }
  [[nodiscard]] const ReplayWindow& window() const { return window_; }
  [[nodiscard]] const History& history() const { return history_; }
  [[nodiscard]] const JobStore& jobs() const { return jobs_; }
  [[nodiscard]] const Retained& retained() const { return retained_; }
  [[nodiscard]] const Interests& interests() const { return interests_; }

  /// Appends the group's messages after `offset` to `out`, as frames in their order. Returns false,
  /// and appends nothing, if one of them may be missing. They are in the group's history, or in the
  /// replay window, of which at most kCheckedEventsMax events are read, and kReplyBytesMax taken.
  /// With offset 0 the window has none: on a new server each group would seem to have a history.
  [[nodiscard]] bool appendMessagesAfter(std::uint64_t offset, std::string_view group,
                                         std::uint64_t now, std::string& out) const;

 private:
  struct Rejection {
    std::uint64_t producerId;
    std::uint64_t sequence;
    std::string reason;
  };

  void apply(const Record& record);
  void hand(const Packet& job, ConsumerId consumer);
  void reject(std::uint64_t producerId, const Packet& rejected);
  /// A resent publish: its producer may not know that it was rejected.
  void onDuplicate(std::uint64_t producerId, const Packet& packet);
  void receipt(std::uint64_t producerId, const Packet& publish, std::uint64_t offset,
               bool isDuplicate = false);
  void idempotentPublish(std::uint64_t producerId, const Packet& packet);
  void publish(const Packet& publish);
  void append(const Packet& event);

  const Server& settings_;
  StateObserver* observer_ = nullptr;
  NodeId node_ = 0;  // of observer_
  NodeId from_ = 0;  // of the records that are applied
  std::uint64_t epoch_ = 0;
  std::uint64_t offset_ = 0;
  std::uint64_t time_ = 0;
  bool isRecalling_ = false;        // events are for the window alone: all else was restored
  std::uint64_t recalledTime_ = 0;  // as time_, of the records that were recalled
  ReplayWindow window_;
  History history_;
  DedupTable producers_{kProducersMax};
  DedupTable sessions_{kSessionsMax};
  JobStore jobs_;
  Retained retained_;
  Interests interests_;
  std::deque<Rejection> rejections_;  // the latest ones, at most kRejectionsMax
  GroupEventScratch scratch_;
};

/// The event in a whole frame of the replay window or a history.
[[nodiscard]] Packet eventIn(std::string_view frame);

}  // namespace stormo::channel
