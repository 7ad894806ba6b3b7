#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/keyed_hash.h"
#include "channel/client/link_bus.h"
#include "protocol/channel/workerman_command.h"

namespace stormo::channel {

/// A bus in Workerman's dialect, to a Channel server of either make. It has no groups: their
/// messages are the event BusOptions::groupEvent, which every process receives, and which is
/// subscribed while any group is.
class WorkermanBus final : public LinkBus {
 public:
  WorkermanBus(SocketUrl url, const BusOptions& options) : LinkBus(std::move(url), options) {}

  void subscribeGroup(std::string_view name) override;
  void unsubscribeGroup(std::string_view name) override;
  PublishStatus publishToGroup(std::string_view name, Message message, SendId send) override;
  void requestHistory(std::string_view group, Position since, HistoryHandler handler) override;
  [[nodiscard]] Position position() const override { return {}; }
  // That server acknowledges nothing.
  [[nodiscard]] std::uint64_t accepted() const override { return accepted_; }
  [[nodiscard]] std::uint64_t acknowledged() const override { return accepted_; }
  [[nodiscard]] std::size_t frameBytesMax() const override { return options().frameBytesMax; }
  [[nodiscard]] std::size_t unacknowledgedBytes() const override;
  PublishStatus publish(const Names& events, const Value& data, bool loop) override;
  PublishStatus enqueue(const Names& queues, const Value& data) override;

 private:
  void onLinkMade() override { becomeUp(); }
  void onPayload(std::string_view payload) override;
  void writeSubscribe(const Names& events, std::string& out) override;
  void writeUnsubscribe(const Names& events, std::string& out) override;
  void writeWatch(const Names& queues, std::string& out) override;
  void writeUnwatch(const Names& queues, std::string& out) override;
  void writeReserve(std::string& out) override;
  void writePing(std::string& out) override;
  void writeSubscriptions(std::string& out) override;
  void sendKept() override;
  void onLinkLost() override;
  [[nodiscard]] std::string_view dialect() const override { return "workerman"; }
  [[nodiscard]] bool expectsPong() const override { return false; }

  void write(CommandType type, const Names& names, std::string_view data, std::string& out);
  void write(CommandType type, std::span<const std::string_view> names, std::string_view data,
             std::string& out);
  void writeGroups(std::string& out);
  PublishStatus publish(CommandType type, const Names& names, const Value& data);
  /// At most once: what was sent on a link that breaks is lost. Refuses what is too long, as the
  /// server would cut the link at it.
  PublishStatus sendOrKeep(std::string_view frame);
  /// The event of groups is subscribed for the user's sake, too.
  [[nodiscard]] bool isGroupEventSubscribed() const { return isSubscribed(options().groupEvent); }

  KeyedSet<std::string> groups_;
  std::uint64_t accepted_ = 0;
  std::string kept_;  // whole frames, while there is no link
  std::vector<std::string_view> names_;
  WorkermanCommand command_;
  std::string frame_;
  std::string data_;
  std::string text_;
};

}  // namespace stormo::channel
