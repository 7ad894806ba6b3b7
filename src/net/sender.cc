#include "net/sender.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "net/reactor.h"

namespace stormo::net {
namespace {

constexpr std::size_t kVectorsMax = 256;

// A connection's output of one turn leaves at once if it is short, or if it is at most a share and
// the turn has bytes left. All other output waits in queues, which are sent in shares, in rotation:
// in each turn from the bytes that are left, and at least kRotationBytes.
constexpr std::size_t kShortBytes = 16 << 10;
constexpr std::size_t kShare = 256 << 10;
constexpr std::int64_t kRotationBytes = 1 << 20;
// While buffers of more than this wait to be sent, the turn goes on sending: nothing more is read.
constexpr std::size_t kHeldBytesMax = 64 << 20;

// Of what is held because it may be dropped, about this much at a time becomes part of the queue.
constexpr std::size_t kReleasedBytes = 64 << 10;

constexpr std::size_t kFailed = ~std::size_t{0};

ssize_t sendVectors(int fd, iovec* vectors, std::size_t count) {
  msghdr message{};
  message.msg_iov = vectors;
  message.msg_iovlen = count;
  return ::sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace

void Sender::send(ConnectionImpl& connection, std::span<const Piece> pieces) {
  const OutputState& out = connection.out;
  if (out.state == WriteState::Failed) return;
  if (out.queue != nullptr && out.queue->isHolding()) return holdKept(connection, pieces);
  connection.tls == nullptr ? sendPlain(connection, pieces) : sendEncrypted(connection, pieces);
}

/// In one piece, so that short messages share a record and one call of the kernel.
void Sender::sendEncrypted(ConnectionImpl& connection, std::span<const Piece> pieces) {
  plaintext_.clear();
  for (const Piece& piece : pieces) {
    plaintext_ += piece.buffer->view().substr(piece.begin, piece.length);
  }
  SharedBuffer records;
  if (!connection.tls->write(plaintext_, records)) return fail(connection, EPROTO);
  sendRaw(connection, records);
}

void Sender::sendRaw(ConnectionImpl& connection, const SharedBuffer& bytes) {
  if (connection.out.state == WriteState::Failed) return;
  const Piece whole{.order = 0, .buffer = &bytes, .begin = 0, .length = bytes.size()};
  sendPlain(connection, {&whole, 1});
}

void Sender::closeTls(ConnectionImpl& connection) {
  SharedBuffer alert;
  connection.tls->close(alert);
  if (!alert.empty()) sendRaw(connection, alert);
}

void Sender::sendPlain(ConnectionImpl& connection, std::span<const Piece> pieces) {
  OutputState& out = connection.out;
  const std::uint64_t waitedBefore = out.queuedBytes();  // nothing that is held, or a record of TLS
  const std::uint64_t keptBefore = out.keptBytes();
  std::size_t taken = 0;
  if (waitedBefore == 0 && mayLeaveNow(pieces)) {
    taken = sendPieces(connection, pieces);
    if (taken == kFailed) return fail(connection, errno);
  }
  enqueue(connection, pieces, taken);
  if (mustCut(connection, keptBefore)) fail(connection, 0);
}

bool Sender::mustCut(const ConnectionImpl& connection, std::uint64_t keptBefore) const {
  // A connection may exceed its limit by one turn's output. If it exceeded the limit before, and
  // the kernel refuses this turn's output, too, it is closed: no message may be dropped silently. A
  // connection that only waits for its share is not slow. One that is closing gets no more than a
  // close frame, and has a deadline.
  const OutputState& out = connection.out;
  const bool cuts = connection.endpoint->cutWhenFull && !connection.isClosing();
  return cuts && out.state == WriteState::Refused &&
         keptBefore > connection.endpoint->sendQueueBytesMax && out.keptBytes() > keptBefore;
}

void Sender::hold(ConnectionImpl& connection, std::span<const DroppablePiece> pieces) {
  OutputState& out = connection.out;
  if (out.state == WriteState::Failed) return;
  OutputQueue& queue = *out.queue;
  const std::uint64_t keptBefore = queue.keptBytes();
  HeldOutput& held = queue.held();
  for (const DroppablePiece& each : pieces) {
    if (each.source == nullptr) {
      held.push(each.piece);
    } else {
      held.push(each, queue.readyBytes(), connection.endpoint->sendQueueBytesMax);
    }
  }
  endHold(connection, keptBefore);
}

void Sender::holdKept(ConnectionImpl& connection, std::span<const Piece> pieces) {
  OutputQueue& queue = *connection.out.queue;
  const std::uint64_t keptBefore = queue.keptBytes();
  for (const Piece& each : pieces) queue.held().push(each);
  endHold(connection, keptBefore);
}

void Sender::endHold(ConnectionImpl& connection, std::uint64_t keptBefore) {
  OutputQueue& queue = *connection.out.queue;
  const std::uint64_t bytesMax = connection.endpoint->sendQueueBytesMax;
  queue.held().makeRoom(queue.readyBytes(), bytesMax);
  if (queue.held().empty()) queue.endHolding();
  if (queue.keptBytes() >= bytesMax) reactor_.output.noteOverLimit(connection);
  if (mustCut(connection, keptBefore)) fail(connection, 0);
}

/// Makes some of what is held part of the queue: from then on it is not dropped.
void Sender::release(ConnectionImpl& connection) {
  OutputQueue& queue = *connection.out.queue;
  HeldOutput& held = queue.held();
  plaintext_.clear();
  while (!held.empty() && queue.readyBytes() + plaintext_.size() < kReleasedBytes) {
    const HeldOutput::Entry entry = held.pop();
    if (entry.isMark) {
      releaseNotice(connection, entry);
    } else if (connection.tls != nullptr) {
      plaintext_ += entry.bytes();
    } else if (entry.shared.empty()) {
      queue.push(entry.bytes());
    } else {
      queue.push(entry.shared, entry.begin, entry.length);
    }
  }
  if (held.empty()) queue.endHolding();
  if (plaintext_.empty()) return;
  SharedBuffer records;
  if (!connection.tls->write(plaintext_, records)) return fail(connection, EPROTO);
  queue.push(records, 0, records.size());
}

void Sender::releaseNotice(ConnectionImpl& connection, const HeldOutput::Entry& mark) {
  const std::string text = mark.source->notice(mark.messages);
  if (text.empty()) return;
  OutputOrder order;
  connection.endpoint->codec->encode(Message(text), connection.out.variant, notice_, order);
  const std::string_view bytes = notice_.bytes().view();
  if (connection.tls != nullptr) {
    plaintext_ += bytes;
  } else {
    connection.out.queue->push(bytes);
  }
  notice_.clear();
}

bool Sender::mayLeaveNow(std::span<const Piece> pieces) const {
  std::size_t bytes = 0;
  for (const Piece& piece : pieces) bytes += piece.length;
  return bytes <= kShortBytes || (bytes <= kShare && turnBytesLeft_ > 0);
}

/// Sends what the kernel takes, and returns how many bytes that was; kFailed, with errno, if the
/// connection failed.
std::size_t Sender::sendPieces(ConnectionImpl& connection, std::span<const Piece> pieces) {
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
    const int fd = connection.fd.get();
    const ssize_t sent = count == 1
                             ? ::send(fd, vectors[0].iov_base, wanted, MSG_NOSIGNAL | MSG_DONTWAIT)
                             : sendVectors(fd, vectors.data(), count);
    reactor_.counters().sendCalls.add();
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) return kFailed;
      connection.out.state = WriteState::Refused;
      return total;
    }
    onSent(connection, static_cast<std::size_t>(sent));
    total += static_cast<std::size_t>(sent);
    if (static_cast<std::size_t>(sent) < wanted) {
      connection.out.state = WriteState::Refused;
      return total;
    }
    pieces = pieces.subspan(count);
  }
  return total;
}

void Sender::enqueue(ConnectionImpl& connection, std::span<const Piece> pieces, std::size_t taken) {
  OutputState& out = connection.out;
  for (const Piece& piece : pieces) {
    if (taken >= piece.length) {
      taken -= piece.length;
      continue;
    }
    if (out.queue == nullptr) out.queue = spareQueues_.take();
    out.queue->push(*piece.buffer, piece.begin + taken, piece.length - taken);
    taken = 0;
  }
  if (out.queue != nullptr) {
    out.state == WriteState::Refused ? arm(connection, true) : waitForTurn(connection);
  }
  if (out.keptBytes() >= connection.endpoint->sendQueueBytesMax) {
    reactor_.output.noteOverLimit(connection);
  }
}

void Sender::onSent(ConnectionImpl& connection, std::size_t bytes) {
  connection.out.bytesWritten += bytes;
  reactor_.counters().bytesOut.add(bytes);
  turnBytesLeft_ -= static_cast<std::int64_t>(bytes);
}

void Sender::onWritable(ConnectionImpl& connection) {
  if (connection.out.state == WriteState::Refused) connection.out.state = WriteState::Ready;
  if (connection.out.queue != nullptr) waitForTurn(connection);
}

void Sender::waitForTurn(ConnectionImpl& connection) {
  if (connection.out.state != WriteState::Ready) return;
  connection.out.state = WriteState::Rotating;
  rotation_.push(connection.id);
  reactor_.loop().requestTurn();
}

void Sender::serveRotation() {
  turnBytesLeft_ = std::max(turnBytesLeft_, kRotationBytes);
  while (!rotation_.empty() && (turnBytesLeft_ > 0 || SharedBuffer::heldBytes() > kHeldBytesMax)) {
    ConnectionImpl* connection = reactor_.connections.at(rotation_.front());
    rotation_.pop();
    if (connection == nullptr || connection->out.state != WriteState::Rotating) continue;
    connection->out.state = WriteState::Ready;
    if (connection->phase == Phase::Dead) continue;
    drainQueue(*connection, kShare);
    if (connection->out.queue != nullptr) waitForTurn(*connection);
  }
  turnBytesLeft_ = kTurnBytes;
  if (!rotation_.empty()) reactor_.loop().requestTurn();
}

/// Sends up to `bytesMax` bytes of the queue, until the kernel refuses.
void Sender::drainQueue(ConnectionImpl& connection, std::size_t bytesMax) {
  OutputState& out = connection.out;
  std::array<iovec, kVectorsMax> vectors;
  while (!out.queue->empty()) {
    if (bytesMax == 0) return;
    if (out.queue->readyBytes() == 0) {
      release(connection);
      if (out.state == WriteState::Failed) return;
      continue;
    }
    const std::size_t count = out.queue->describe(vectors.data(), vectors.size(), bytesMax);
    const ssize_t sent = sendVectors(connection.fd.get(), vectors.data(), count);
    reactor_.counters().sendCalls.add();
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) return fail(connection, errno);
      out.state = WriteState::Refused;
      return arm(connection, true);
    }
    onSent(connection, static_cast<std::size_t>(sent));
    out.queue->consume(static_cast<std::size_t>(sent));
    bytesMax -= static_cast<std::size_t>(sent);
  }
  discardQueue(connection);
  arm(connection, false);
  reactor_.output.noteQueueSent(connection);
}

void Sender::discardQueue(ConnectionImpl& connection) {
  if (connection.out.queue == nullptr) return;
  connection.out.queue->clear();
  spareQueues_.give(std::move(connection.out.queue));
}

void Sender::arm(ConnectionImpl& connection, bool armed) {
  if (connection.out.isArmed == armed) return;
  connection.out.isArmed = armed;
  const std::uint32_t events = Reactor::kReadEvents | (armed ? EPOLLOUT : 0u);
  if (const auto modified = reactor_.rewatch(connection, events); !modified) {
    fail(connection, modified.error().code.value());
  }
}

void Sender::fail(ConnectionImpl& connection, int error) {
  if (std::exchange(connection.out.state, WriteState::Failed) == WriteState::Failed) return;
  failed_.push_back({connection.id, error});
  reactor_.loop().requestTurn();
}

void Sender::closeFailed() {
  for (std::size_t i = 0; i < failed_.size(); ++i) {  // handlers may add to them
    const Failed failed = failed_[i];
    ConnectionImpl* connection = reactor_.connections.at(failed.id);
    if (connection == nullptr || connection->phase == Phase::Dead) continue;
    if (failed.error != 0) {
      reactor_.input.readRest(*connection);  // what the peer has sent before the end
      if (connection->phase != Phase::Dead) {
        reactor_.connections.fail(*connection, failed.error, "send");
      }
      continue;
    }
    closeSlow(*connection);
  }
  failed_.clear();
}

/// What is queued leaves as far as the peer reads it within Endpoint::closeTimeout, and the close
/// frame behind it.
void Sender::closeSlow(ConnectionImpl& connection) {
  reactor_.counters().slowClosed.add();
  for (const Membership& each : connection.memberships) each.fanout->onTooSlow(connection);
  if (connection.phase != Phase::Open || !connection.endpoint->codec->hasCloseCodes()) {
    return reactor_.connections.die(connection);
  }
  connection.out.state = WriteState::Refused;
  reactor_.connections.close(connection, CloseCode::TryAgainLater, "this client reads too slowly");
}

void Sender::trim() {
  spareQueues_.trim();
  plaintext_.clear();
  plaintext_.shrink_to_fit();
  failed_.shrink_to_fit();
}

}  // namespace stormo::net
