#pragma once

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/name_hash.h"
#include "channel/link_bus.h"
#include "protocol/channel_codec.h"

namespace stormo::channel {

/// A bus in Stormo's dialect.
class StormoBus final : public LinkBus {
 public:
  StormoBus(SocketUrl url, const BusOptions& options);

  void subscribeGroup(std::string_view name) override;
  void unsubscribeGroup(std::string_view name) override;
  PublishStatus publishToGroup(std::string_view name, Message message) override;
  PublishStatus publish(const Names& events, const Value& data, bool loop) override;
  PublishStatus enqueue(const Names& queues, const Value& data) override;

 private:
  void onLinkMade() override;
  void onPayload(std::string_view payload) override;
  void saySubscribe(const Names& events, std::string& out) override;
  void sayUnsubscribe(const Names& events, std::string& out) override;
  void sayWatch(const Names& queues, std::string& out) override;
  void sayUnwatch(const Names& queues, std::string& out) override;
  void sayReserve(std::string& out) override { appendReserve(out); }
  void sayPing(std::string& out) override { appendPing(out); }
  void sayGroups(std::string& out) override;
  [[nodiscard]] bool expectsPong() const override { return true; }

  void onEventPacket(const Packet& packet);
  void refused(std::string_view reason);
  template <typename MakeHeader>
  PublishStatus publishFrames(const Names& names, const Value& data, const MakeHeader& headerFor);

  const std::uint64_t publisherId_;
  std::uint64_t sequence_ = 0;
  bool refusalReported_ = false;
  std::unordered_set<std::string, NameHash, std::equal_to<>> groups_;
  std::string frames_;
  std::string data_;
};

}  // namespace stormo::channel
