#pragma once

#include <stormo/channel.h>
#include <stormo/timer.h>

#include <chrono>
#include <cstdint>
#include <memory>
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
  /// See Channel::respond().
  void respond(std::string_view event,
               std::function<void(const Value& data, const Channel::Responder& reply)> handler);

 private:
  struct Pending {
    Channel::ReplyHandler onReply;
    Timer::Id timeout;
  };

  void onReply(const Value& reply);
  void end(std::uint64_t request, const Result<Value>& reply);

  Channel& channel_;
  std::string replyEvent_;  // unique to this object; empty until the first request
  std::uint64_t lastRequest_ = 0;
  KeyedMap<std::uint64_t, Pending> pending_;
  /// For responders, which may outlive this.
  std::shared_ptr<Channel*> self_ = std::make_shared<Channel*>(&channel_);
};

}  // namespace stormo::channel
