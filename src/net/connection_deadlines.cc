// Deadlines of connections: handshake, silence, pong, closing.
#include <cerrno>

#include "net/connection_table.h"

namespace stormo::net {

void ConnectionTable::setDeadline(Peer& peer, TimePoint deadline) {
  peer.deadline = deadline;
  wheel_.set(peer.id.index, deadline, loop_.now);
  if (!wheelArmedFor_ || deadline < *wheelArmedFor_) armWheel();
}

void ConnectionTable::armWheel() {
  const auto next = wheel_.next();
  if (next == wheelArmedFor_) return;
  if (wheelArmedFor_) loop_.timers.cancel(wheelTimer_);
  wheelArmedFor_ = next;
  if (!next) return;
  wheelTimer_ = loop_.timers.add(*next, Clock::duration::zero(), [this] {
    wheelArmedFor_.reset();
    wheel_.expire(loop_.now, [this](std::uint32_t index) {
      if (Peer* peer = peers_.at(index)) onDeadline(*peer);
    });
    armWheel();
  });
}

void ConnectionTable::onDeadline(Peer& peer) {
  if (peer.phase == Phase::Open && !peer.awaitsPong) return watchForSilence(peer);
  if (loop_.now < peer.deadline)
    return setDeadline(peer, peer.deadline);  // beyond the wheel's horizon
  switch (peer.phase) {
    case Phase::Connecting:
      return fail(peer, ETIMEDOUT, "connect");
    case Phase::Handshake:
      counters().badPeers.add();
      peer.endpoint->codec->onHandshakeTimeout(peer);
      return closeQuietly(peer, CloseCode::Abnormal);
    case Phase::Open:
      // Of who is paused nothing is read, so nothing can be told.
      if (!peer.receivePaused && peer.lastReceived + peer.endpoint->pongTimeout < peer.deadline)
        return fail(peer, ETIMEDOUT, "pong");
      peer.awaitsPong = false;
      return watchForSilence(peer);
    case Phase::Closing:
    case Phase::Lingering:
      return die(peer);
    case Phase::Dead:
      return;
  }
}

void ConnectionTable::watchForSilence(Peer& peer) {
  const auto interval = peer.endpoint->pingInterval;
  if (interval == interval.zero()) return wheel_.clear(peer.id.index);
  const TimePoint silentSince = peer.lastReceived + interval;
  if (loop_.now < silentSince) return setDeadline(peer, silentSince);
  if (!peer.endpoint->codec->ping(peer)) return;
  peer.awaitsPong = true;
  setDeadline(peer, loop_.now + peer.endpoint->pongTimeout);
}

}  // namespace stormo::net
