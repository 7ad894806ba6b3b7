#pragma once

#include <stormo/close_code.h>
#include <stormo/connection_id.h>
#include <stormo/message.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace stormo {

enum class [[nodiscard]] SendStatus{
    Queued,  ///< The message is sent in this turn; what the kernel does not accept stays queued.
    Full,    ///< Nothing was queued: maxSendBufferSize bytes are waiting. onBufferDrain follows.
    Closed,  ///< Nothing was queued: the connection is closing or closed.
};

/// One accepted or outgoing socket. Owned by its worker process, and used only on the thread of
/// that process's loop. A Connection& passed to a handler is valid until the handler returns. To
/// reach the peer later, keep id() and call Worker::find(), which returns null once the connection
/// is closing.
class Connection {
 public:
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  [[nodiscard]] ConnectionId id() const;

  /// Messages pass: the protocol's opening is done, and the connection is not closing. Never true
  /// of a connection of HTTP.
  [[nodiscard]] bool isOpen() const;

  /// Queues one message for this turn's flush, copying it. Never blocks, never calls a handler.
  /// What a custom Protocol's encode() throws is thrown.
  SendStatus send(Message message);

  /// Flushes the queued messages, sends the protocol's closing handshake (WebSocket: `code`, and
  /// `reason` in UTF-8, which is cut at 123 bytes), then closes. The connection leaves its groups
  /// at once. Idempotent. onClose is called exactly once, at the end of this turn, never inside
  /// this call.
  void close(CloseCode code = CloseCode::Normal, std::string_view reason = {});

  /// Closes at once and discards queued messages. onClose is called as with close().
  void destroy();

  /// Stops reading from the socket and calling onMessage: TCP then slows the peer down. Idempotent.
  /// The end of the connection is not noticed before resumeRecv().
  void pauseRecv();
  void resumeRecv();

  /// The address of the client: "203.0.113.7:51234", "[::1]:51234", "unix://". Known until onClose
  /// has returned, also after a reset. An IPv4 client of a dual-stack socket has its IPv4 address.
  /// Behind a trusted proxy it is what the proxy states, with port 0 if it states no port: see
  /// ProxyOptions.
  [[nodiscard]] std::string remoteAddress() const;
  [[nodiscard]] std::string remoteIp() const;
  [[nodiscard]] std::uint16_t remotePort() const;
  [[nodiscard]] std::string localAddress() const;
  /// The address of the other end of the socket: behind a proxy that of the proxy. Asks the system;
  /// empty once the connection has failed.
  [[nodiscard]] std::string peerAddress() const;

  [[nodiscard]] std::uint64_t bytesRead() const;
  [[nodiscard]] std::uint64_t bytesWritten() const;
  /// Bytes that wait for the kernel.
  [[nodiscard]] std::uint64_t sendQueueBytes() const;

  /// The reason for the end of the connection, for onClose. WebSocket: the code of the side that
  /// closed first; Abnormal (1006) if the socket ended without a closing handshake. Other
  /// protocols: Normal after close(), else Abnormal.
  [[nodiscard]] CloseCode closeCode() const;
  /// The text next to the peer's close code, for onClose: UTF-8, at most 123 bytes. Empty if the
  /// peer sent none, if this side closed first, and for protocols other than WebSocket. Valid as
  /// long as the connection.
  [[nodiscard]] std::string_view closeReason() const;

  /// The program's own state of type T for this connection: made by default construction at the
  /// first call, destroyed with the connection, after onClose. A connection has one object of each
  /// type. Valid as long as the connection.
  template <typename T>
  T& state() {
    if (T* known = stateOrNull<T>()) return *known;
    auto made = std::make_unique<StateOf<T>>();
    T& value = made->value;
    made->next = std::move(states_);
    states_ = std::move(made);
    return value;
  }

  /// The state of that type, or null if state<T>() was not called yet.
  template <typename T>
  T* stateOrNull() {
    for (State* each = states_.get(); each != nullptr; each = each->next.get()) {
      if (each->type == typeKey<T>()) return &static_cast<StateOf<T>*>(each)->value;
    }
    return nullptr;
  }

 protected:
  Connection() = default;
  ~Connection() = default;

 private:
  struct State {
    explicit State(const void* key) : type(key) {}
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    virtual ~State() = default;

    const void* const type;
    std::unique_ptr<State> next;
  };
  template <typename T>
  struct StateOf final : State {
    StateOf() : State(typeKey<T>()) {}
    T value{};
  };
  template <typename T>
  static const void* typeKey() {
    static const char kKey = 0;
    return &kKey;
  }
  std::unique_ptr<State> states_;  // few: a list is fastest
};

}  // namespace stormo
