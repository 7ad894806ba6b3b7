#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/keyed_hash.h"
#include "channel/client/client_dialect.h"
#include "protocol/channel/group_event.h"
#include "protocol/channel/workerman_command.h"

namespace stormo::channel {

/// Workerman's dialect, to a Channel server of either make. It has no groups: their
/// messages are the event ChannelOptions::groupEvent, which every process receives, and which is
/// subscribed while any group is.
class WorkermanDialect final : public ClientDialect {
 public:
  explicit WorkermanDialect(ClientLink& link) : ClientDialect(link) {}

  void subscribeGroup(std::string_view name) override;
  void unsubscribeGroup(std::string_view name) override;
  PublishStatus publishToGroup(std::string_view name, Message message, SendId send) override;
  void requestHistory(std::string_view group, Position since,
                      Channel::HistoryHandler handler) override;
  [[nodiscard]] Position position() const override { return {}; }
  // That server acknowledges nothing.
  [[nodiscard]] std::uint64_t accepted() const override { return accepted_; }
  [[nodiscard]] std::uint64_t acknowledged() const override { return accepted_; }
  [[nodiscard]] std::size_t frameBytesMax() const override;
  [[nodiscard]] std::size_t unackedBytes() const override;
  void write(LinkRequest request, const Names& names, std::string& out) override;
  PublishStatus publish(const Names& events, const Value& data, bool toOne) override;
  PublishStatus enqueue(const Names& queues, const Value& data) override;
  /// That server takes a job for done when the next one is reserved: so does a link that takes no
  /// more jobs, and watches nothing.
  void finishJob(std::uint64_t number) override;
  /// To the end of its queue.
  [[nodiscard]] bool giveBackJob(std::uint64_t number, std::string_view queue,
                                 const Value& data) override;

 private:
  void onConnection() override;
  void onFrame(std::string_view payload) override;
  void writeSubscriptions(std::string& out) override;
  void sendKept() override;
  void onLost() override;
  [[nodiscard]] std::string_view name() const override { return "workerman"; }
  [[nodiscard]] bool expectsPong() const override { return false; }

  void write(CommandType type, const Names& names, std::string_view data, std::string& out);
  void writeGroups(std::string& out);
  PublishStatus publish(CommandType type, const Names& names, const Value& data);
  /// At most once: what was sent on a link that breaks is lost. Refuses what is too long, as the
  /// server would cut the link at it.
  PublishStatus sendOrKeep(std::string_view frame);
  /// The event of groups is subscribed for the user's sake, too.
  [[nodiscard]] bool isGroupEventSubscribed() const;

  KeyedSet<std::string> groups_;
  std::uint64_t accepted_ = 0;
  std::string kept_;  // whole frames, while there is no link
  std::vector<std::string_view> names_;
  WorkermanCommand command_;
  std::string frame_;
  std::string data_;
  GroupEventScratch scratch_;
};

}  // namespace stormo::channel
