#pragma once

#include <stormo/event_loop.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "channel/cluster/stream.h"
#include "channel/nats/nats_library.h"

namespace stormo::channel {

/// What a NatsThread, or a thread of libnats, reports to the loop.
struct NatsEvent {
  enum class Kind : std::uint8_t {
    Connected,     ///< With `info`. The events of this link follow.
    Disconnected,  ///< `text` is the reason.
    Refused,       ///< `text` is the reason.
    Data,          ///< `message` is for `reader`: of the stream, or about it.
    ReadFailed,    ///< `text` is why `reader` gets nothing.
    Question,      ///< `message`
    Answer,        ///< `message`
  };
  Kind kind = Kind::Data;
  std::uint64_t link = 0;  ///< Number of the connection. 0: there is none.
  std::uint64_t reader = 0;
  StreamInfo info = {};
  NatsMessage message = {};
  std::size_t messageBytes = 0;
  std::string text = {};
};

/// Hands events from any thread to the loop, in order, without a copy of messages. It has no bound
/// of its own: JetStream sends no more messages of the stream than the loop has asked for.
class NatsMailbox : public std::enable_shared_from_this<NatsMailbox> {
 public:
  using Handler = std::function<void(NatsEvent&)>;

  /// `handler` runs on the loop's thread.
  NatsMailbox(EventLoop::Handle loop, Handler handler)
      : loop_(std::move(loop)), handler_(std::move(handler)) {}

  /// Any thread. Drops the event once the mailbox is closed.
  void push(NatsEvent event);

  // On the loop's thread:

  /// False while there are events that the handler has not got.
  [[nodiscard]] bool isEmpty();
  /// The handler is not called any more. The handler may call this.
  void close();

 private:
  void handleSome();
  void postLocked();

  const EventLoop::Handle loop_;
  const Handler handler_;
  std::mutex mutex_;
  std::vector<NatsEvent> arrived_;  // protected by the mutex, as the next two
  bool isPosted_ = false;           // handleSome() will run
  bool isClosed_ = false;
  std::vector<NatsEvent> taken_;  // of the loop's thread, as the next one
  std::size_t handled_ = 0;       // of taken_
};

}  // namespace stormo::channel
