#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/fifo.h"
#include "base/spares.h"
#include "net/connection_impl.h"

namespace stormo::net {

/// Passes output to the kernel: at once where the kernel and the turn allow it, else through the
/// connection's queue, which is sent in shares, in rotation with the queues of the others.
///
/// None of these functions calls a handler or changes a membership, except closeFailed(): fan-outs
/// iterate over their members meanwhile. A connection that fails is put into a list.
class Sender {
 public:
  explicit Sender(Reactor& reactor) : reactor_(reactor) {}

  /// Sends or queues these pieces, after all that waits already. Nothing happens if the connection
  /// has failed.
  void send(ConnectionImpl& connection, std::span<const Piece> pieces);
  /// The same for a connection with a queue, and with pieces that may be dropped: they are held
  /// until the queue before them was sent.
  void hold(ConnectionImpl& connection, std::span<const DroppablePiece> pieces);
  /// The same for bytes that are as the peer receives them: TLS is done.
  void sendRaw(ConnectionImpl& connection, const SharedBuffer& bytes);
  /// Sends the end of a connection's TLS.
  void closeTls(ConnectionImpl& connection);
  /// EPOLLOUT has come: the kernel takes more.
  void onWritable(ConnectionImpl& connection);
  /// Sends from the queues what is left of the bytes of this turn, at least kRotationBytes.
  void serveRotation();
  /// The connection closes at the end of this turn: with onError and this errno, or, if `error` is
  /// zero, because it is too slow: with 1013 where the protocol has close codes.
  void fail(ConnectionImpl& connection, int error);
  /// Closes the connections that have failed. Calls handlers.
  void closeFailed();
  void discardQueue(ConnectionImpl& connection);

  [[nodiscard]] std::size_t spareCount() const { return spareQueues_.size(); }
  /// Frees what was not used since the last call.
  void trim();

 private:
  void sendEncrypted(ConnectionImpl& connection, std::span<const Piece> pieces);
  void sendPlain(ConnectionImpl& connection, std::span<const Piece> pieces);
  [[nodiscard]] bool mayLeaveNow(std::span<const Piece> pieces) const;
  std::size_t sendPieces(ConnectionImpl& connection, std::span<const Piece> pieces);
  void enqueue(ConnectionImpl& connection, std::span<const Piece> pieces, std::size_t taken);
  void holdKept(ConnectionImpl& connection, std::span<const Piece> pieces);
  void endHold(ConnectionImpl& connection, std::uint64_t keptBefore);
  [[nodiscard]] bool mustCut(const ConnectionImpl& connection, std::uint64_t keptBefore) const;
  void release(ConnectionImpl& connection);
  void releaseNotice(ConnectionImpl& connection, const HeldOutput::Entry& mark);
  void closeSlow(ConnectionImpl& connection);
  void waitForTurn(ConnectionImpl& connection);
  void drainQueue(ConnectionImpl& connection, std::size_t bytesMax);
  void onSent(ConnectionImpl& connection, std::size_t bytes);
  void arm(ConnectionImpl& connection, bool armed);

  static constexpr std::int64_t kTurnBytes = 2 << 20;  // about a millisecond of copying

  struct Failed {
    Handle id;
    int error;
  };

  Reactor& reactor_;
  Fifo<Handle> rotation_;                    // in WriteState::Rotating, or freed meanwhile
  std::int64_t turnBytesLeft_ = kTurnBytes;  // that this turn may send
  std::vector<Failed> failed_;
  Spares<OutputQueue> spareQueues_;
  std::string plaintext_;  // of one connection, in one piece
  Batch notice_;           // to one connection
};

}  // namespace stormo::net
