// Output of connections: what a turn produced, in one call for each.
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "net/connection_table.h"

namespace stormo::net {
namespace {

constexpr std::size_t kVectorsMax = 256;

// A peer's output of one turn leaves at once if it is short, or at most a share and the turn has
// bytes left. Everything else waits in queues, which get their shares in rotation: in each turn
// from the bytes that are left, or at least from kRotationBytes.
constexpr std::size_t kShortBytes = 16 << 10;
constexpr std::size_t kShare = 256 << 10;
constexpr std::int64_t kRotationBytes = 1 << 20;
// While more memory waits to be sent than this, the turn goes on sending: nothing more is read.
constexpr std::size_t kHeldBytesMax = 64 << 20;

constexpr std::size_t kBlocked = ~std::size_t{0};

ssize_t sendVectors(int fd, iovec* vectors, std::size_t count) {
  msghdr message{};
  message.msg_iov = vectors;
  message.msg_iovlen = count;
  return ::sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace

SendStatus ConnectionTable::send(ConnectionImpl& peer, Message message) {
  if (!peer.isUsable()) return SendStatus::Closed;
  if (isFull(peer, message.data.size())) {
    noteFull(peer);
    return SendStatus::Full;
  }
  peer.endpoint->codec->encode(message, ownBatch(peer), order_);
  counters().messagesOut.add();
  return SendStatus::Queued;
}

void ConnectionTable::noteFull(ConnectionImpl& peer) {
  counters().sendFull.add();
  peer.fullPending = true;
  markDirty(peer);
}

bool ConnectionTable::isFull(const ConnectionImpl& peer, std::size_t extra) const {
  const std::uint64_t waiting = peer.queuedBytes() + (peer.own == nullptr ? 0 : peer.own->size());
  return waiting > 0 && waiting + extra > peer.endpoint->sendQueueBytesMax;
}

Batch& ConnectionTable::ownBatch(ConnectionImpl& peer) {
  if (peer.own == nullptr) {
    peer.own = spareBatches_.take();
    markDirty(peer);
  }
  return *peer.own;
}

Batch* ConnectionTable::ownBatchOfMember(ConnectionImpl& peer) {
  return cutIfHeldTooMuch(peer) ? nullptr : &ownBatch(peer);
}

/// What a connection is sent before its handshake is done waits outside of the queue, with the same
/// bound.
bool ConnectionTable::cutIfHeldTooMuch(ConnectionImpl& peer) {
  if (!peer.failed && peer.phase < Phase::Open && isFull(peer, 0)) doom(peer, 0);
  return peer.failed;
}

void ConnectionTable::keepForLeaver(ConnectionImpl& peer, const Batch& batch) {
  pieces_.clear();
  collectPieces(batch, peer.id, pieces_);
  if (pieces_.empty()) return;
  if (peer.own != nullptr) collectPieces(*peer.own, peer.id, pieces_);
  sortPieces(pieces_);
  replaceOwn(peer, pieces_);
}

void ConnectionTable::sendFirst(ConnectionImpl& peer, std::string_view bytes) {
  SharedBuffer first;
  bytes.copy(first.extend(bytes.size()), bytes.size());
  pieces_.assign({{.order = 0, .buffer = &first, .begin = 0, .length = bytes.size()}});
  if (peer.own != nullptr) collectPieces(*peer.own, peer.id, pieces_);
  replaceOwn(peer, pieces_);
}

/// Makes the own output anew from these pieces, some of which may lie in what it was until now.
void ConnectionTable::replaceOwn(ConnectionImpl& peer, std::span<const Piece> pieces) {
  std::unique_ptr<Batch> old = std::move(peer.own);
  order_.last = nullptr;  // what comes next begins a run, behind all these
  Batch& own = ownBatch(peer);
  for (const Piece& piece : pieces) {
    own.appendInPlace(piece.order, piece.buffer->view().substr(piece.begin, piece.length));
  }
  if (old == nullptr) return;
  old->clear();
  spareBatches_.give(std::move(old));
}

void ConnectionTable::discardOwn(ConnectionImpl& peer) {
  if (peer.own == nullptr) return;
  if (order_.last == peer.own.get()) order_.last = nullptr;
  peer.own->clear();
  spareBatches_.give(std::move(peer.own));
}

void ConnectionTable::markDirty(ConnectionImpl& peer) {
  if (peer.dirty) return;
  peer.dirty = true;
  (peer.endpoint->isLink ? dirtyLinks_ : dirty_).push_back(peer.id);
  loop_.requestTurn();
}

bool ConnectionTable::flushLinks() {
  if (dirtyLinks_.empty()) return false;
  flushDirty(dirtyLinks_);
  return true;
}

void ConnectionTable::flushConnections() {
  flushDirty(dirty_);
  serveRotation();
}

void ConnectionTable::flushDirty(std::vector<Handle>& dirty) {
  if (dirty.empty()) return;
  flushing_.swap(dirty);
  for (const Handle id : flushing_) {
    ConnectionImpl* peer = peers_.find(id);
    if (peer == nullptr) continue;
    peer->dirty = false;
    if (peer->phase != Phase::Dead) flushOwn(*peer);
  }
  flushing_.clear();
}

void ConnectionTable::flushOwn(ConnectionImpl& peer) {
  const bool held = peer.phase < Phase::Open;  // leaves when the handshake is done
  if (!held) {
    if (peer.own == nullptr || peer.own->empty()) {
      flush(peer, {});
    } else {
      const Piece whole{0, &peer.own->bytes(), 0, peer.own->size()};
      flush(peer, {&whole, 1});
    }
    discardOwn(peer);
  }
  if (peer.fullPending) reportFull(peer);
  if (!held && peer.queuedBytes() == 0 && !peer.failed) onDrained(peer);
}

void ConnectionTable::reportFull(ConnectionImpl& peer) {
  peer.fullPending = false;
  if (peer.fullReported || !peer.isUsable()) return;
  peer.fullReported = true;
  call(peer, peer.endpoint->handlers.onBufferFull);
}

void ConnectionTable::onDrained(ConnectionImpl& peer) {
  if (peer.codecState != nullptr) peer.endpoint->codec->onDrained(peer);
  if (peer.fullReported && peer.isUsable()) {
    peer.fullReported = false;
    call(peer, peer.endpoint->handlers.onBufferDrain);
  }
  if (peer.phase != Phase::Closing || peer.own != nullptr || peer.awaitsCloseFrame) return;
  if (peer.peerEnded) return die(peer);
  ::shutdown(peer.fd.get(), SHUT_WR);
  peer.phase = Phase::Lingering;
}

void ConnectionTable::fanOut(ConnectionImpl& peer, const Batch& batch) {
  if (batch.empty()) return;  // of a protocol for which an empty message is nothing
  const bool alone = peer.memberships.size() == 1 && peer.own == nullptr;
  if (!alone || peer.phase != Phase::Open) {
    if (!peer.gathering) {
      peer.gathering = true;
      peer.firstGathered = kNobody;
      gathering_.push_back(&peer);
    }
    gathered_.push_back({&batch, peer.firstGathered});
    peer.firstGathered = static_cast<std::uint32_t>(gathered_.size() - 1);
    return;
  }
  if (!peer.excluded) {
    const Piece whole{0, &batch.bytes(), 0, batch.size()};
    return flush(peer, {&whole, 1});
  }
  peer.excluded = false;
  pieces_.clear();
  collectPieces(batch, peer.id, pieces_);
  flush(peer, pieces_);
}

void ConnectionTable::flushGathered() {
  for (ConnectionImpl* peer : gathering_) {
    peer->gathering = false;
    peer->excluded = false;
    pieces_.clear();
    for (std::uint32_t i = peer->firstGathered; i != kNobody; i = gathered_[i].next) {
      collectPieces(*gathered_[i].batch, peer->id, pieces_);
    }
    if (peer->own != nullptr) collectPieces(*peer->own, peer->id, pieces_);
    sortPieces(pieces_);
    if (peer->phase < Phase::Open) {  // kept, encoded, until the handshake is done
      if (!cutIfHeldTooMuch(*peer)) replaceOwn(*peer, pieces_);
      continue;
    }
    joinNeighbours(pieces_);
    flush(*peer, pieces_);
    discardOwn(*peer);
  }
  gathering_.clear();
  gathered_.clear();
}

bool ConnectionTable::mayLeaveNow(std::span<const Piece> pieces) const {
  std::size_t bytes = 0;
  for (const Piece& piece : pieces) bytes += piece.length;
  return bytes <= kShortBytes || (bytes <= kShare && turnBytesLeft_ > 0);
}

/// Calls no handler and changes no membership: fan-outs run through their members meanwhile.
void ConnectionTable::flush(ConnectionImpl& peer, std::span<const Piece> pieces) {
  if (peer.failed) return;
  const std::uint64_t waitedBefore = peer.queuedBytes();
  std::size_t taken = 0;
  if (waitedBefore == 0 && mayLeaveNow(pieces)) {
    taken = sendPieces(peer, pieces);
    if (taken == kBlocked) return doom(peer, errno);
  }
  enqueue(peer, pieces, taken);
  // A peer may fall behind by its limit and one turn's output; who is behind the limit already and
  // does not even take that is beyond help, and nothing may be left out in silence. Who is closing
  // gets no more than a goodbye, and has its deadline. Who only waits for its share is not slow.
  if (peer.refused && peer.endpoint->cutWhenFull && peer.phase != Phase::Closing &&
      waitedBefore > peer.endpoint->sendQueueBytesMax && peer.queuedBytes() > waitedBefore) {
    doom(peer, 0);
  }
}

/// Sends what the kernel takes, and gives how many bytes that was; kBlocked if the connection
/// failed.
std::size_t ConnectionTable::sendPieces(ConnectionImpl& peer, std::span<const Piece> pieces) {
  std::size_t total = 0;
  std::array<iovec, kVectorsMax> vectors;
  while (!pieces.empty()) {
    const std::size_t count = std::min(pieces.size(), kVectorsMax);
    std::size_t wanted = 0;
    for (std::size_t i = 0; i < count; ++i) {
      vectors[i] = {const_cast<char*>(pieces[i].buffer->data()) + pieces[i].begin,
                    pieces[i].length};
      wanted += pieces[i].length;
    }
    const ssize_t sent =
        count == 1 ? ::send(peer.fd.get(), vectors[0].iov_base, wanted, MSG_NOSIGNAL | MSG_DONTWAIT)
                   : sendVectors(peer.fd.get(), vectors.data(), count);
    counters().sendCalls.add();
    if (sent < 0) {
      if (errno == EINTR) continue;
      peer.refused = errno == EAGAIN;
      return peer.refused ? total : kBlocked;
    }
    onSent(peer, static_cast<std::size_t>(sent));
    total += static_cast<std::size_t>(sent);
    if (static_cast<std::size_t>(sent) < wanted) {
      peer.refused = true;
      return total;
    }
    pieces = pieces.subspan(count);
  }
  return total;
}

void ConnectionTable::enqueue(ConnectionImpl& peer, std::span<const Piece> pieces,
                              std::size_t taken) {
  for (const Piece& piece : pieces) {
    if (taken >= piece.length) {
      taken -= piece.length;
      continue;
    }
    if (peer.queue == nullptr) peer.queue = spareQueues_.take();
    peer.queue->push(*piece.buffer, piece.begin + taken, piece.length - taken);
    taken = 0;
  }
  if (peer.queue != nullptr) peer.refused ? armWrite(peer, true) : writeLater(peer);
  if (peer.queuedBytes() >= peer.endpoint->sendQueueBytesMax && !peer.fullReported) {
    peer.fullPending = true;
    markDirty(peer);
  }
}

void ConnectionTable::onSent(ConnectionImpl& peer, std::size_t bytes) {
  peer.bytesWritten += bytes;
  counters().bytesOut.add(bytes);
  turnBytesLeft_ -= static_cast<std::int64_t>(bytes);
}

void ConnectionTable::writeLater(ConnectionImpl& peer) {
  if (peer.inRotation || peer.queue == nullptr) return;
  peer.inRotation = true;
  rotation_.push(peer.id);
  loop_.requestTurn();
}

void ConnectionTable::serveRotation() {
  turnBytesLeft_ = std::max(turnBytesLeft_, kRotationBytes);
  while (!rotation_.empty() && (turnBytesLeft_ > 0 || SharedBuffer::heldBytes() > kHeldBytesMax)) {
    ConnectionImpl* peer = peers_.find(rotation_.front());
    rotation_.pop();
    if (peer == nullptr) continue;
    peer->inRotation = false;
    if (peer->failed || peer->phase == Phase::Dead || peer->queue == nullptr) continue;
    drainQueue(*peer, kShare);
    if (peer->queue != nullptr && !peer->refused && !peer->failed) writeLater(*peer);
  }
  turnBytesLeft_ = kTurnBytes;
  if (!rotation_.empty()) loop_.requestTurn();
}

/// Sends up to so many bytes of the queue, until the kernel refuses.
void ConnectionTable::drainQueue(ConnectionImpl& peer, std::size_t bytesMax) {
  std::array<iovec, kVectorsMax> vectors;
  while (!peer.queue->empty()) {
    if (bytesMax == 0) return;
    const std::size_t count = peer.queue->describe(vectors.data(), vectors.size(), bytesMax);
    const ssize_t sent = sendVectors(peer.fd.get(), vectors.data(), count);
    counters().sendCalls.add();
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) return doom(peer, errno);
      peer.refused = true;
      return armWrite(peer, true);
    }
    onSent(peer, static_cast<std::size_t>(sent));
    peer.queue->consume(static_cast<std::size_t>(sent));
    bytesMax -= static_cast<std::size_t>(sent);
  }
  peer.queue->clear();
  spareQueues_.give(std::move(peer.queue));
  armWrite(peer, false);
  // Whoever waits for this is called when the peer is flushed: see onDrained().
  const bool isAwaited =
      peer.fullReported || peer.phase == Phase::Closing || peer.codecState != nullptr;
  if (isAwaited) markDirty(peer);
}

void ConnectionTable::armWrite(ConnectionImpl& peer, bool armed) {
  if (peer.writeArmed == armed) return;
  peer.writeArmed = armed;
  const std::uint32_t events = EPOLLIN | EPOLLRDHUP | EPOLLET | (armed ? EPOLLOUT : 0u);
  if (const auto modified = loop_.modify(peer.fd.get(), events, tag_, peer.id); !modified) {
    doom(peer, modified.error().code.value());
  }
}

void ConnectionTable::doom(ConnectionImpl& peer, int error) {
  peer.failed = true;
  failed_.push_back({peer.id, error});
  loop_.requestTurn();
}

void ConnectionTable::executeDoomed() {
  for (std::size_t i = 0; i < failed_.size(); ++i) {  // handlers may add to them
    const Doomed failed = failed_[i];
    ConnectionImpl* peer = peers_.find(failed.peer);
    if (peer == nullptr || peer->phase == Phase::Dead) continue;
    if (failed.error != 0) {
      receiveRest(*peer);  // its last words came before it ended
      if (peer->phase != Phase::Dead) fail(*peer, failed.error, "send");
      continue;
    }
    counters().slowClosed.add();
    die(*peer);
  }
  failed_.clear();
}

}  // namespace stormo::net
