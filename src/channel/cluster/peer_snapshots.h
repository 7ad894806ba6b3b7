#pragma once

#include <stormo/event_loop.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "channel/cluster/stream.h"
#include "channel/log/log.h"
#include "channel/log/log_directory.h"

namespace stormo::channel {

/// A snapshot of the replica, as a file.
struct ReplicaSnapshot {
  std::uint64_t stream = 0;    ///< StreamInfo::epoch of its stream.
  std::uint64_t sequence = 0;  ///< Of the latest message in it: the number in its name.
  std::uint64_t bytes = 0;
};

/// What a snapshot file holds; nullopt if it is damaged, or of something else.
[[nodiscard]] std::optional<ReplicaSnapshot> describeSnapshot(std::string_view file);

/// Passes snapshots from node to node, piece by piece, as questions and answers on the stream's
/// connection: docs/log-format.md.
class PeerSnapshots {
 public:
  /// All outlive this.
  PeerSnapshots(Stream& stream, LogDirectory& directory)
      : connection_(stream), directory_(directory) {}

  /// This node has no snapshot of this stream that reaches the message `sequence`, and wants one of
  /// another node. `onFetched` gets the whole file, in the call of onAnswer() that completes it.
  void fetch(NodeId self, std::uint64_t stream, std::uint64_t sequence,
             std::function<void(std::string file)> onFetched);
  void stopFetching() { isFetching_ = false; }
  /// Another node has offered one.
  [[nodiscard]] bool hasSource() const { return source_.has_value(); }

  /// This node has a snapshot for others.
  void offer(NodeId self, const ReplicaSnapshot& own);
  /// Returns a sequence if the other node needs a snapshot with that message, and there is none.
  [[nodiscard]] std::optional<std::uint64_t> onQuestion(std::string_view asker,
                                                        std::string_view question);
  void onAnswer(std::string_view answer);
  /// At least once a second: asks again when an answer is missing.
  void onTick(EventLoop::TimePoint now);

 private:
  struct Source {
    NodeId node = 0;
    std::uint64_t sequence = 0;
    std::uint64_t bytes = 0;
  };
  void sendPiece(std::string_view asker, std::uint64_t position);
  void askWho();
  void askPiece();
  void startFetch(const Source& source);
  void complete();

  Stream& connection_;
  LogDirectory& directory_;
  NodeId self_ = 0;

  std::optional<ReplicaSnapshot> own_;
  FileContent serving_;  // of the snapshot that was asked for last
  std::uint64_t servingSequence_ = 0;

  bool isFetching_ = false;
  std::uint64_t wanted_ = 0;  // the stream
  std::uint64_t sequence_ = 0;
  std::optional<Source> source_;
  std::string file_;
  EventLoop::TimePoint progressAt_{};
  EventLoop::TimePoint askedAt_{};
  std::function<void(std::string file)> onFetched_;
};

}  // namespace stormo::channel
