#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/spares.h"
#include "net/connection_impl.h"

namespace stormo::net {

/// Collects what one turn produces for each connection, its own output and the batches of its
/// fan-outs, and passes it to the Sender in one piece when the turn is flushed.
class Output {
 public:
  explicit Output(Reactor& reactor) : reactor_(reactor) {}

  // --- While the turn handles what it has read ---

  /// Encodes one message into the connection's own output of this turn.
  SendStatus send(ConnectionImpl& connection, Message message);
  /// The connection's own output of this turn, for encoders. Append with order().
  Batch& ownBatch(ConnectionImpl& connection);
  OutputOrder& order() { return order_; }
  /// For fan-outs that copy to each member: the same; null if the connection skips fan-outs, or is
  /// closed because it holds too much before its handshake is done.
  Batch* ownBatchOfMember(ConnectionImpl& connection);
  /// True if with `extra` bytes more would wait than Endpoint::sendQueueBytesMax. Never if nothing
  /// waits.
  [[nodiscard]] static bool isFull(const ConnectionImpl& connection, std::size_t extra);
  /// After isFull(), for callers that have queued nothing: onBufferFull will be called, and
  /// onBufferDrain when all output has left.
  void noteFull(ConnectionImpl& connection);
  /// For fan-outs: the member leaves. What `batch` holds for it becomes its own output, in its
  /// place in the order.
  void keepForLeaver(ConnectionImpl& connection, const Batch& batch);
  /// Puts bytes before all that is queued for the connection in this turn.
  void sendFirst(ConnectionImpl& connection, std::string_view bytes);
  /// Sends bytes of a handshake, whatever phase it is in, before all that is queued in this turn.
  void sendNow(ConnectionImpl& connection, std::string_view bytes);
  void discardOwn(ConnectionImpl& connection);
  /// Sends the connection's own output of this turn at once.
  void sendOwn(ConnectionImpl& connection);
  /// The connection is flushed in this turn, or in the next one if this turn was flushed already.
  void markDirty(ConnectionImpl& connection);

  // --- The flush, in the order of Reactor::onTurnEnd() ---

  /// Returns false if no link had output.
  bool flushLinks();
  /// In GroupOutput::fanOut(): this member gets `batch`, at once if it gets nothing else in this
  /// turn, else with the rest in flushGathered(). The batch stays as it is until then.
  void fanOut(ConnectionImpl& member, const Batch& batch);
  /// The same for a batch whose messages may be dropped, if the member has not received all earlier
  /// output.
  void fanOutDroppable(ConnectionImpl& member, const Batch& batch);
  /// The members that get several batches, each in the order in which the messages came.
  void flushGathered();
  /// Calls onBufferFull and onBufferDrain where they are due.
  void flushConnections() { flushDirty(dirty_); }

  // --- For the Sender, in the flush ---

  /// The queue has reached Endpoint::sendQueueBytesMax.
  void noteOverLimit(ConnectionImpl& connection);
  /// The queue was sent to its end.
  void noteQueueSent(ConnectionImpl& connection);

  [[nodiscard]] std::size_t spareCount() const { return spareBatches_.size(); }
  /// Frees what was not used since the last call.
  void trim();

 private:
  void gather(ConnectionImpl& member, const Batch& batch);
  void flushHeldBack(ConnectionImpl& connection);
  void flushDirty(std::vector<Handle>& dirty);
  void flushOwn(ConnectionImpl& connection);
  void replaceOwn(ConnectionImpl& connection, std::span<const Piece> pieces);
  [[nodiscard]] bool hasFailedByHolding(ConnectionImpl& connection);
  void reportFull(ConnectionImpl& connection);
  void onDrained(ConnectionImpl& connection);

  Reactor& reactor_;
  OutputOrder order_;
  std::vector<Handle> dirty_;
  std::vector<Handle> dirtyLinks_;
  std::vector<Handle> flushing_;  // the list being flushed, so that handlers may fill the others

  /// Members that get several batches: for each, a chain of them, the latest first.
  struct Gathered {
    const Batch* batch;
    std::uint32_t next;
  };
  std::vector<Gathered> gathered_;
  std::vector<ConnectionImpl*> gathering_;
  std::vector<Piece> pieces_;
  std::vector<DroppablePiece> droppablePieces_;
  Spares<Batch> spareBatches_;
};

}  // namespace stormo::net
