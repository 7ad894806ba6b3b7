#pragma once

#include <stormo/event_loop.h>
#include <stormo/timer.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/counters.h"
#include "channel/cluster/node_watch.h"
#include "channel/cluster/outbox.h"
#include "channel/cluster/replica.h"
#include "channel/cluster/replica_snapshots.h"
#include "channel/cluster/stream.h"
#include "channel/log/log.h"
#include "channel/log/log_directory.h"

namespace stormo::channel {

/// What concerns one node of a cluster.
struct ClusterLogSettings {
  std::string node = {};  ///< Its name, for people: 1 to 255 bytes.
  /// A node that sends nothing for this time is gone: what it owned has no owner.
  std::chrono::milliseconds goneAfter{10'000};
  /// A snapshot is written after so many bytes of messages, and more if it is longer itself.
  std::uint64_t snapshotBytes = 64 << 20;
  /// What the directory may hold, with the next snapshot beside the last one.
  std::uint64_t totalBytesMax = 1 << 30;
};

/// The log that the nodes of a cluster share: a stream, from which each of them computes the same
/// state (design: docs/architecture.md, format: docs/log-format.md).
///
/// What is appended is published, and applied when it comes back from the stream, between the
/// records of other nodes, in the same order on all of them. What the stream has lost is sent
/// again, and counts once: see Nodes.
class ClusterLog final : public Log, StreamSink {
 public:
  /// The directory is of this node alone, and outlives the log: it keeps the node's identity and
  /// its latest snapshot. Used on one loop.
  ClusterLog(std::unique_ptr<Stream> stream, LogDirectory& directory, ClusterLogSettings settings);
  ~ClusterLog() override;

  /// This node cannot go on from the state that it has, for the reason that was logged; a new
  /// process can. Called in a turn of the loop, once. Set it before open().
  std::function<void()> onBroken = [] {};

  /// A node of the cluster, as this one knows it.
  struct NodeStatus {
    NodeId id = 0;
    std::string name;
    bool isSelf = false;
    bool isGone = false;
    /// Since its latest message, or since this process has started.
    std::chrono::milliseconds silence{0};
  };
  /// With this node, also before it takes part. In the order of the names.
  [[nodiscard]] std::vector<NodeStatus> nodes();
  /// Why this node takes no part, or cannot publish at the moment: a sentence without a full stop.
  /// Empty: it can.
  [[nodiscard]] std::string whyBlocked() const;

  /// Calls `onOpened` when this node has read all that the stream had, and takes part in it. While
  /// there is no connection, or no snapshot, it goes on trying.
  [[nodiscard]] Result<void> open(LogState& state, std::function<void()> onOpened) override;
  void append(std::string_view records, std::uint64_t count) override;
  [[nodiscard]] std::uint64_t appliedCount() const override { return appliedCount_; }
  [[nodiscard]] NodeId node() const override { return id_; }
  [[nodiscard]] std::size_t waitingBytes() const override { return outbox_.bytes(); }
  [[nodiscard]] bool isBlocked() const override;
  /// Waits until all has come back from the stream. Gives up after some seconds if it does not.
  void finish(std::function<void()> onDone) override;

 private:
  enum class Phase {
    Loading,   ///< A snapshot, if there is a connection.
    Reading,   ///< What the stream has had before this node takes part.
    Starting,  ///< Its Start is on the way, for the first time or again.
    Open,
    Renewing,  ///< Messages that it has read are lost: a new epoch is on the way.
    Broken,    ///< Takes no part any more.
  };

  // StreamSink
  void onConnected(const StreamInfo& info) override;
  void onDisconnected(std::string_view reason) override;
  void onMessage(std::uint64_t sequence, std::string_view message) override;
  void onRefused(std::string_view reason) override;
  void onQuestion(std::string_view asker, std::string_view question) override;
  void onAnswer(std::string_view answer) override { snapshots_.onAnswer(answer); }

  // The way in.
  void load();
  void onLoaded(ReplicaSnapshots::Loaded loaded);
  void startReading();
  void readOn();
  void onMissed();
  void onLost();
  /// True if the stream goes on with this message, and does not have others that are needed.
  [[nodiscard]] bool misses(std::uint64_t sequence) const;

  // Taking part.
  void start();
  void sendStart();
  void sendEpoch(EpochBegin begin);
  void onWhileRenewing(std::uint64_t sequence, std::string_view message);
  void onTaken(const Replica::Taken& taken, std::uint64_t sequence);
  void onStart(const Batch& batch);
  void onGone(const GoneNode& gone, std::uint64_t sequence);
  void breakOff(std::string_view why, bool canStartAgain);

  // Publishing.
  void onOwn(const Batch& batch, Nodes::Verdict verdict);
  void onTick();
  void sendAgainIfDue(EventLoop::TimePoint now);
  void sendSignOfLife(EventLoop::TimePoint now);
  void declareGone(EventLoop::TimePoint now);
  void waitForAnswer();
  void continueFinish();
  void countState();

  std::unique_ptr<Stream> stream_;
  const ClusterLogSettings settings_;
  LogDirectory& directory_;
  ReplicaSnapshots snapshots_;
  Outbox outbox_;
  NodeWatch watch_;
  NodeId id_ = 0;
  std::optional<Replica> replica_;
  std::function<void()> onOpened_;
  LogCounters* counters_ = nullptr;

  Phase phase_ = Phase::Loading;
  bool isConnected_ = false;
  StreamInfo info_;                            // of the connection
  std::uint64_t next_ = 1;                     // sequence of the message to read next
  bool isFirst_ = false;                       // no message was read since startReading()
  EpochBegin epochBegin_ = EpochBegin::Keeps;  // that is on the way
  std::uint64_t incarnation_ = 0;
  std::uint64_t appliedCount_ = 0;
  std::string reason_;  // of the latest failure: of the connection, a message, or this node's part

  bool isStalled_ = false;
  EventLoop::TimePoint announcedAt_{};  // a Start or an Epoch was sent
  EventLoop::TimePoint sentAt_{};       // something was appended, or a sign of life sent
  EventLoop::TimePoint againAt_{};      // what has not come is sent again
  EventLoop::Duration againPause_{};
  Timer::Id tick_ = 0;

  std::function<void()> onFinished_;
  EventLoop::TimePoint finishBy_{};
};

}  // namespace stormo::channel
