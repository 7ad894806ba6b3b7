// Input of connections: one receive buffer for all, a stash of its own only for who is in
// mid-package.
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "net/connection_table.h"

namespace stormo::net {
namespace {

// A stash that is short, and shorter than what is read next, is copied in front of that; another
// one grows by it. Either way no more is copied than has arrived.
constexpr std::size_t kPrefixBytes = 4 << 10;
constexpr std::size_t kReadBytes = 256 << 10;

}  // namespace

void ConnectionTable::read(Peer& peer, bool hungUp) {
  if (peer.receivePaused) return;
  const ssize_t count = receive(peer);
  if (count == 0) return onEndOfFile(peer);
  if (count < 0) {
    if (errno == EINTR) return readNextTurn(peer);
    if (errno != EAGAIN) fail(peer, errno, "recv");
    return;
  }
  // A short read has emptied the socket, and the next arrival is a new event: unless the end of
  // file, or an error, is there already and waits behind these bytes. One buffer a turn, so that
  // all get theirs.
  const bool mayHaveMore = count == static_cast<ssize_t>(kReadBytes) || hungUp;
  if (mayHaveMore && peer.phase != Phase::Dead) readNextTurn(peer);
}

/// What recv(2) says; the bytes, if there are some, were taken.
ssize_t ConnectionTable::receive(Peer& peer) {
  if (receiveBuffer_ == nullptr) receiveBuffer_.reset(new char[kPrefixBytes + kReadBytes]);
  char* const buffer = receiveBuffer_.get() + kPrefixBytes;
  const ssize_t count = ::recv(peer.fd.get(), buffer, kReadBytes, 0);
  if (count <= 0) return count;
  const auto bytes = static_cast<std::size_t>(count);
  peer.bytesRead += bytes;
  peer.lastReceived = loop_.now;
  counters().bytesIn.add(bytes);
  take(peer, buffer, bytes);
  return count;
}

/// Of a peer that takes nothing any more: what it has sent before, up to its end.
void ConnectionTable::receiveRest(Peer& peer) {
  peer.receivePaused = false;
  while (peer.isUsable()) {
    const ssize_t count = receive(peer);
    if (count == 0 || (count < 0 && errno != EINTR)) return;
  }
}

void ConnectionTable::take(Peer& peer, char* bytes, std::size_t count) {
  const bool listens = peer.isUsable() || peer.awaitsGoodbye;
  if (!listens) return;  // drained, so that closing does not reset the connection
  if (peer.stash == nullptr) {
    const std::size_t taken = feed(peer, {bytes, count});
    if (taken < count) peer.stash = std::make_unique<std::string>(bytes + taken, count - taken);
    return;
  }
  auto stash = std::move(peer.stash);
  if (stash->size() <= std::min(kPrefixBytes, count) &&
      bytes == receiveBuffer_.get() + kPrefixBytes) {
    char* const front = bytes - stash->size();
    const std::size_t whole = stash->size() + count;
    std::memcpy(front, stash->data(), stash->size());
    const std::size_t taken = feed(peer, {front, whole});
    if (taken == whole) return;
    stash->assign(front + taken, whole - taken);
  } else {
    stash->append(bytes, count);
    const std::size_t taken = feed(peer, {stash->data(), stash->size()});
    if (taken == stash->size()) return;
    stash->erase(0, taken);
  }
  peer.stash = std::move(stash);
}

std::size_t ConnectionTable::feed(Peer& peer, std::span<char> bytes) {
  const std::size_t taken = peer.endpoint->codec->receive(peer, bytes);
  const bool listens = peer.isUsable() || peer.awaitsGoodbye;
  return listens ? taken : bytes.size();
}

void ConnectionTable::onEndOfFile(Peer& peer) {
  peer.peerEnded = true;
  peer.awaitsGoodbye = false;
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

void ConnectionTable::deliver(Peer& peer, Message message) {
  if (!peer.isUsable()) return;
  counters().messagesIn.add();
  call(peer, peer.endpoint->handlers.onMessage, message);
}

void ConnectionTable::pauseReceiving(Peer& peer) {
  if (peer.isUsable()) peer.receivePaused = true;
}

void ConnectionTable::resumeReceiving(Peer& peer) {
  if (!peer.receivePaused) return;
  peer.receivePaused = false;
  peer.lastReceived = loop_.now;  // its silence is counted from here: nobody has listened
  readNextTurn(peer);
}

void ConnectionTable::readNextTurn(Peer& peer) {
  if (peer.readAgain) return;
  peer.readAgain = true;
  if (readAgain_.empty()) loop_.defer([this] { continueReading(); });
  readAgain_.push_back(peer.id);
}

void ConnectionTable::continueReading() {
  const std::vector<SlotId> again = std::move(readAgain_);
  readAgain_.clear();
  for (const SlotId id : again) {
    Peer* peer = peers_.find(id);
    if (peer == nullptr || peer->phase == Phase::Dead) continue;
    peer->readAgain = false;
    if (peer->stash != nullptr && !peer->receivePaused) {
      const auto stash = std::move(peer->stash);
      take(*peer, stash->data(), stash->size());
    }
    // Nothing is known of what else is there, nor of an end of file: until the socket says "empty".
    if (peer->phase != Phase::Dead) read(*peer, true);
  }
}

}  // namespace stormo::net
