// The client's part of histories in Stormo's dialect.
#include <algorithm>
#include <chrono>
#include <utility>

#include "channel/client/client_link.h"
#include "channel/client/stormo_dialect.h"
#include "protocol/package/frame.h"

namespace stormo::channel {
namespace {

using namespace std::chrono_literals;

// In flight: a reply may be as long as a group's history.
constexpr std::size_t kHistoryRequestsSentMax = 16;
constexpr EventLoop::Duration kAheadPause = 100ms;
constexpr EventLoop::Duration kAheadMax = 5s;

}  // namespace

void StormoDialect::requestHistory(std::string_view group, Position since,
                                   Channel::HistoryHandler handler) {
  historyRequests_.push_back(
      {.group = std::string(group), .since = since, .handler = std::move(handler)});
  if (link().isConnected()) sendHistoryRequests();
}

void StormoDialect::sendHistoryRequests() {
  frames_.clear();
  while (historyRequestsSent_ < std::min(historyRequests_.size(), kHistoryRequestsSentMax)) {
    const HistoryRequest& next = historyRequests_[historyRequestsSent_++];
    encode({.kind = Kind::HistoryRequest,
            .space = Space::Groups,
            .epoch = next.since.epoch,
            .offset = next.since.offset,
            .channel = next.group},
           frames_);
  }
  link().send(frames_);
}

void StormoDialect::onHistoryReply(const Packet& packet) {
  if (historyRequestsSent_ == 0 || packet.channel != historyRequests_.front().group ||
      packet.epoch != cursor_.epoch()) {
    return link().violation("a HistoryReply that nobody asked for");
  }
  HistoryReply reply;
  reply.position = {packet.epoch, packet.offset};
  reply.isWhole = packet.whole;
  for (std::string_view rest = packet.payload; !rest.empty();) {
    const PackageLength length = frameLength(rest, kFramePayloadBytesMax);
    Packet event;
    if (length.verdict != PackageLength::Verdict::Complete ||
        decode(framePayload(rest.substr(0, length.bytes)), event) != Decode::Ok ||
        event.kind != Kind::Event || event.channel != packet.channel) {
      return link().violation("a HistoryReply of what are no events");
    }
    reply.messages.push_back(groupMessage(event));
    rest.remove_prefix(length.bytes);
  }
  cursor_.skipTo(packet.offset);  // what was to come up to there has come before
  HistoryRequest request = std::move(historyRequests_.front());
  historyRequests_.pop_front();
  --historyRequestsSent_;
  sendHistoryRequests();
  if (packet.ahead && asksAgain(request)) return;
  link().call("requestHistory", request.handler, reply);
}

// The client comes from a node that is ahead of this one. One that cannot read what it is behind in
// is waited for; then the position may be one that no node has given.
bool StormoDialect::asksAgain(HistoryRequest& request) {
  const EventLoop::TimePoint now = EventLoop::current().now();
  const bool isFirst = request.until == EventLoop::TimePoint{};
  if (isFirst || link().isBlocked()) request.until = now + kAheadMax;
  if (now >= request.until) return false;
  aheadRequests_.push_back(std::move(request));
  if (askAgain_ != 0) return true;
  askAgain_ = Timer::once(kAheadPause, [this] {
    askAgain_ = 0;
    for (HistoryRequest& each : std::exchange(aheadRequests_, {})) {
      historyRequests_.push_back(std::move(each));
    }
    if (link().isConnected()) sendHistoryRequests();
  });
  return true;
}

}  // namespace stormo::channel
