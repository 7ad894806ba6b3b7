#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/fifo.h"
#include "net/connection_impl.h"
#include "net/incomplete_messages.h"
#include "net/limits/input_throttle.h"

namespace stormo::net {

/// Reads connections into one receive buffer and feeds their codecs. Shares a turn fairly: a
/// connection with more to read than its share is put into a backlog, which is served in rotation
/// from what the others leave of the turn.
///
/// Work is counted in bytes; each frame costs kFrameWork bytes in addition, however short it is.
class Input {
 public:
  explicit Input(Reactor& reactor) : reactor_(reactor), throttle_(reactor) {}

  /// The connection has an event: reads it, up to its share. Calls handlers.
  void readFresh(ConnectionImpl& connection);
  /// Serves the backlog, for a bounded number of bytes and a bounded time. Calls handlers.
  void readBacklog();
  /// Keeps the loop from waiting while the backlog can be served.
  void requestBacklogTurn();
  /// A client speaks first in a TLS handshake.
  void beginTls(ConnectionImpl& connection);
  /// Of a connection whose output failed: reads what the peer has sent before its end.
  void readRest(ConnectionImpl& connection);

  /// Stops reading the connection, and feeding its codec.
  void pause(ConnectionImpl& connection);
  void resume(ConnectionImpl& connection);
  /// The InputThrottle holds the connection no longer.
  void endThrottle(ConnectionImpl& connection);
  /// The connection is closing: it is read to its end, whatever has held it.
  void endHolding(ConnectionImpl& connection);

  /// For codecs: one message for the user. The connection may be paused or closing afterwards.
  void deliver(ConnectionImpl& connection, Message message);
  /// For codecs: a message, or a request, is whole. False if the connection is closing, or a limit
  /// has closed it.
  [[nodiscard]] bool countMessage(ConnectionImpl& connection);
  /// For codecs: the connection that is being read caused work for that many bytes more than it has
  /// sent.
  void spend(std::size_t bytes) {
    work_ -= static_cast<std::int64_t>(bytes);
    inflatedWork_ += static_cast<std::int64_t>(bytes);
  }
  /// For codecs, after each frame or package: false if the connection that is being read has spent
  /// its share of this turn.
  [[nodiscard]] bool spendOnFrame() { return (work_ -= kFrameWork) > 0; }

  /// The connection is being freed.
  void forget(ConnectionImpl& connection);
  /// Bytes of messages that are not whole yet, of all connections but links.
  [[nodiscard]] std::size_t incompleteBytes() const { return incomplete_.totalBytes(); }

 private:
  void readLater(ConnectionImpl& connection);
  void readAfterHolding(ConnectionImpl& connection);
  void forgetIncomplete(ConnectionImpl& connection);
  void serve(Fifo<Handle>& queue, std::int64_t share);
  [[nodiscard]] bool mustWait(const ConnectionImpl& connection) const;
  [[nodiscard]] static bool hasRoom(const ConnectionImpl& connection);
  [[nodiscard]] bool read(ConnectionImpl& connection, std::int64_t work);
  ssize_t receive(ConnectionImpl& connection, std::size_t bytesMax);
  void decrypt(ConnectionImpl& connection, std::span<const char> bytes);
  void take(ConnectionImpl& connection, char* bytes, std::size_t count);
  void takeStash(ConnectionImpl& connection);
  void keepStash(ConnectionImpl& connection, std::unique_ptr<Stash> stash);
  [[nodiscard]] std::size_t feed(ConnectionImpl& connection, std::span<char> bytes);

  void noteIncomplete(ConnectionImpl& connection);
  void watchIncomplete();
  void closeIncomplete(ConnectionImpl& connection, CloseCode code, std::string_view reason);

  static constexpr std::int64_t kFrameWork = 512;

  Reactor& reactor_;
  // For all connections; null until the first read, and the first one with TLS.
  std::unique_ptr<char[]> buffer_;
  std::unique_ptr<char[]> plaintext_;
  std::int64_t work_ = 0;          // left to the connection that is being read
  std::int64_t freshWork_ = 0;     // done in this turn for clients with an event
  std::int64_t inflatedWork_ = 0;  // done in this turn for more bytes than were sent
  Fifo<Handle> backlog_;           // in the order in which they get their next share
  Fifo<Handle> linkBacklog_;
  InputThrottle throttle_;
  IncompleteMessages incomplete_;
  bool watchesIncomplete_ = false;  // by a timer
};

}  // namespace stormo::net
