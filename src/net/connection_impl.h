#pragma once

#include <poll.h>
#include <stormo/connection.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/handle_table.h"
#include "net/batch.h"
#include "net/codec.h"
#include "net/endpoint.h"
#include "net/output_queue.h"
#include "sys/address.h"
#include "sys/clock.h"
#include "sys/unique_fd.h"

namespace stormo::net {

class ConnectionTable;

/// A destination of many members, as the table sees it: what is a group above. The members of one
/// source may get a batch in a turn; whoever closes must be taken out.
class Fanout {
 public:
  /// The peer is closing: forget it. `membership` is its place in ConnectionImpl::memberships.
  virtual void drop(ConnectionImpl& peer, std::size_t membership) = 0;

 protected:
  ~Fanout() = default;
};

struct Membership {
  Fanout* fanout;
  std::uint32_t memberIndex;  ///< The peer's place among the fanout's members.
};

/// Bytes that were read and not taken by the codec yet.
struct Stash {
  std::string bytes;
  std::size_t taken = 0;  ///< Of them, from the front.

  [[nodiscard]] std::size_t size() const { return bytes.size() - taken; }
  [[nodiscard]] std::span<char> rest() { return std::span(bytes).subspan(taken); }
};

enum class Phase : std::uint8_t {
  Connecting,  ///< PersistentConnection, not there yet.
  Handshake,   ///< The protocol's opening is not done.
  Open,
  Closing,    ///< No messages any more; the rest of the output, and the goodbye, leaves.
  Lingering,  ///< All has left and our side is shut; waiting for the peer's end of file.
  Dead,       ///< To be freed at the end of this turn.
};

/// A connection from inside. The first members are what a fan-out touches: one cache line.
struct ConnectionImpl final : Connection {
  ConnectionImpl(Handle self, ConnectionTable& owner, UniqueFd socket, const Endpoint& with,
                 const Address& at, Phase begin)
      : fd(std::move(socket)), phase(begin), id(self), table(owner), endpoint(&with), remote(at) {}

  UniqueFd fd;
  Phase phase;
  bool writeArmed : 1 = false;  ///< EPOLLOUT is asked for.
  bool refused : 1 = false;     ///< The kernel was full; EPOLLOUT has not come since.
  bool inRotation : 1 = false;  ///< In the list of those whose queue is sent in shares.
  bool dirty : 1 = false;       ///< In the list of those to be flushed on their own.
  bool gathering : 1 = false;   ///< In the list of those that get several batches this turn.
  bool excluded : 1 = false;    ///< Some batch of this turn has a hole for it.
  bool receivePaused : 1 = false;
  bool inBacklog : 1 = false;         ///< In the queue of those with more to read.
  bool unfed : 1 = false;             ///< The codec can go on with the stash as it is.
  bool hungUp : 1 = false;            ///< An end, or an error, waits behind what can be read.
  bool fullPending : 1 = false;       ///< onBufferFull is to be called in this turn.
  bool fullReported : 1 = false;      ///< onBufferFull was called, onBufferDrain was not yet.
  bool failed : 1 = false;            ///< In the list of those whose output failed.
  bool awaitsCloseFrame : 1 = false;  ///< Closing: the peer's own goodbye is still to come.
  bool peerEnded : 1 = false;         ///< Its end of file was read.
  bool awaitsPong : 1 = false;
  bool inClosedList : 1 = false;
  bool closeReported : 1 = false;    ///< onClose was called.
  bool connectReported : 1 = false;  ///< onConnect was called, so onClose has to be.
  std::uint32_t firstGathered = 0;   ///< See ConnectionTable::gathered_, while gathering.
  std::unique_ptr<OutputQueue>
      queue;                   ///< Null while all leaves at once; else refused or inRotation.
  std::unique_ptr<Batch> own;  ///< This turn's output for it alone; null without.
  std::vector<Membership> memberships;

  Handle id;
  ConnectionTable& table;
  const Endpoint* endpoint;
  const StoredAddress remote;  ///< Kept, as the kernel forgets it when the connection is reset.
  std::uint64_t bytesWritten = 0;
  std::uint64_t bytesRead = 0;
  std::unique_ptr<CodecState> codecState;
  std::unique_ptr<Stash> stash;
  // For codecs, of the package at the front of the stash, so that no byte is looked at twice:
  std::size_t searchedBytes = 0;  ///< So many bytes have been judged, and do not decide.
  std::size_t expectedBytes = 0;  ///< Its length, once that is known.
  TimePoint lastReceived{};
  TimePoint deadline{};  ///< Of the handshake, the pong or the closing, whichever is on.
  CloseCode closeCode = CloseCode::Abnormal;
  std::unique_ptr<std::string> closeReason;  ///< The peer's, with its close code. Null: none.
  static constexpr std::uint32_t kNotIncomplete = 0xffff'ffff;
  std::uint32_t incompleteIndex = kNotIncomplete;  ///< See IncompleteMessages.

  static ConnectionImpl& of(Connection& connection) {
    return static_cast<ConnectionImpl&>(connection);
  }
  static const ConnectionImpl& of(const Connection& connection) {
    return static_cast<const ConnectionImpl&>(connection);
  }

  /// True if bytes, or an end, wait to be read. The loop may have been blocked, or may have more
  /// events than it takes in a turn: a time-out asks this before it blames the peer.
  [[nodiscard]] bool hasUnreadInput() const { return inBacklog || isReadyFor(POLLIN); }
  /// Asks the system, with poll(2), whether this event waits.
  [[nodiscard]] bool isReadyFor(short event) const {
    pollfd socket{.fd = fd.get(), .events = event, .revents = 0};
    return ::poll(&socket, 1, 0) > 0;
  }

  [[nodiscard]] bool isUsable() const { return phase < Phase::Closing; }
  [[nodiscard]] std::uint64_t queuedBytes() const { return queue == nullptr ? 0 : queue->bytes(); }
};

}  // namespace stormo::net
