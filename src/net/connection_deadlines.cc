// Deadlines of connections: handshake, silence, pong, closing.
#include <cerrno>

#include "net/connection_table.h"

namespace stormo::net {
namespace {

constexpr std::chrono::seconds kIncompleteLook{1};
// For what waits in the socket of a peer whose time is over.
constexpr std::chrono::milliseconds kUnreadGrace{100};

}  // namespace

void ConnectionTable::setDeadline(ConnectionImpl& peer, TimePoint deadline) {
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
      if (ConnectionImpl* peer = peers_.at(index)) onDeadline(*peer);
    });
    armWheel();
  });
}

void ConnectionTable::onDeadline(ConnectionImpl& peer) {
  if (peer.phase == Phase::Open && !peer.awaitsPong) return watchForSilence(peer);
  if (loop_.now < peer.deadline)
    return setDeadline(peer, peer.deadline);  // beyond the wheel's horizon
  switch (peer.phase) {
    case Phase::Connecting:
      if (peer.isReadyFor(POLLOUT)) return setDeadline(peer, loop_.now + kUnreadGrace);
      return fail(peer, ETIMEDOUT, "connect");
    case Phase::Handshake:
      if (!peer.receivePaused && peer.hasUnreadInput())
        return setDeadline(peer, loop_.now + kUnreadGrace);
      counters().badPeers.add();
      peer.endpoint->codec->onHandshakeTimeout(peer);
      return closeQuietly(peer, CloseCode::Abnormal);
    case Phase::Open:
      // Of who is paused, or waits for room, nothing is read, so nothing can be told.
      if (!peer.receivePaused && peer.lastReceived + peer.endpoint->pongTimeout < peer.deadline &&
          !peer.hasUnreadInput())
        return fail(peer, ETIMEDOUT, "pong");
      peer.awaitsPong = false;
      return watchForSilence(peer);
    case Phase::Closing:
    case Phase::Lingering:
      // Whatever it still sends, which is thrown away: else it could stay for as long as it sends.
      return die(peer);
    case Phase::Dead:
      return;
  }
}

void ConnectionTable::watchForSilence(ConnectionImpl& peer) {
  const auto interval = peer.endpoint->pingInterval;
  if (interval == interval.zero()) return wheel_.clear(peer.id.index);
  const TimePoint silentSince = peer.lastReceived + interval;
  if (loop_.now < silentSince) return setDeadline(peer, silentSince);
  if (!peer.endpoint->codec->ping(peer)) return;
  peer.awaitsPong = true;
  setDeadline(peer, loop_.now + peer.endpoint->pongTimeout);
}

/// After each read: what the peer holds of a message that is not whole.
void ConnectionTable::noteIncomplete(ConnectionImpl& peer) {
  const bool holdsNone = peer.stash == nullptr && peer.codecState == nullptr;
  if (peer.endpoint->carriesMany ||
      (holdsNone && peer.incompleteIndex == ConnectionImpl::kNotIncomplete))
    return;
  std::size_t held = peer.stash == nullptr ? 0 : peer.stash->size();
  if (peer.codecState != nullptr) held += peer.codecState->heldBytes();
  incomplete_.set(peer, held, loop_.now);
  while (incomplete_.totalBytes() > peer.endpoint->incompleteBytesMax) {
    closeIncomplete(incomplete_.worst(loop_.now), CloseCode::TryAgainLater,
                    "too many incomplete messages");
  }
  counters().incompleteBytes.set(incomplete_.totalBytes());
  if (!incomplete_.empty() && !incompleteWatched_) watchIncomplete();
}

void ConnectionTable::watchIncomplete() {
  incompleteWatched_ = !incomplete_.empty();
  if (!incompleteWatched_) return;
  loop_.timers.add(loop_.now + kIncompleteLook, Clock::duration::zero(), [this] {
    incomplete_.forEachLate(loop_.now, [this](ConnectionImpl& peer) {
      closeIncomplete(peer, CloseCode::PolicyViolation, "the message took too long");
    });
    counters().incompleteBytes.set(incomplete_.totalBytes());
    watchIncomplete();
  });
}

/// What it holds is given back at once: nothing is read of it any more.
void ConnectionTable::closeIncomplete(ConnectionImpl& peer, CloseCode code,
                                      std::string_view reason) {
  counters().incompleteClosed.add();
  close(peer, code, reason);
  peer.awaitsCloseFrame = false;
  peer.stash.reset();
  peer.unfed = false;
  peer.codecState.reset();
  incomplete_.set(peer, 0, loop_.now);
}

}  // namespace stormo::net
