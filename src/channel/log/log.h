#pragma once

#include <stormo/result.h>

#include <cstdint>
#include <functional>
#include <string_view>

#include "channel/log/state_stream.h"

namespace stormo::channel {

/// Identifies a node of a cluster. 0: the only one, of a log that is not shared.
using NodeId = std::uint64_t;

/// What a snapshot is made of.
class SavedState {
 public:
  /// Runs in a forked child: changes nothing, logs nothing, does not use the loop.
  virtual void save(StateWriter& out) const = 0;
  /// From hold() to release() there is a child that saves: what it shares with this process must
  /// not change.
  virtual void hold() {}
  virtual void release() {}

 protected:
  ~SavedState() = default;
};

/// The state that is computed from a log, and from nothing else: two that have applied the same
/// records are equal.
class LogState : public SavedState {
 public:
  /// Reads what save() has written, before the first record. False if it cannot: then it is as new.
  [[nodiscard]] virtual bool restore(StateReader& in) = 0;
  /// Forgets all: it is as new. Only before onOpened of Log::open().
  virtual void reset() {}
  /// The offsets that follow are of this epoch. Called before the first record of each epoch, also
  /// of those that are read at the start.
  virtual void begin(std::uint64_t epoch) = 0;
  /// Offset of the first record that the state needs in addition to a snapshot; the log keeps it if
  /// its limit allows. The greatest number if there is none.
  [[nodiscard]] virtual std::uint64_t recallFrom() const { return UINT64_MAX; }
  /// After restore(): those records, from recallFrom() or a later offset on up to the restored one,
  /// without a hole, in one or more calls. There are no calls if the log has lost them.
  virtual void recall(std::uint64_t /*first*/, std::string_view /*records*/) {}
  /// `first` is the offset of the first of these whole records; the others follow it. `from` has
  /// appended them.
  virtual void apply(std::uint64_t first, std::string_view records, NodeId from) = 0;
  /// That node is gone: what it owned has no owner. Called between records, at the same place on
  /// all nodes.
  virtual void nodeGone(NodeId /*node*/) {}

 protected:
  ~LogState() = default;
};

/// The one sequence of records that the Channel's state is computed from. Each record has an
/// offset: 1, 2, 3, …, without a hole, over all runs of one epoch.
///
/// Records that are appended come back in LogState::apply() once nothing can lose them any more
/// that this log protects from. Until then the server behaves as if it had not received them:
/// neither event nor acknowledgement leaves.
class Log {
 public:
  virtual ~Log() = default;
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  /// Restores the latest snapshot and applies the records after it. The epoch goes on unless the
  /// log is empty, or may lack records that were in use. Once, before all else; `state` outlives
  /// this.
  ///
  /// May return before the log can be used. `onOpened` is called once when it can be: within this
  /// call or in a later turn. Until then append() and finish() must not be called. An error is
  /// returned only for what must end the process; then `onOpened` is not called.
  [[nodiscard]] virtual Result<void> open(LogState& state, std::function<void()> onOpened) = 0;

  /// Appends the whole records of one turn, `count` of them, at least one. They are applied in the
  /// order of the calls: within this call or in a later turn. Records of other nodes may be applied
  /// between them, so their offsets are not known before.
  virtual void append(std::string_view records, std::uint64_t count) = 0;
  /// Of the records that were given to append(): how many were applied. Not called in
  /// LogState::apply().
  [[nodiscard]] virtual std::uint64_t appliedCount() const = 0;
  /// This node.
  [[nodiscard]] virtual NodeId node() const { return 0; }

  /// Bytes that were appended and not applied.
  [[nodiscard]] virtual std::size_t waitingBytes() const = 0;
  /// True while the log cannot be written (a full disk). What was appended waits, and more should
  /// not be read. It is tried again until it succeeds.
  [[nodiscard]] virtual bool isBlocked() const = 0;

  /// Makes all that was appended durable, for a clean stop, and then calls `onDone`, within this
  /// call or later. What is applied meanwhile may lead to further records, which are not needed.
  virtual void finish(std::function<void()> onDone) = 0;

 protected:
  Log() = default;
};

}  // namespace stormo::channel
