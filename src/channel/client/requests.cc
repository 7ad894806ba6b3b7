#include "channel/client/requests.h"

#include <stormo/event_loop.h>

#include <system_error>
#include <utility>

#include "sys/log.h"
#include "sys/random_id.h"

namespace stormo::channel {
namespace {

/// What ends a request that gets no reply, by what became of its publish.
Error failureOf(PublishStatus status) {
  const std::errc code = status == PublishStatus::Accepted ? std::errc::timed_out
                         : status == PublishStatus::Full   ? std::errc::no_buffer_space
                                                           : std::errc::message_size;
  return {std::make_error_code(code), "request"};
}

}  // namespace

Requests::~Requests() {
  *self_ = nullptr;
  if (EventLoop::currentOrNull() == nullptr) return;
  for (const auto& [request, pending] : pending_) Timer::cancel(pending.timeout);
  for (const auto& [request, pending] : pendingOfAll_) Timer::cancel(pending.timeout);
}

std::uint64_t Requests::begin() {
  if (replyEvent_.empty()) {
    replyEvent_ = "stormo.reply." + std::to_string(randomId());
    channel_.subscribe(replyEvent_, [this](const Value& reply) { onReply(reply); });
  }
  return ++lastRequest_;
}

void Requests::send(std::string_view event, const Value& data, std::chrono::milliseconds timeout,
                    Channel::ReplyHandler onReply) {
  const std::uint64_t request = begin();
  const PublishStatus status = channel_.publishToOne(
      event, Value::array({{"request", request}, {"reply_to", replyEvent_}, {"data", data}}));
  const bool isSent = status == PublishStatus::Accepted;
  const Error error = failureOf(status);
  const Timer::Id timer = Timer::once(isSent ? timeout : std::chrono::milliseconds(0),
                                      [this, request, error] { end(request, error); });
  pending_.emplace(request, Pending{std::move(onReply), timer});
}

void Requests::sendToAll(std::string_view event, const Value& data,
                         std::chrono::milliseconds timeout, Channel::RepliesHandler onReplies) {
  const std::uint64_t request = begin();
  const auto onReceipt = [this, self = self_, request](const Result<Receipt>& receipt) {
    if (*self == nullptr) return;
    const auto found = pendingOfAll_.find(request);
    if (found == pendingOfAll_.end()) return;
    if (!receipt) return endOfAll(request, receipt.error());
    found->second.expected = receipt.value().receivers;
    endIfComplete(request);
  };
  const PublishStatus status = channel_.publish(
      event, Value::array({{"request", request}, {"reply_to", replyEvent_}, {"data", data}}),
      onReceipt);
  const bool isSent = status == PublishStatus::Accepted;
  PendingOfAll& pending = pendingOfAll_[request];
  pending.onReplies = std::move(onReplies);
  pending.timeout = Timer::once(isSent ? timeout : std::chrono::milliseconds(0),
                                [this, request, isSent, error = failureOf(status)] {
                                  if (!isSent) return endOfAll(request, error);
                                  endOfAll(request, std::move(pendingOfAll_[request].replies));
                                });
}

void Requests::endIfComplete(std::uint64_t request) {
  PendingOfAll& pending = pendingOfAll_[request];
  if (!pending.expected || pending.replies.values.size() < *pending.expected) return;
  pending.replies.isComplete = true;
  endOfAll(request, std::move(pending.replies));
}

void Requests::endOfAll(std::uint64_t request, const Result<Replies>& replies) {
  const auto found = pendingOfAll_.find(request);
  const PendingOfAll pending = std::move(found->second);
  pendingOfAll_.erase(found);
  Timer::cancel(pending.timeout);
  if (pending.onReplies) pending.onReplies(replies);
}

void Requests::onReply(const Value& reply) {
  const auto request = static_cast<std::uint64_t>(reply["request"].asInt());
  if (const auto ofAll = pendingOfAll_.find(request); ofAll != pendingOfAll_.end()) {
    ofAll->second.replies.values.emplace_back(reply["data"]);
    return endIfComplete(request);
  }
  end(request, Value(reply["data"]));
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
