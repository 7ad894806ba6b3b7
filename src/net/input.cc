#include "net/input.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

#include "net/codec/codec_session.h"

namespace stormo::net {
namespace {

// A stash that is short, and shorter than what is read next, is copied to the front of that; any
// other one grows by it. Either way no more is copied than has arrived.
constexpr std::size_t kPrefixBytes = 4 << 10;
constexpr std::size_t kReadBytes = 256 << 10;
constexpr std::size_t kRecordBytes = 16 << 10;  // the longest plaintext of a TLS record

// How much one turn reads. A client with an event gets its share at once: the less, the more were
// read in this turn before it, but enough for a short message. A client with more is put into the
// backlog.
constexpr std::int64_t kShare = 32 << 10;
constexpr std::int64_t kShareMin = 1 << 10;
constexpr std::int64_t kLargestShare = kReadBytes;
constexpr std::int64_t kLinkShare = kReadBytes;
constexpr std::int64_t kTurnWork = 512 << 10;
// The backlog is not served for longer than that: a few bytes may end a message that takes long to
// handle.
constexpr std::chrono::milliseconds kTurnTime{2};
// An attempt that finds nothing costs something, too.
constexpr std::int64_t kAttemptWork = 512;
constexpr std::int64_t kUnlimited = std::numeric_limits<std::int64_t>::max();

constexpr std::chrono::seconds kIncompleteInterval{1};

}  // namespace

void Input::readFresh(ConnectionImpl& connection) {
  if (connection.in.inBacklog) return;  // it keeps its place there
  if (mustWait(connection)) return readLater(connection);
  const bool carriesMany = connection.endpoint->carriesMany;
  const std::int64_t fair = std::clamp((kTurnWork - freshWork_) / 16, kShareMin, kShare);
  const std::int64_t share = carriesMany ? kLinkShare : fair;
  if (read(connection, share)) readLater(connection);
  if (!carriesMany) freshWork_ += share - work_;
}

/// A few bytes may inflate to a long message. When a turn has inflated as much as it should read,
/// the clients that may send more of that get their share from the backlog.
bool Input::mustWait(const ConnectionImpl& connection) const {
  if (inflatedWork_ < kTurnWork || !connection.endpoint->codec->mayInflate()) return false;
  return connection.phase == Phase::Handshake || connection.out.variant != kPlain;
}

void Input::readLater(ConnectionImpl& connection) {
  if (std::exchange(connection.in.inBacklog, true)) return;
  (connection.endpoint->carriesMany ? linkBacklog_ : backlog_).push(connection.id);
  reactor_.loop().requestTurn();
}

void Input::serve(Fifo<Handle>& queue, std::int64_t share) {
  ConnectionImpl* connection = reactor_.connections.at(queue.front());
  queue.pop();
  work_ = share;
  if (connection == nullptr) return;
  connection->in.inBacklog = false;
  if (connection->phase != Phase::Dead && read(*connection, share)) readLater(*connection);
}

void Input::readBacklog() {
  for (std::size_t links = linkBacklog_.size(); links > 0; --links) serve(linkBacklog_, kLinkShare);

  // At least one share, however much the others had.
  std::int64_t left = std::max(kTurnWork - std::exchange(freshWork_, 0), kShare);
  std::size_t held = 0;  // connections in a row for whose messages there is no room
  const TimePoint until = reactor_.loop().readClock() + kTurnTime;
  bool inTime = true;
  while (left > 0 && inTime && held < backlog_.size()) {
    const ConnectionImpl* connection = reactor_.connections.at(backlog_.front());
    if (connection != nullptr && !hasRoom(*connection)) {
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
    inTime = reactor_.loop().readClock() < until;
  }
  inflatedWork_ = 0;
}

bool Input::hasRoom(const ConnectionImpl& connection) {
  // Input of a closing connection is dropped.
  return !connection.isUsable() || !connection.endpoint->hasRoom || connection.endpoint->hasRoom();
}

/// Connections that wait for room do not keep the loop busy: what makes room is an event.
void Input::requestBacklogTurn() {
  if (!linkBacklog_.empty()) return reactor_.loop().requestTurn();
  for (std::size_t left = backlog_.size(); left > 0; --left) {
    const ConnectionImpl* connection = reactor_.connections.at(backlog_.front());
    if (connection == nullptr || hasRoom(*connection)) return reactor_.loop().requestTurn();
    backlog_.push(backlog_.front());
    backlog_.pop();
  }
}

/// Feeds what was read before, then reads until `work` is done. True if there may be more.
bool Input::read(ConnectionImpl& connection, std::int64_t work) {
  InputState& in = connection.in;
  work_ = work;
  if (in.isUnfed && !in.isHeld()) takeStash(connection);
  const InputRates* const rates = connection.endpoint->inputRates;
  const std::size_t bytesMax = rates == nullptr ? kReadBytes : rates->readBytesMax();
  while (!in.isUnfed && !in.isHeld() && connection.phase != Phase::Dead) {
    if (work_ <= 0) return true;
    const auto wanted = std::min(static_cast<std::size_t>(work_), bytesMax);
    const ssize_t count = receive(connection, wanted);
    if (count == 0) return reactor_.connections.onEndOfFile(connection), false;
    if (count < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) reactor_.connections.fail(connection, errno, "recv");
      return false;
    }
    // A short read has emptied the socket, and the next arrival is a new event: unless the end of
    // file, or an error, is there already and waits after these bytes.
    const bool isEmpty = static_cast<std::size_t>(count) < wanted && !in.hungUp;
    if (isEmpty) break;
  }
  return in.isUnfed && !in.isHeld() && connection.phase != Phase::Dead;
}

/// Returns what recv(2) returned; the bytes, if there are some, were taken.
ssize_t Input::receive(ConnectionImpl& connection, std::size_t bytesMax) {
  if (buffer_ == nullptr) buffer_.reset(new char[kPrefixBytes + kReadBytes]);
  char* const buffer = buffer_.get() + kPrefixBytes;
  const ssize_t count = ::recv(connection.fd.get(), buffer, bytesMax, 0);
  if (count <= 0) return count;
  const auto bytes = static_cast<std::size_t>(count);
  connection.in.bytesRead += bytes;
  connection.in.lastReceived = reactor_.loop().now;
  reactor_.counters().bytesIn.add(bytes);
  if (connection.tls == nullptr) {
    take(connection, buffer, bytes);
  } else {
    decrypt(connection, {buffer, bytes});
  }
  if (connection.endpoint->inputRates != nullptr) throttle_.onBytes(connection, bytes);
  noteIncomplete(connection);
  work_ -= count;
  return count;
}

void Input::beginTls(ConnectionImpl& connection) {
  if (connection.tls->isOfClient()) decrypt(connection, {});
}

/// Whatever the connection's share of the turn: what was received is not kept as it came.
void Input::decrypt(ConnectionImpl& connection, std::span<const char> bytes) {
  if (plaintext_ == nullptr) plaintext_.reset(new char[kPrefixBytes + kRecordBytes]);
  char* const plaintext = plaintext_.get() + kPrefixBytes;
  TlsSession& tls = *connection.tls;
  tls.receive(bytes);
  while (connection.phase != Phase::Dead) {
    SharedBuffer output;
    const auto [what, count] = tls.read({plaintext, kRecordBytes}, output);
    if (!output.empty()) reactor_.sender.sendRaw(connection, output);
    if (connection.phase == Phase::TlsHandshake && tls.isEstablished()) {
      reactor_.connections.beginHandshake(connection);
    }
    switch (what) {
      case TlsSession::Read::Plaintext:
        take(connection, plaintext, count);
        break;
      case TlsSession::Read::MoreNeeded:
        return;
      case TlsSession::Read::Closed:
        return reactor_.connections.onEndOfFile(connection);
      case TlsSession::Read::Failed:
        return reactor_.connections.onTlsFailed(connection);
    }
  }
}

void Input::readRest(ConnectionImpl& connection) {
  throttle_.forget(connection);
  connection.in.isPaused = false;
  work_ = kUnlimited;
  if (connection.in.isUnfed) takeStash(connection);
  while (connection.isUsable()) {
    const ssize_t count = receive(connection, kReadBytes);
    if (count == 0 || (count < 0 && errno != EINTR)) return;
  }
}

void Input::take(ConnectionImpl& connection, char* bytes, std::size_t count) {
  if (!connection.takesInput()) return;
  auto stash = std::move(connection.in.stash);
  if (stash == nullptr) {
    const std::size_t taken = feed(connection, {bytes, count});
    if (taken == count) return;
    stash = std::make_unique<Stash>(Stash{std::string(bytes + taken, count - taken)});
  } else if (stash->size() <= std::min(kPrefixBytes, count)) {
    char* const front = bytes - stash->size();
    const std::size_t whole = stash->size() + count;
    std::memcpy(front, stash->rest().data(), stash->size());
    const std::size_t taken = feed(connection, {front, whole});
    if (taken == whole) return;
    stash->bytes.assign(front + taken, whole - taken);
    stash->taken = 0;
  } else {
    stash->bytes.erase(0, std::exchange(stash->taken, 0));
    stash->bytes.append(bytes, count);
    stash->taken = feed(connection, stash->rest());
  }
  keepStash(connection, std::move(stash));
}

/// Without any new bytes: it was paused, or its share of a turn was spent.
void Input::takeStash(ConnectionImpl& connection) {
  auto stash = std::move(connection.in.stash);
  stash->taken += feed(connection, stash->rest());
  keepStash(connection, std::move(stash));
  noteIncomplete(connection);
}

void Input::keepStash(ConnectionImpl& connection, std::unique_ptr<Stash> stash) {
  if (stash->size() == 0 && connection.in.stash != nullptr) return;  // of the first TLS record
  connection.in.isUnfed = stash->size() > 0 && (connection.in.isHeld() || work_ <= 0);
  if (stash->size() > 0) connection.in.stash = std::move(stash);
}

std::size_t Input::feed(ConnectionImpl& connection, std::span<char> bytes) {
  std::size_t taken = 0;
  if (connection.phase == Phase::ProxyHeader) {
    taken =
        connection.reactor.connections.receiveProxyHeader(connection, {bytes.data(), bytes.size()});
    if (connection.phase == Phase::TlsHandshake) {
      decrypt(connection, bytes.subspan(taken));
      return bytes.size();
    }
    const bool isAll = taken == bytes.size() || connection.phase == Phase::ProxyHeader;
    if (isAll || connection.in.isHeld() || !connection.takesInput()) return taken;
  }
  CodecSession session(connection);
  taken += connection.endpoint->codec->receive(session, bytes.subspan(taken));
  return connection.takesInput() ? taken : bytes.size();
}

bool Input::countMessage(ConnectionImpl& connection) {
  if (!connection.isUsable()) return false;
  reactor_.counters().messagesIn.add();
  if (connection.endpoint->inputRates != nullptr && !throttle_.onMessage(connection)) return false;
  incomplete_.restart(connection, reactor_.loop().now);
  return true;
}

void Input::deliver(ConnectionImpl& connection, Message message) {
  if (!countMessage(connection)) return;
  reactor_.connections.call(connection, connection.endpoint->handlers.onMessage, message);
}

void Input::pause(ConnectionImpl& connection) {
  if (connection.isUsable()) connection.in.isPaused = true;
}

void Input::resume(ConnectionImpl& connection) {
  if (!connection.in.isPaused) return;
  connection.in.isPaused = false;
  readAfterHolding(connection);
}

void Input::endThrottle(ConnectionImpl& connection) {
  connection.in.isThrottled = false;
  readAfterHolding(connection);
}

void Input::endHolding(ConnectionImpl& connection) {
  throttle_.forget(connection);
  resume(connection);
}

void Input::readAfterHolding(ConnectionImpl& connection) {
  if (connection.in.isHeld() || connection.phase == Phase::Dead) return;
  connection.in.lastReceived = reactor_.loop().now;  // it was not read, so it was not silent
  readLater(connection);
}

void Input::forget(ConnectionImpl& connection) {
  throttle_.forget(connection);
  forgetIncomplete(connection);
}

void Input::forgetIncomplete(ConnectionImpl& connection) {
  incomplete_.set(connection, 0, reactor_.loop().now);
}

/// After each read: updates how much the connection holds of a message that is not whole.
void Input::noteIncomplete(ConnectionImpl& connection) {
  const Stash* stash = connection.in.stash.get();
  const CodecState* state = connection.codecState.get();
  const bool holdsNone = stash == nullptr && state == nullptr;
  const bool isKnown = connection.in.incompleteIndex != InputState::kNotIncomplete;
  if (connection.endpoint->carriesMany || (holdsNone && !isKnown)) return;
  std::size_t held = stash == nullptr ? 0 : stash->size();
  if (state != nullptr) held += state->heldBytes();
  const TimePoint now = reactor_.loop().now;
  incomplete_.set(connection, held, now);
  while (incomplete_.totalBytes() > connection.endpoint->incompleteBytesMax) {
    closeIncomplete(incomplete_.worst(now), CloseCode::TryAgainLater,
                    "too many incomplete messages");
  }
  reactor_.counters().incompleteBytes.set(incomplete_.totalBytes());
  if (!incomplete_.empty() && !watchesIncomplete_) watchIncomplete();
}

void Input::watchIncomplete() {
  watchesIncomplete_ = !incomplete_.empty();
  if (!watchesIncomplete_) return;
  LoopImpl& loop = reactor_.loop();
  loop.timers.add(loop.now + kIncompleteInterval, Clock::duration::zero(), [this] {
    incomplete_.forEachLate(reactor_.loop().now, [this](ConnectionImpl& connection) {
      closeIncomplete(connection, CloseCode::PolicyViolation, "the message took too long");
    });
    reactor_.counters().incompleteBytes.set(incomplete_.totalBytes());
    watchIncomplete();
  });
}

/// Gives back at once what it holds: it is not read any more.
void Input::closeIncomplete(ConnectionImpl& connection, CloseCode code, std::string_view reason) {
  reactor_.counters().incompleteClosed.add();
  reactor_.connections.closeWithoutAnswer(connection, code, reason);
  connection.in.stash.reset();
  connection.in.isUnfed = false;
  connection.codecState.reset();
  forgetIncomplete(connection);
}

}  // namespace stormo::net
