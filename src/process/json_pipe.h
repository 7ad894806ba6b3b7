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

/// One end of the line between a master and a child: JSON objects as packets over a SOCK_SEQPACKET
/// pair, in order, never blocking.
class JsonPipe {
 public:
  /// A packet may be so long; a longer one is dropped with an error in the log.
  static constexpr std::size_t kPacketBytesMax = 128 << 10;

  using OnPacket = std::function<void(const Json&)>;

  /// Two connected ends; nothing, and errno, if the system has none left.
  static std::optional<std::pair<UniqueFd, UniqueFd>> pair();

  /// `onPacket` and `onEnd` (the other end is gone; called once) run on the loop, and must not
  /// destroy the link.
  JsonPipe(EventLoop& loop, UniqueFd fd, OnPacket onPacket, std::function<void()> onEnd);
  ~JsonPipe();
  JsonPipe(const JsonPipe&) = delete;
  JsonPipe& operator=(const JsonPipe&) = delete;

  /// Queues what the kernel does not take. Void once the other end is gone. `descriptor`: a copy of
  /// it goes with the packet, and the other end gets a descriptor of the same file (SCM_RIGHTS).
  void send(const Json& packet, const UniqueFd* descriptor = nullptr);
  /// While onPacket runs: what came with that packet; invalid if nothing did.
  UniqueFd takeDescriptor() { return std::move(received_); }
  /// Reads what is there already, without waiting for the loop's turn.
  void drain();

  /// In a child that inherited it: closes the descriptor and leaves the loop alone.
  void abandon() { fd_.reset(); }

 private:
  void onReady(std::uint32_t events);
  struct Packet {
    std::string text;
    UniqueFd descriptor;
  };

  void flush();
  /// Reads one packet; gives what recvmsg(2) does.
  ssize_t receive(char* into);
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
