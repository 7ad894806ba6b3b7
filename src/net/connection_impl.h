#pragma once

#include <poll.h>
#include <stormo/connection.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/handle_table.h"
#include "net/batch.h"
#include "net/codec/codec.h"
#include "net/endpoint.h"
#include "net/limits/admission_ticket.h"
#include "net/limits/token_bucket.h"
#include "net/output_queue.h"
#include "net/tls/tls_session.h"
#include "sys/address.h"
#include "sys/clock.h"
#include "sys/unique_fd.h"

namespace stormo::net {

class Reactor;

/// A destination with many members, such as a group: in a turn they may all get one batch.
class Fanout {
 public:
  /// The connection is closing: removes it. `membership` is its index in
  /// ConnectionImpl::memberships.
  virtual void drop(ConnectionImpl& connection, std::size_t membership) = 0;
  /// The connection is about to be closed, because it does not drain.
  virtual void onTooSlow(const ConnectionImpl& connection) = 0;

 protected:
  ~Fanout() = default;
};

struct Membership {
  Fanout* fanout;
  std::uint32_t memberIndex;  ///< The connection's index among the members of the fanout.
};

/// The life of a connection. It only ever moves down this list, but for an upgrade after plain
/// requests of HTTP: then it is in Handshake again.
enum class Phase : std::uint8_t {
  Connecting,     ///< Outgoing; connect(2) has not finished.
  ProxyHeader,    ///< Accepted; the header of the PROXY protocol is not whole. onConnect follows.
  TlsHandshake,   ///< Nothing can be sent yet. onConnect follows.
  Handshake,      ///< The protocol's opening is not done.
  Open,           ///< Messages pass.
  AwaitingClose,  ///< Our close frame is queued, the peer's has not come. Output still leaves.
  Closing,        ///< The rest of the output leaves; then our side is shut down.
  PeerEnded,      ///< The rest of the output leaves; then it is freed: the peer's end was read.
  Lingering,      ///< Our side is shut down; waiting for the peer's end of file.
  Dead,           ///< Freed at the end of this turn.
};

/// Whether the kernel takes a connection's output.
enum class WriteState : std::uint8_t {
  Ready,     ///< Nothing waits: the output of a turn is sent at once.
  Rotating,  ///< The queue waits for its share of a turn.
  Refused,   ///< The queue waits for EPOLLOUT: the kernel's buffer was full.
  Failed,    ///< Nothing more is sent; the connection closes at the end of this turn.
};

/// How much the user knows about a full output: onBufferFull, then onBufferDrain.
enum class FullReport : std::uint8_t { None, Due, Reported };

/// Which of onConnect and onClose were called.
enum class Announced : std::uint8_t { Nothing, Connect, Close };

/// Bytes that were read, and that the codec has not taken yet.
struct Stash {
  std::string bytes;
  std::size_t taken = 0;  ///< The number of bytes at the front that it took meanwhile.

  [[nodiscard]] std::size_t size() const { return bytes.size() - taken; }
  [[nodiscard]] std::span<char> rest() { return std::span(bytes).subspan(taken); }
};

/// What InputThrottle keeps of a connection.
struct InputDebt {
  TokenBucket messages;
  TokenBucket bytes;
};

/// The connections of one user to this process: see Admission::enterUser().
struct UserShare {
  std::string_view name = {};
  std::size_t connections = 0;
  InputDebt debt = {};
};

/// What Input keeps of a connection.
struct InputState {
  bool isPaused = false;          ///< By pauseRecv().
  bool inBacklog = false;         ///< In the queue of those with more to read.
  bool isUnfed = false;           ///< The codec can take more of the stash as it is.
  bool hungUp : 1 = false;        ///< An end, or an error, follows the bytes that can be read.
  bool keepsContext : 1 = false;  ///< Messages refer to earlier ones: the codec keeps a stream.
  bool isThrottled : 1 = false;   ///< It exceeds a rate: see InputThrottle.
  static constexpr std::uint32_t kNotIncomplete = 0xffff'ffff;
  std::uint32_t incompleteIndex = kNotIncomplete;  ///< See IncompleteMessages.
  std::unique_ptr<Stash> stash;                    ///< Null while the codec has taken all.
  std::unique_ptr<InputDebt> debt;                 ///< Null without rates.
  UserShare* user = nullptr;                       ///< Null: it belongs to no user.
  std::uint64_t bytesRead = 0;
  TimePoint lastReceived{};

  /// It is not read now.
  [[nodiscard]] bool isHeld() const { return isPaused || isThrottled; }
};

/// What Output and Sender keep of a connection.
struct OutputState {
  WriteState state = WriteState::Ready;
  FullReport full = FullReport::None;
  bool isDirty : 1 = false;     ///< In the list of those to be flushed on their own.
  bool isExcluded : 1 = false;  ///< Some batch of this turn leaves a stretch out for it.
  bool isArmed : 1 = false;     ///< EPOLLOUT is requested, from a refusal until the queue is empty.
  bool skipsFanout : 1 = false;   ///< Gets nothing of groups, as long as its owner wants.
  bool keepsContext : 1 = false;  ///< Its own messages refer to earlier ones: Codec::encodeNext().
  bool hasJoined : 1 = false;     ///< A group may have sent it something since encodeNext().
  bool isHeldBack : 1 = false;    ///< Some of its output of this turn may be dropped.
  Variant variant = kPlain;       ///< Of its codec's output, that it gets.
  static constexpr std::uint32_t kNotGathered = 0xffff'ffff;
  std::uint32_t firstGathered = kNotGathered;  ///< The head of a chain in Output::gathered_.
  std::unique_ptr<Batch> own;                  ///< This turn's output for it alone; null without.
  std::unique_ptr<OutputQueue> queue;          ///< What was not sent at once; null while Ready.
  std::uint64_t bytesWritten = 0;

  [[nodiscard]] std::uint64_t queuedBytes() const { return queue == nullptr ? 0 : queue->bytes(); }
  /// Those of them that will not be dropped.
  [[nodiscard]] std::uint64_t keptBytes() const {
    return queue == nullptr ? 0 : queue->keptBytes();
  }
  [[nodiscard]] std::uint64_t ownBytes() const { return own == nullptr ? 0 : own->size(); }
};

/// A connection from inside: a Connection that a Reactor serves. The first members are those that a
/// fan-out touches: one cache line.
struct ConnectionImpl final : Connection {
  ConnectionImpl(Handle self, Reactor& owner, UniqueFd socket, const Endpoint& with,
                 const Address& at, Phase begin)
      : fd(std::move(socket)),
        phase(begin),
        id(self),
        endpoint(&with),
        reactor(owner),
        remote(at) {}

  UniqueFd fd;
  Phase phase;
  OutputState out;
  std::vector<Membership> memberships;
  Handle id;
  const Endpoint* endpoint;
  Reactor& reactor;

  InputState in;
  CodecScan scan;
  std::unique_ptr<CodecState> codecState;
  std::unique_ptr<TlsSession> tls;  ///< Null without TLS.
  TimePoint deadline{};             ///< Of connecting, the handshake, the pong or the closing.
  bool awaitsPong = false;          ///< While Open.
  Announced announced = Announced::Nothing;
  bool inClosedList = false;
  bool ignoresForwarded : 1 = false;  ///< Its proxy has stated that it does not know the client.
  bool isForwarded : 1 = false;       ///< A header of a trusted proxy has stated `remote`.
  AdmissionTicket ticket;
  CloseCode closeCode = CloseCode::Abnormal;
  std::unique_ptr<std::string> closeReason;  ///< The peer's, with its close code. Null: none.
  /// The client's address, also behind a proxy. Stored, as the kernel forgets the peer's when the
  /// connection is reset.
  StoredAddress remote;

  static ConnectionImpl& of(Connection& connection) {
    return static_cast<ConnectionImpl&>(connection);
  }
  static const ConnectionImpl& of(const Connection& connection) {
    return static_cast<const ConnectionImpl&>(connection);
  }

  /// Appends bytes that are encoded already to this turn's output for this connection alone,
  /// whatever waits already. The connection must be usable.
  void append(std::string_view encoded);

  /// Messages may be sent, now or when the handshake is done.
  [[nodiscard]] bool isUsable() const { return phase < Phase::AwaitingClose; }
  /// The user knows the connection, and may use it.
  [[nodiscard]] bool isShown() const { return isUsable() && announced == Announced::Connect; }
  /// The codec gets what arrives. Later it is read and dropped, so that closing resets nothing.
  [[nodiscard]] bool takesInput() const { return phase <= Phase::AwaitingClose; }
  /// No messages any more, but output still leaves.
  [[nodiscard]] bool isClosing() const {
    return phase >= Phase::AwaitingClose && phase < Phase::Lingering;
  }
  [[nodiscard]] std::uint64_t queuedBytes() const { return out.queuedBytes(); }

  /// True if bytes, or an end, wait to be read. The loop may have been blocked, or may have more
  /// events than it takes in a turn: check this before a time-out is held against the peer.
  [[nodiscard]] bool hasUnreadInput() const { return in.inBacklog || isReadyFor(POLLIN); }
  /// Asks the system, with poll(2), whether the socket is ready for this event.
  [[nodiscard]] bool isReadyFor(short event) const {
    pollfd socket{.fd = fd.get(), .events = event, .revents = 0};
    return ::poll(&socket, 1, 0) > 0;
  }
};

}  // namespace stormo::net
