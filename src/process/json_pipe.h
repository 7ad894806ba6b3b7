#pragma once

#include <stormo/event_loop.h>

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "process/json_fwd.h"
#include "sys/unique_fd.h"

namespace stormo::process {

/// One end of the pipe between a master and a child: JSON objects as packets over a SOCK_SEQPACKET
/// pair, in order. Never blocks.
class JsonPipe {
 public:
  /// Maximum length of a packet. A longer one is dropped and logged as an error.
  static constexpr std::size_t kPacketBytesMax = 128 << 10;

  using OnPacket = std::function<void(const Json&)>;

  /// Two connected ends. Empty, with errno, if the system refuses them.
  static std::optional<std::pair<UniqueFd, UniqueFd>> pair();

  /// `onPacket` and `onEnd` run on the loop, and must not destroy this. `onEnd` is called once,
  /// when the other end is closed.
  JsonPipe(EventLoop& loop, UniqueFd fd, OnPacket onPacket, std::function<void()> onEnd);
  ~JsonPipe();
  JsonPipe(const JsonPipe&) = delete;
  JsonPipe& operator=(const JsonPipe&) = delete;

  /// Queues what the kernel does not accept. No effect once the other end is closed. A copy of
  /// `descriptor` is sent with the packet: the other end gets a descriptor of the same file
  /// (SCM_RIGHTS).
  void send(const Json& packet, const UniqueFd* descriptor = nullptr);
  /// While onPacket runs: the descriptor of that packet. Invalid if it has none.
  UniqueFd takeDescriptor() { return std::move(received_); }
  /// Reads the packets that have arrived, without waiting for the loop's turn.
  void drain();

  /// In a child that inherited this: closes the descriptor, without a change to the loop.
  void abandon() { fd_.reset(); }

 private:
  void onReady(std::uint32_t events);
  struct Packet {
    std::string text;
    UniqueFd descriptor;
  };

  void flush();
  void end();

  EventLoop& loop_;
  UniqueFd fd_;
  OnPacket onPacket_;
  std::function<void()> onEnd_;
  EventLoop::WatchId watch_;
  std::deque<Packet> output_;
  UniqueFd received_;
};

}  // namespace stormo::process
