#pragma once

#include <utility>

#include "net/reactor.h"

namespace stormo::net {

/// What a codec may do with one connection. Made for one call of the codec, whose connection it
/// refers to.
class CodecSession {
 public:
  explicit CodecSession(ConnectionImpl& connection)
      : connection_(connection), reactor_(connection.reactor) {}

  // --- The handshake ---

  [[nodiscard]] bool isInHandshake() const { return connection_.phase == Phase::Handshake; }
  [[nodiscard]] bool isOpen() const { return connection_.phase == Phase::Open; }
  /// The head of a request has arrived. See ConnectionTable::takeForwardedClient().
  [[nodiscard]] bool takeForwardedClient(const HttpRequest& request) {
    return reactor_.connections.takeForwardedClient(connection_, request);
  }
  /// Ends the handshake: messages may pass. What was sent before leaves in this turn.
  void open() { reactor_.connections.open(connection_); }
  /// Of a codec that announcesLater(): calls onConnect.
  void announce() { reactor_.connections.announce(connection_); }
  /// In the handshake: sends these bytes at once. Messages wait.
  void sendNow(std::string_view bytes) { reactor_.output.sendNow(connection_, bytes); }
  /// Puts bytes before all messages that were sent during the handshake.
  void sendFirst(std::string_view bytes) { reactor_.output.sendFirst(connection_, bytes); }
  /// Calls a handler of the user with the connection and these arguments. See
  /// ConnectionTable::call().
  template <typename Handler, typename... Args>
  void call(const Handler& handler, Args&&... args) {
    reactor_.connections.call(connection_, handler, std::forward<Args>(args)...);
  }

  // --- Input ---

  /// Messages may be delivered and sent; not closing.
  [[nodiscard]] bool isUsable() const { return connection_.isUsable(); }
  /// Bytes of the peer still mean something: a closing connection may await its close frame.
  [[nodiscard]] bool takesInput() const { return connection_.takesInput(); }
  [[nodiscard]] bool isPaused() const { return connection_.in.isHeld(); }
  void pause() { reactor_.input.pause(connection_); }
  void resume() { reactor_.input.resume(connection_); }
  /// The codec takes none of these bytes, as it owes the peer an answer first. A few of them are
  /// kept, and reading goes on, so that the end of the connection is seen; the rest stays in the
  /// kernel. True if this call stopped reading: then feedHeldBack() must be told.
  [[nodiscard]] bool holdBack(std::size_t bytes) {
    if (bytes < kHeldBackMax || isPaused()) return false;
    pause();
    return true;
  }
  /// The codec can take what it has held back: it gets it again in a later turn, unless the user
  /// has paused the connection.
  void feedHeldBack(bool hasStoppedReading) {
    connection_.in.isUnfed = connection_.in.stash != nullptr;
    if (isPaused() && !hasStoppedReading) return;
    if (!hasStoppedReading && !connection_.in.isUnfed) return;
    pause();
    resume();
  }
  /// Maximum size of one message, in bytes.
  [[nodiscard]] std::uint64_t messageBytesMax() const {
    return connection_.endpoint->packageBytesMax;
  }
  /// Calls the user's onMessage. The connection may be paused or closing afterwards.
  void deliver(Message message) { reactor_.input.deliver(connection_, message); }
  /// What deliver() does before it calls the user, for codecs that call another handler: counts the
  /// message. False if the connection is closed.
  [[nodiscard]] bool countMessage() { return reactor_.input.countMessage(connection_); }
  /// The input made the codec produce that many bytes, which count as if they had been sent.
  void spend(std::size_t bytes) { reactor_.input.spend(bytes); }
  /// To be called after each frame or package: false if the connection has spent its share of this
  /// turn.
  [[nodiscard]] bool spendOnFrame() { return reactor_.input.spendOnFrame(); }
  /// Runs code that may throw, such as a protocol of the user. See ConnectionTable::guard().
  template <typename Body>
  void guard(const Body& body) {
    reactor_.connections.guard(connection_, body);
  }

  // --- Output ---

  /// For encoders: where the output goes, and its order.
  Batch& batch() { return reactor_.output.ownBatch(connection_); }
  OutputOrder& order() { return reactor_.output.order(); }
  /// The variant of the codec's output that the connection gets.
  [[nodiscard]] Variant variant() const { return connection_.out.variant; }
  /// In the handshake. A group that the connection has joined before sends it what is plain.
  void setVariant(Variant variant) { connection_.out.variant = variant; }
  /// In the handshake: messages of this direction refer to earlier ones.
  void keepInputContext() { connection_.in.keepsContext = true; }
  void keepOutputContext() { connection_.out.keepsContext = true; }
  [[nodiscard]] bool keepsInputContext() const { return connection_.in.keepsContext; }
  /// True if fan-outs may have sent it something since the last call.
  [[nodiscard]] bool takeFanoutMark() {
    const bool isMember = !connection_.memberships.empty();
    const bool wasMember = connection_.out.hasJoined;
    connection_.out.hasJoined = isMember;
    return wasMember || isMember;
  }
  /// True if `extra` bytes more would exceed the connection's limit.
  [[nodiscard]] bool isFull(std::size_t extra) const { return Output::isFull(connection_, extra); }
  /// True if the kernel has not taken all output of earlier turns.
  [[nodiscard]] bool hasQueue() const { return connection_.out.queue != nullptr; }
  /// Bytes that the kernel has taken.
  [[nodiscard]] std::uint64_t bytesWritten() const { return connection_.out.bytesWritten; }
  /// What bytesWritten() will be when all that is queued by now has left.
  [[nodiscard]] std::uint64_t bytesWrittenAtEnd() const {
    const OutputState& out = connection_.out;
    return out.bytesWritten + out.queuedBytes() + out.ownBytes();
  }

  /// After isFull(), if nothing was queued: the user's onBufferFull and onBufferDrain follow.
  void noteFull() { reactor_.output.noteFull(connection_); }

  // --- Deadlines, of a codec that keepsDeadlines(), while the connection is open ---

  void setDeadline(TimePoint deadline) { reactor_.keepalive.moveDeadline(connection_, deadline); }

  // --- Several protocols on one address ---

  /// Another endpoint, with the same settings and another codec, serves the connection from now on.
  /// It leaves its groups, and what was sent to it in this turn is dropped.
  void passOn(const Endpoint& to) { reactor_.connections.passOn(connection_, to); }
  /// The same for a connection that is open, and whose handshake with the other codec begins. What
  /// was sent to it leaves before all that follows.
  void passOnToHandshake(const Endpoint& to) {
    reactor_.connections.passOnToHandshake(connection_, to);
  }

  // --- The end ---

  /// Flushes what is queued, then closes.
  void closeQuietly(CloseCode code) { reactor_.connections.closeQuietly(connection_, code); }

  /// The peer's close frame has come. It is answered, unless it answers ours.
  void onCloseFrame(CloseCode code) { reactor_.connections.onCloseFrame(connection_, code); }
  /// The peer broke the protocol: counted, logged and closed.
  void refuse(CloseCode code, std::string_view reason) {
    reactor_.connections.refuse(connection_, code, reason);
  }
  /// The connection cannot be used: onError is called, and it is closed at once.
  void fail(const Error& error) { reactor_.connections.fail(connection_, error); }
  /// Drops what is queued in this turn and closes, with these bytes as the last.
  void closeWith(CloseCode code, std::string_view lastBytes) {
    reactor_.connections.closeWith(connection_, code, lastBytes);
  }

  // --- The codec's own state of this connection ---

  std::unique_ptr<CodecState>& state() { return connection_.codecState; }
  [[nodiscard]] const std::unique_ptr<CodecState>& state() const { return connection_.codecState; }
  CodecScan& scan() { return connection_.scan; }

  [[nodiscard]] TimePoint now() const { return reactor_.loop().now; }
  Counters& counters() { return reactor_.counters(); }
  /// For sinks that know connections. The codec itself uses the functions above.
  ConnectionImpl& connection() { return connection_; }

 private:
  static constexpr std::size_t kHeldBackMax = 16 << 10;

  ConnectionImpl& connection_;
  Reactor& reactor_;
};

}  // namespace stormo::net
