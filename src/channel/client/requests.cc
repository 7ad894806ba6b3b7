#include "channel/client/requests.h"

#include <stormo/event_loop.h>

#include <system_error>
#include <utility>

#include "sys/log.h"
#include "sys/random_id.h"

namespace stormo::channel {
namespace {

Error failure(std::errc code) { return {std::make_error_code(code), "request"}; }

}  // namespace

Requests::~Requests() {
  *self_ = nullptr;
  if (EventLoop::currentOrNull() == nullptr) return;
  for (const auto& [request, pending] : pending_) Timer::cancel(pending.timeout);
}

void Requests::send(std::string_view event, const Value& data, std::chrono::milliseconds timeout,
                    Channel::ReplyHandler onReply) {
  if (replyEvent_.empty()) {
    replyEvent_ = "stormo.reply." + std::to_string(randomId());
    channel_.subscribe(replyEvent_, [this](const Value& reply) { this->onReply(reply); });
  }
  const std::uint64_t request = ++lastRequest_;
  const PublishStatus status = channel_.publishToOne(
      event, Value::array({{"request", request}, {"reply_to", replyEvent_}, {"data", data}}));
  const bool isSent = status == PublishStatus::Accepted;
  const Error error = failure(isSent                          ? std::errc::timed_out
                              : status == PublishStatus::Full ? std::errc::no_buffer_space
                                                              : std::errc::message_size);
  const Timer::Id timer = Timer::once(isSent ? timeout : std::chrono::milliseconds(0),
                                      [this, request, error] { end(request, error); });
  pending_.emplace(request, Pending{std::move(onReply), timer});
}

void Requests::onReply(const Value& reply) {
  end(static_cast<std::uint64_t>(reply["request"].asInt()), Value(reply["data"]));
}

void Requests::end(std::uint64_t request, const Result<Value>& reply) {
  const auto found = pending_.find(request);
  if (found == pending_.end()) return;  // a reply after its timeout
  const Pending pending = std::move(found->second);
  pending_.erase(found);
  Timer::cancel(pending.timeout);
  if (pending.onReply) pending.onReply(reply);
}

void Requests::respond(
    std::string_view event,
    std::function<void(const Value& data, const Channel::Responder& reply)> handler) {
  channel_.subscribe(event, [handler = std::move(handler), self = self_](const Value& asked) {
    const std::string replyTo(asked["reply_to"].asString());
    if (replyTo.empty()) return;  // an event that is no request
    handler(asked["data"], [self, replyTo, request = Value(asked["request"])](const Value& reply) {
      if (*self == nullptr) return;
      const Value answer = Value::array({{"request", request}, {"data", reply}});
      if ((*self)->publish(replyTo, answer) == PublishStatus::Accepted) return;
      log::warning("a reply was dropped: the Channel does not accept it event=\"{}\"", replyTo);
    });
  });
}

}  // namespace stormo::channel
