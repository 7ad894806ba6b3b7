#pragma once

#include <stormo/result.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "channel/cluster/peer_snapshots.h"
#include "channel/cluster/replica.h"
#include "channel/cluster/stream.h"
#include "channel/log/log_directory.h"
#include "channel/log/snapshots.h"

namespace stormo::channel {

/// Where the state of a node that starts comes from, and where it is kept: the latest snapshot in
/// its directory, or another node's, or nothing.
class ReplicaSnapshots {
 public:
  /// All outlive this.
  ReplicaSnapshots(Stream& stream, LogDirectory& directory, const Snapshots::Limits& limits);

  /// Once, before all else: finds the latest snapshot in the directory, and removes the others.
  [[nodiscard]] Result<void> findOwn();

  enum class Loaded {
    Nothing,  ///< The stream has all that there ever was.
    Own,
    OfPeer,
    Nowhere,  ///< The stream has not, and no other node has answered for kNobodyAfter.
  };
  static constexpr EventLoop::Duration kNobodyAfter = std::chrono::seconds(60);
  /// Restores the state from which the stream's messages go on, in this call or later. `replica`
  /// outlives this. A later call, after another connection, replaces it.
  void load(NodeId self, const StreamInfo& info, Replica& replica,
            std::function<void(Loaded)> onLoaded);

  /// The stream ends with this message now: a snapshot with later ones is of no use any more.
  void discardAfter(std::uint64_t sequence);

  /// A message was taken.
  void count(std::size_t bytes) { uncoveredBytes_ += bytes; }
  /// Writes a snapshot if the stream has got long since the last one.
  void writeIfDue(Replica& replica);
  [[nodiscard]] std::uint64_t bytes() const { return snapshots_.bytes(); }

  /// While there is a connection. `replica`: of which a snapshot may be written for others; null if
  /// this node does not take part.
  void onQuestion(std::string_view asker, std::string_view question, Replica* replica);
  void onAnswer(std::string_view answer) { peers_.onAnswer(answer); }
  void onTick(EventLoop::TimePoint now);

 private:
  /// False if the file does not suit.
  [[nodiscard]] bool restore(std::string_view file);
  [[nodiscard]] bool restoreOwn(const StreamInfo& info);
  void discardOwn();
  void fetch();
  void write(Replica& replica);

  LogDirectory& directory_;
  Snapshots snapshots_;
  PeerSnapshots peers_;
  std::optional<ReplicaSnapshot> own_;
  std::uint64_t uncoveredBytes_ = 0;  // of messages after it

  // While load() goes on:
  NodeId self_ = 0;
  StreamInfo info_;
  Replica* loading_ = nullptr;
  EventLoop::TimePoint since_{};
  std::function<void(Loaded)> onLoaded_;
};

}  // namespace stormo::channel
