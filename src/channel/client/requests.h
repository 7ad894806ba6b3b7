#pragma once

#include <stormo/channel.h>
#include <stormo/timer.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/keyed_hash.h"

namespace stormo::channel {

/// Requests and replies of one Channel, over its events. A request is an event for one subscriber,
/// {request, reply_to, data}; its reply is the event `reply_to`, {request, data}. So a PHP process
/// can take part.
class Requests {
 public:
  explicit Requests(Channel& channel) : channel_(channel) {}
  ~Requests();
  Requests(const Requests&) = delete;
  Requests& operator=(const Requests&) = delete;

  /// See Channel::request().
  void send(std::string_view event, const Value& data, std::chrono::milliseconds timeout,
            Channel::ReplyHandler onReply);
  /// See Channel::requestAll().
  void sendToAll(std::string_view event, const Value& data, std::chrono::milliseconds timeout,
                 Channel::RepliesHandler onReplies);
  /// See Channel::respond().
  void respond(std::string_view event,
               std::function<void(const Value& data, const Channel::Responder& reply)> handler);

 private:
  struct Pending {
    Channel::ReplyHandler onReply;
    Timer::Id timeout;
  };
  struct PendingOfAll {
    Channel::RepliesHandler onReplies;
    Timer::Id timeout = 0;
    Replies replies = {};
    std::optional<std::uint64_t> expected = {};  ///< Nothing: the Channel has not stated it.
  };

  /// The number of a new request, whose replies will be received.
  std::uint64_t begin();
  void onReply(const Value& reply);
  void end(std::uint64_t request, const Result<Value>& reply);
  /// All replies have come, if they have.
  void endIfComplete(std::uint64_t request);
  void endOfAll(std::uint64_t request, const Result<Replies>& replies);

  Channel& channel_;
  std::string replyEvent_;  // unique to this object; empty until the first request
  std::uint64_t lastRequest_ = 0;
  KeyedMap<std::uint64_t, Pending> pending_;
  KeyedMap<std::uint64_t, PendingOfAll> pendingOfAll_;
  /// For responders, which may outlive this.
  std::shared_ptr<Channel*> self_ = std::make_shared<Channel*>(&channel_);
};

}  // namespace stormo::channel
