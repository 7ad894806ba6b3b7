#include "net/connection_table.h"

#include <malloc.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "net/package_codec.h"
#include "net/reactor.h"
#include "sys/log.h"
#include "sys/sockets.h"

namespace stormo::net {

// Edge-triggered: a connection is added once, and epoll is asked again only around a full kernel
// buffer.
constexpr std::uint32_t kReadEvents = EPOLLIN | EPOLLRDHUP | EPOLLET;

// Memory for output, and of long messages that came, is given back when it was not used for so
// long; looked at while there is more of it than this.
constexpr std::chrono::seconds kTrimInterval{5};
constexpr std::size_t kSparesMin = 64;
constexpr std::size_t kSpareBytesMin = 1 << 20;

// What the kernel takes of a link's output at a time, if the system allows for it: behind a long
// message each refusal costs the other messages a change of processes.
constexpr std::size_t kLinkBufferBytes = 1 << 20;

ConnectionTable::ConnectionTable(EventLoop& loop)
    : loop_(LoopImpl::of(loop)), tag_(loop_.addSink(*this)), wheel_(loop_.readClock()) {}

ConnectionTable::~ConnectionTable() {
  peers_.forEach([this](ConnectionImpl& peer) {
    peer.phase = Phase::Dead;  // nothing is queued for it any more; its endpoint may be gone
    leaveFanouts(peer);
  });
  loop_.removeSink(tag_);
}

ConnectionTable& ConnectionTable::of(EventLoop& loop) { return Reactor::of(loop).connections; }

Result<ConnectionImpl*> ConnectionTable::add(UniqueFd fd, const Endpoint& endpoint,
                                             const Address& remote, Phase phase,
                                             std::uint32_t events) {
  if (endpoint.carriesMany) setSendBuffer(fd.get(), kLinkBufferBytes);
  ConnectionImpl& peer = peers_.create(*this, std::move(fd), endpoint, remote, phase);
  if (const auto added = loop_.add(peer.fd.get(), events, tag_, peer.id); !added) {
    peers_.destroy(peer.id);
    return added.error();
  }
  peer.lastReceived = loop_.now;
  counters().connections.add();
  counters().connectionsTotal.add();
  setDeadline(peer, loop_.now + endpoint.handshakeTimeout);
  return &peer;
}

Result<ConnectionImpl*> ConnectionTable::accept(UniqueFd fd, const Endpoint& endpoint,
                                                const Address& remote) {
  Result<ConnectionImpl*> peer =
      add(std::move(fd), endpoint, remote, Phase::Handshake, kReadEvents);
  if (peer) announce(**peer);
  return peer;
}

Result<ConnectionImpl*> ConnectionTable::connect(UniqueFd fd, const Endpoint& endpoint,
                                                 const Address& remote) {
  return add(std::move(fd), endpoint, remote, Phase::Connecting, kReadEvents | EPOLLOUT);
}

void ConnectionTable::finishConnect(ConnectionImpl& peer) {
  if (auto outcome = connectOutcome(peer.fd.get()); !outcome) {
    fail(peer, outcome.error().code.value(), "connect");
    return;
  }
  if (const auto modified = loop_.modify(peer.fd.get(), kReadEvents, tag_, peer.id); !modified) {
    fail(peer, modified.error().code.value(), modified.error().step);
    return;
  }
  setNoDelay(peer.fd.get());
  if (peer.endpoint->pingInterval == peer.endpoint->pingInterval.zero())
    setKeepAlive(peer.fd.get());
  peer.phase = Phase::Handshake;
  setDeadline(peer, loop_.now + peer.endpoint->handshakeTimeout);
  announce(peer);
}

void ConnectionTable::announce(ConnectionImpl& peer) {
  // A codec without a handshake opens the connection right here, before the user hears of it.
  peer.endpoint->codec->begin(peer);
  peer.connectReported = true;
  call(peer, peer.endpoint->handlers.onConnect);
}

ConnectionImpl* ConnectionTable::find(ConnectionId id) {
  ConnectionImpl* peer = peers_.find(Handle::unpack(id));
  return peer != nullptr && peer->isUsable() ? peer : nullptr;
}

void ConnectionTable::open(ConnectionImpl& peer) {
  peer.phase = Phase::Open;
  if (peer.own != nullptr) markDirty(peer);  // what was sent before the handshake was done
  watchForSilence(peer);
}

void ConnectionTable::close(ConnectionImpl& peer, CloseCode code, std::string_view reason) {
  if (!peer.isUsable()) return;
  if (peer.phase == Phase::Connecting) return die(peer);
  leaveFanouts(peer);  // what they sent before goes first
  const bool answers = peer.endpoint->codec->sayGoodbye(peer, code, reason);
  if (!peer.isUsable()) return;  // the goodbye was the whole of it
  beginClosing(peer, code);
  peer.awaitsCloseFrame = answers;
}

void ConnectionTable::closeQuietly(ConnectionImpl& peer, CloseCode code) {
  if (peer.isUsable()) beginClosing(peer, code);
}

void ConnectionTable::closeWith(ConnectionImpl& peer, CloseCode code, std::string_view lastBytes) {
  if (!peer.isUsable()) return;
  leaveFanouts(peer);
  discardOwn(peer);
  ownBatch(peer).append(lastBytes, order_);
  beginClosing(peer, code);
}

void ConnectionTable::refuse(ConnectionImpl& peer, CloseCode code, std::string_view reason) {
  if (!peer.isUsable()) return;
  counters().badPeers.add();
  log::debug("a peer broke its protocol remote={} code={} reason=\"{}\"", peer.remoteAddress(),
             static_cast<int>(code), reason);
  close(peer, code, reason);
  // RFC 6455 7.1.7: having failed the connection, there is nothing more to hear from the peer.
  peer.awaitsCloseFrame = false;
}

void ConnectionTable::goodbyeReceived(ConnectionImpl& peer, CloseCode code) {
  if (peer.isUsable()) {
    leaveFanouts(peer);
    peer.endpoint->codec->sayGoodbye(peer, code, {});
    beginClosing(peer, code);
  }
  peer.awaitsCloseFrame = false;
  markDirty(peer);
}

void ConnectionTable::destroy(ConnectionImpl& peer) {
  if (peer.isUsable()) peer.closeCode = CloseCode::Abnormal;
  if (peer.phase != Phase::Dead) die(peer);
}

void ConnectionTable::abandon(const Endpoint& endpoint) {
  static const PackageCodec kCodec(Protocol::tcp());
  static const Endpoint kNowhere{.codec = &kCodec, .handlers = {}, .hasRoom = {}};
  peers_.forEach([&](ConnectionImpl& peer) {
    if (peer.endpoint != &endpoint) return;
    peer.endpoint = &kNowhere;
    if (peer.isUsable()) die(peer);
  });
}

void ConnectionTable::beginClosing(ConnectionImpl& peer, CloseCode code) {
  leaveFanouts(peer);
  peer.phase = Phase::Closing;
  peer.closeCode = code;
  setDeadline(peer, loop_.now + peer.endpoint->closeTimeout);
  if (peer.receivePaused) {
    // What is read from now on is thrown away, but the end of file must be seen.
    peer.receivePaused = false;
    readLater(peer);
  }
  markDirty(peer);
  putInClosedList(peer);
}

void ConnectionTable::fail(ConnectionImpl& peer, int error, const char* step) {
  if (peer.isUsable()) {
    const Error what{std::error_code(error, std::generic_category()), step};
    peer.closeCode = CloseCode::Abnormal;
    call(peer, peer.endpoint->handlers.onError, what);
  }
  die(peer);
}

void ConnectionTable::die(ConnectionImpl& peer) {
  peer.phase = Phase::Dead;
  leaveFanouts(peer);
  putInClosedList(peer);
}

void ConnectionTable::leaveFanouts(ConnectionImpl& peer) {
  while (!peer.memberships.empty()) {
    const std::size_t last = peer.memberships.size() - 1;
    peer.memberships[last].fanout->drop(peer, last);
  }
}

void ConnectionTable::putInClosedList(ConnectionImpl& peer) {
  if (peer.inClosedList) return;
  peer.inClosedList = true;
  closed_.push_back(peer.id);
  loop_.requestTurn();
}

void ConnectionTable::freeClosed() {
  executeDoomed();
  while (!closed_.empty()) {
    ConnectionImpl& peer = *peers_.find(closed_.back());
    closed_.pop_back();
    if (!peer.closeReported) {
      peer.closeReported = true;
      if (peer.connectReported) call(peer, peer.endpoint->handlers.onClose);
    }
    peer.inClosedList = false;  // not before: onClose may have destroyed it
    if (peer.phase != Phase::Dead) continue;
    wheel_.clear(peer.id.index);
    incomplete_.set(peer, 0, loop_.now);
    if (peer.queue != nullptr) {
      peer.queue->clear();
      spareQueues_.give(std::move(peer.queue));
    }
    discardOwn(peer);
    counters().connections.subtract();
    peers_.destroy(peer.id);
  }
}

void ConnectionTable::watchSpares() {
  hadLargeInput_ = hadLargeInput_ || incomplete_.totalBytes() > kSpareBytesMin;
  const bool many = spareBatches_.size() > kSparesMin || spareQueues_.size() > kSparesMin ||
                    SharedBuffer::spareBytes() + SharedBuffer::heldBytes() > kSpareBytesMin;
  if (watchesSpares_ || !(many || hadLargeInput_ || freedSpares_)) return;
  watchesSpares_ = true;
  loop_.timers.add(loop_.now + kTrimInterval, Clock::duration::zero(), [this] {
    watchesSpares_ = false;  // the end of this turn looks again
    trimSpares();
  });
}

void ConnectionTable::trimSpares() {
  spareBatches_.trim();
  spareQueues_.trim();
  const std::size_t trimmedBytes = SharedBuffer::trimSpares();
  dirty_.shrink_to_fit();
  flushing_.shrink_to_fit();
  closed_.shrink_to_fit();
  gathered_.shrink_to_fit();
  gathering_.shrink_to_fit();
  failed_.shrink_to_fit();
  pieces_.clear();
  pieces_.shrink_to_fit();
  // What was freed lies scattered: the C library gives it back to the system only when asked. That
  // walks through the whole heap, so it is done when all has settled.
  const bool settled = trimmedBytes < kSpareBytesMin &&
                       SharedBuffer::heldBytes() < kSpareBytesMin &&
                       !std::exchange(hadLargeInput_, false);
  if (settled && std::exchange(freedSpares_, false)) ::malloc_trim(0);
  if (!settled) freedSpares_ = true;
}

void ConnectionTable::handlerThrew(ConnectionImpl& peer, const char* what) {
  counters().handlerErrors.add();
  log::error("a handler threw what=\"{}\" remote={}", what, peer.remoteAddress());
  close(peer, CloseCode::InternalError, "internal error");
}

void ConnectionTable::onReady(Handle id, std::uint32_t events) {
  ConnectionImpl* peer = peers_.find(id);
  if (peer == nullptr || peer->phase == Phase::Dead) return;
  if (peer->phase == Phase::Connecting) return finishConnect(*peer);
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) peer->hungUp = true;
  if ((events & EPOLLIN) != 0 || peer->hungUp) readFresh(*peer);
  if ((events & EPOLLOUT) != 0 && peer->phase != Phase::Dead) {
    peer->refused = false;
    writeLater(*peer);
  }
}

}  // namespace stormo::net
