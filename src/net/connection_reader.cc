// Input of connections: one receive buffer for all, a stash of its own only for who is in
// mid-package.
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

#include "net/connection_table.h"

namespace stormo::net {
namespace {

// A stash that is short, and shorter than what is read next, is copied in front of that; another
// one grows by it. Either way no more is copied than has arrived.
constexpr std::size_t kPrefixBytes = 4 << 10;
constexpr std::size_t kReadBytes = 256 << 10;

// What one turn reads. A client with a fresh event gets its share at once: the less, the more were
// read in this turn before it, but enough for a short message. Who has more is in the backlog, and
// gets from what the others leave of the turn, in rotation.
constexpr std::int64_t kShare = 32 << 10;
constexpr std::int64_t kShareMin = 1 << 10;
constexpr std::int64_t kLargestShare = kReadBytes;
constexpr std::int64_t kLinkShare = kReadBytes;
constexpr std::int64_t kTurnWork = 512 << 10;
// Nor does it go on for longer than that: a few bytes may end a message that is long to handle.
constexpr std::chrono::milliseconds kTurnTime{2};
// An attempt that finds nothing costs something, too.
constexpr std::int64_t kAttemptWork = 512;

constexpr std::int64_t kUnlimited = std::numeric_limits<std::int64_t>::max();

}  // namespace

/// A peer with an event. One in the backlog keeps its place there.
void ConnectionTable::readFresh(ConnectionImpl& peer) {
  if (peer.inBacklog) return;
  const std::int64_t fair = std::clamp((kTurnWork - freshWork_) / 16, kShareMin, kShare);
  const std::int64_t share = peer.endpoint->carriesMany ? kLinkShare : fair;
  if (read(peer, share)) readLater(peer);
  if (!peer.endpoint->carriesMany) freshWork_ += share - work_;
}

void ConnectionTable::readLater(ConnectionImpl& peer) {
  if (peer.inBacklog) return;
  peer.inBacklog = true;
  (peer.endpoint->carriesMany ? linkBacklog_ : backlog_).push(peer.id);
  loop_.requestTurn();
}

void ConnectionTable::readBacklog() {
  const auto serve = [this](Fifo<Handle>& queue, std::int64_t share) {
    ConnectionImpl* peer = peers_.find(queue.front());
    queue.pop();
    work_ = share;
    if (peer == nullptr) return;
    peer->inBacklog = false;
    if (peer->phase != Phase::Dead && read(*peer, share)) readLater(*peer);
  };
  for (std::size_t links = linkBacklog_.size(); links > 0; --links) serve(linkBacklog_, kLinkShare);

  // However much the others had: it goes on.
  std::int64_t left = std::max(kTurnWork - std::exchange(freshWork_, 0), kShare);
  std::size_t held = 0;  // one after the other, for whose messages there is no room
  const TimePoint until = loop_.readClock() + kTurnTime;
  bool inTime = true;
  while (left > 0 && inTime && held < backlog_.size()) {
    const ConnectionImpl* peer = peers_.find(backlog_.front());
    if (peer != nullptr && !hasRoom(*peer)) {
      backlog_.push(backlog_.front());
      backlog_.pop();
      ++held;
      continue;
    }
    held = 0;
    const auto waiting = static_cast<std::int64_t>(backlog_.size());
    const std::int64_t share = std::clamp(left / waiting, kShare, kLargestShare);
    serve(backlog_, share);
    left -= share - work_ + kAttemptWork;
    inTime = loop_.readClock() < until;
  }
}

bool ConnectionTable::hasRoom(const ConnectionImpl& peer) {
  // What a closing peer still sends is thrown away.
  return !peer.isUsable() || !peer.endpoint->hasRoom || peer.endpoint->hasRoom();
}

/// Who waits for room does not keep the loop busy: what makes room is an event.
void ConnectionTable::requestBacklogTurn() {
  if (!linkBacklog_.empty()) return loop_.requestTurn();
  for (std::size_t looks = backlog_.size(); looks > 0; --looks) {
    const ConnectionImpl* peer = peers_.find(backlog_.front());
    if (peer == nullptr || hasRoom(*peer)) return loop_.requestTurn();
    backlog_.push(backlog_.front());
    backlog_.pop();
  }
}

/// Reads a peer, first what was read of it before, until so much work is done. True if there may be
/// more.
bool ConnectionTable::read(ConnectionImpl& peer, std::int64_t work) {
  work_ = work;
  if (peer.unfed && !peer.receivePaused) takeStash(peer);
  while (!peer.unfed && !peer.receivePaused && peer.phase != Phase::Dead) {
    if (work_ <= 0) return true;
    const auto wanted = std::min(static_cast<std::size_t>(work_), kReadBytes);
    const ssize_t count = receive(peer, wanted);
    if (count == 0) return onEndOfFile(peer), false;
    if (count < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) fail(peer, errno, "recv");
      return false;
    }
    // A short read has emptied the socket, and the next arrival is a new event: unless the end of
    // file, or an error, is there already and waits behind these bytes.
    const bool isEmpty = static_cast<std::size_t>(count) < wanted && !peer.hungUp;
    if (isEmpty) break;
  }
  return peer.unfed && !peer.receivePaused && peer.phase != Phase::Dead;
}

/// What recv(2) says; the bytes, if there are some, were taken.
ssize_t ConnectionTable::receive(ConnectionImpl& peer, std::size_t bytesMax) {
  if (receiveBuffer_ == nullptr) receiveBuffer_.reset(new char[kPrefixBytes + kReadBytes]);
  char* const buffer = receiveBuffer_.get() + kPrefixBytes;
  const ssize_t count = ::recv(peer.fd.get(), buffer, bytesMax, 0);
  if (count <= 0) return count;
  const auto bytes = static_cast<std::size_t>(count);
  peer.bytesRead += bytes;
  peer.lastReceived = loop_.now;
  counters().bytesIn.add(bytes);
  take(peer, buffer, bytes);
  noteIncomplete(peer);
  work_ -= count;
  return count;
}

/// Of a peer that takes nothing any more: what it has sent before, up to its end.
void ConnectionTable::receiveRest(ConnectionImpl& peer) {
  peer.receivePaused = false;
  work_ = kUnlimited;
  if (peer.unfed) takeStash(peer);
  while (peer.isUsable()) {
    const ssize_t count = receive(peer, kReadBytes);
    if (count == 0 || (count < 0 && errno != EINTR)) return;
  }
}

void ConnectionTable::take(ConnectionImpl& peer, char* bytes, std::size_t count) {
  const bool listens = peer.isUsable() || peer.awaitsCloseFrame;
  if (!listens) return;  // drained, so that closing does not reset the connection
  auto stash = std::move(peer.stash);
  if (stash == nullptr) {
    const std::size_t taken = feed(peer, {bytes, count});
    if (taken == count) return;
    stash = std::make_unique<Stash>(Stash{std::string(bytes + taken, count - taken)});
  } else if (stash->size() <= std::min(kPrefixBytes, count)) {
    char* const front = bytes - stash->size();
    const std::size_t whole = stash->size() + count;
    std::memcpy(front, stash->rest().data(), stash->size());
    const std::size_t taken = feed(peer, {front, whole});
    if (taken == whole) return;
    stash->bytes.assign(front + taken, whole - taken);
    stash->taken = 0;
  } else {
    stash->bytes.erase(0, std::exchange(stash->taken, 0));
    stash->bytes.append(bytes, count);
    stash->taken = feed(peer, stash->rest());
  }
  keepStash(peer, std::move(stash));
}

/// Without any new bytes: it was paused, or its share of a turn was spent.
void ConnectionTable::takeStash(ConnectionImpl& peer) {
  auto stash = std::move(peer.stash);
  stash->taken += feed(peer, stash->rest());
  keepStash(peer, std::move(stash));
  noteIncomplete(peer);
}

void ConnectionTable::keepStash(ConnectionImpl& peer, std::unique_ptr<Stash> stash) {
  peer.unfed = stash->size() > 0 && (peer.receivePaused || work_ <= 0);
  if (stash->size() > 0) peer.stash = std::move(stash);
}

std::size_t ConnectionTable::feed(ConnectionImpl& peer, std::span<char> bytes) {
  const std::size_t taken = peer.endpoint->codec->receive(peer, bytes);
  const bool listens = peer.isUsable() || peer.awaitsCloseFrame;
  return listens ? taken : bytes.size();
}

void ConnectionTable::onEndOfFile(ConnectionImpl& peer) {
  peer.peerEnded = true;
  peer.awaitsCloseFrame = false;
  switch (peer.phase) {
    case Phase::Handshake:  // nothing that waits for it would be understood
    case Phase::Lingering:
      return die(peer);
    case Phase::Closing:
      return markDirty(peer);
    default:
      return beginClosing(peer, CloseCode::Abnormal);  // what was queued for it still leaves
  }
}

void ConnectionTable::deliver(ConnectionImpl& peer, Message message) {
  if (!peer.isUsable()) return;
  counters().messagesIn.add();
  incomplete_.restart(peer, loop_.now);
  call(peer, peer.endpoint->handlers.onMessage, message);
}

void ConnectionTable::pauseReceiving(ConnectionImpl& peer) {
  if (peer.isUsable()) peer.receivePaused = true;
}

void ConnectionTable::resumeReceiving(ConnectionImpl& peer) {
  if (!peer.receivePaused) return;
  peer.receivePaused = false;
  peer.lastReceived = loop_.now;  // its silence is counted from here: nobody has listened
  readLater(peer);
}

}  // namespace stormo::net
