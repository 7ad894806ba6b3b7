#include "net/output.h"

#include "net/codec/codec_session.h"

namespace stormo::net {

SendStatus Output::send(ConnectionImpl& connection, Message message) {
  if (!connection.isUsable()) return SendStatus::Closed;
  if (isFull(connection, message.data.size())) {
    noteFull(connection);
    return SendStatus::Full;
  }
  const Codec& codec = *connection.endpoint->codec;
  if (connection.out.keepsContext) {
    CodecSession session(connection);
    codec.encodeNext(session, message);
  } else {
    codec.encode(message, connection.out.variant, ownBatch(connection), order_);
  }
  reactor_.counters().messagesOut.add();
  return SendStatus::Queued;
}

bool Output::isFull(const ConnectionImpl& connection, std::size_t extra) {
  const std::uint64_t waiting = connection.out.keptBytes() + connection.out.ownBytes();
  return waiting > 0 && waiting + extra > connection.endpoint->sendQueueBytesMax;
}

void Output::noteFull(ConnectionImpl& connection) {
  reactor_.counters().sendFull.add();
  if (connection.out.full == FullReport::None) connection.out.full = FullReport::Due;
  markDirty(connection);
}

void Output::noteOverLimit(ConnectionImpl& connection) {
  if (connection.out.full == FullReport::Reported) return;
  connection.out.full = FullReport::Due;
  markDirty(connection);
}

void Output::noteQueueSent(ConnectionImpl& connection) {
  // What is due then happens when the connection is flushed: see onDrained().
  const bool isAwaited = connection.out.full == FullReport::Reported || connection.isClosing() ||
                         connection.codecState != nullptr;
  if (isAwaited) markDirty(connection);
}

Batch& Output::ownBatch(ConnectionImpl& connection) {
  if (connection.out.own == nullptr) {
    connection.out.own = spareBatches_.take();
    markDirty(connection);
  }
  return *connection.out.own;
}

Batch* Output::ownBatchOfMember(ConnectionImpl& connection) {
  if (connection.out.skipsFanout || hasFailedByHolding(connection)) return nullptr;
  return &ownBatch(connection);
}

/// What a connection is sent before its handshake is done waits outside of the queue, with the same
/// bound.
bool Output::hasFailedByHolding(ConnectionImpl& connection) {
  if (connection.phase < Phase::Open && isFull(connection, 0)) reactor_.sender.fail(connection, 0);
  return connection.out.state == WriteState::Failed;
}

void Output::keepForLeaver(ConnectionImpl& connection, const Batch& batch) {
  if (connection.out.skipsFanout) return;
  pieces_.clear();
  collectPieces(batch, connection.id, pieces_);
  if (pieces_.empty()) return;
  if (connection.out.own != nullptr) collectPieces(*connection.out.own, connection.id, pieces_);
  sortPieces(pieces_);
  replaceOwn(connection, pieces_);
}

void Output::sendFirst(ConnectionImpl& connection, std::string_view bytes) {
  SharedBuffer first;
  bytes.copy(first.extend(bytes.size()), bytes.size());
  pieces_.assign({{.order = 0, .buffer = &first, .begin = 0, .length = bytes.size()}});
  if (connection.out.own != nullptr) collectPieces(*connection.out.own, connection.id, pieces_);
  replaceOwn(connection, pieces_);
}

void Output::sendNow(ConnectionImpl& connection, std::string_view bytes) {
  SharedBuffer buffer;
  bytes.copy(buffer.extend(bytes.size()), bytes.size());
  const Piece whole{.order = 0, .buffer = &buffer, .begin = 0, .length = bytes.size()};
  reactor_.sender.send(connection, {&whole, 1});
}

/// Builds the own output anew from these pieces, some of which may lie in what it was until now.
void Output::replaceOwn(ConnectionImpl& connection, std::span<const Piece> pieces) {
  std::unique_ptr<Batch> old = std::move(connection.out.own);
  order_.last = nullptr;  // what comes next begins a run, after all these
  Batch& own = ownBatch(connection);
  for (const Piece& piece : pieces) {
    own.appendInPlace(piece.order, piece.buffer->view().substr(piece.begin, piece.length));
  }
  if (old == nullptr) return;
  old->clear();
  spareBatches_.give(std::move(old));
}

void Output::discardOwn(ConnectionImpl& connection) {
  std::unique_ptr<Batch>& own = connection.out.own;
  if (own == nullptr) return;
  if (order_.last == own.get()) order_.last = nullptr;
  own->clear();
  spareBatches_.give(std::move(own));
}

void Output::markDirty(ConnectionImpl& connection) {
  if (connection.out.isDirty) return;
  connection.out.isDirty = true;
  (connection.endpoint->isLink ? dirtyLinks_ : dirty_).push_back(connection.id);
  reactor_.loop().requestTurn();
}

bool Output::flushLinks() {
  if (dirtyLinks_.empty()) return false;
  flushDirty(dirtyLinks_);
  return true;
}

void Output::flushDirty(std::vector<Handle>& dirty) {
  if (dirty.empty()) return;
  flushing_.swap(dirty);
  for (const Handle id : flushing_) {
    ConnectionImpl* connection = reactor_.connections.at(id);
    if (connection == nullptr) continue;
    connection->out.isDirty = false;
    if (connection->phase != Phase::Dead) flushOwn(*connection);
  }
  flushing_.clear();
}

void Output::flushOwn(ConnectionImpl& connection) {
  OutputState& out = connection.out;
  const bool isHeld = connection.phase < Phase::Open;  // until the handshake is done
  if (!isHeld) sendOwn(connection);
  if (out.full == FullReport::Due) reportFull(connection);
  const bool hasLeft = !isHeld && out.queuedBytes() == 0 && out.state != WriteState::Failed;
  if (hasLeft) onDrained(connection);
}

void Output::sendOwn(ConnectionImpl& connection) {
  const OutputState& out = connection.out;
  if (out.own == nullptr || out.own->empty()) {
    reactor_.sender.send(connection, {});
  } else {
    const Piece whole{0, &out.own->bytes(), 0, out.own->size()};
    reactor_.sender.send(connection, {&whole, 1});
  }
  discardOwn(connection);
}

void Output::reportFull(ConnectionImpl& connection) {
  const bool isUsable = connection.isUsable();
  connection.out.full = isUsable ? FullReport::Reported : FullReport::None;
  if (isUsable) reactor_.connections.call(connection, connection.endpoint->handlers.onBufferFull);
}

void Output::onDrained(ConnectionImpl& connection) {
  if (connection.codecState != nullptr) {
    CodecSession session(connection);
    connection.endpoint->codec->onDrained(session);
  }
  if (connection.out.full == FullReport::Reported && connection.isUsable()) {
    connection.out.full = FullReport::None;
    reactor_.connections.call(connection, connection.endpoint->handlers.onBufferDrain);
  }
  reactor_.connections.onOutputLeft(connection);
}

void Output::fanOut(ConnectionImpl& member, const Batch& batch) {
  OutputState& out = member.out;
  if (batch.empty() || out.skipsFanout) return;  // of some protocols an empty message is nothing
  const bool isAlone = member.memberships.size() == 1 && out.own == nullptr;
  if (!isAlone || member.phase != Phase::Open) return gather(member, batch);
  if (!out.isExcluded) {
    const Piece whole{0, &batch.bytes(), 0, batch.size()};
    return reactor_.sender.send(member, {&whole, 1});
  }
  out.isExcluded = false;
  pieces_.clear();
  collectPieces(batch, member.id, pieces_);
  reactor_.sender.send(member, pieces_);
}

void Output::fanOutDroppable(ConnectionImpl& member, const Batch& batch) {
  OutputState& out = member.out;
  if (out.queue == nullptr) return fanOut(member, batch);
  if (batch.empty() || out.skipsFanout) return;
  out.isHeldBack = true;
  gather(member, batch);
}

void Output::gather(ConnectionImpl& member, const Batch& batch) {
  OutputState& out = member.out;
  if (out.firstGathered == OutputState::kNotGathered) gathering_.push_back(&member);
  gathered_.push_back({&batch, out.firstGathered});
  out.firstGathered = static_cast<std::uint32_t>(gathered_.size() - 1);
}

/// A gathered member that has a queue, and gets a batch whose messages may be dropped.
void Output::flushHeldBack(ConnectionImpl& connection) {
  OutputState& out = connection.out;
  droppablePieces_.clear();
  for (std::uint32_t i = out.firstGathered; i != OutputState::kNotGathered; i = gathered_[i].next) {
    collectPieces(*gathered_[i].batch, connection.id, droppablePieces_);
  }
  out.firstGathered = OutputState::kNotGathered;
  out.isExcluded = false;
  out.isHeldBack = false;
  if (out.own != nullptr) collectPieces(*out.own, connection.id, droppablePieces_);
  sortPieces(droppablePieces_);
  reactor_.sender.hold(connection, droppablePieces_);
  droppablePieces_.clear();  // they share the groups' buffers
  discardOwn(connection);
}

void Output::flushGathered() {
  for (ConnectionImpl* connection : gathering_) {
    OutputState& out = connection->out;
    if (out.isHeldBack) {
      flushHeldBack(*connection);
      continue;
    }
    pieces_.clear();
    for (std::uint32_t i = out.firstGathered; i != OutputState::kNotGathered;
         i = gathered_[i].next) {
      collectPieces(*gathered_[i].batch, connection->id, pieces_);
    }
    out.firstGathered = OutputState::kNotGathered;
    out.isExcluded = false;
    if (out.own != nullptr) collectPieces(*out.own, connection->id, pieces_);
    sortPieces(pieces_);
    if (connection->phase < Phase::Open) {  // kept, encoded, until the handshake is done
      if (!hasFailedByHolding(*connection)) replaceOwn(*connection, pieces_);
      continue;
    }
    joinNeighbours(pieces_);
    reactor_.sender.send(*connection, pieces_);
    discardOwn(*connection);
  }
  gathering_.clear();
  gathered_.clear();
}

void Output::trim() {
  spareBatches_.trim();
  dirty_.shrink_to_fit();
  flushing_.shrink_to_fit();
  gathered_.shrink_to_fit();
  gathering_.shrink_to_fit();
  pieces_.clear();
  pieces_.shrink_to_fit();
  droppablePieces_.shrink_to_fit();
}

}  // namespace stormo::net
