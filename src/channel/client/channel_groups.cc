// Groups that are attached to a Channel.
#include <stormo/channel.h>
#include <stormo/groups.h>

#include <vector>

#include "group/groups_impl.h"

namespace stormo {

class ChannelOfGroups final : public GroupLink, channel::Listener {
 public:
  ChannelOfGroups(Groups& groups, Channel& channel) : groups_(groups), channel_(channel) {
    channel_.addListener(*this);
  }
  ~ChannelOfGroups() override { channel_.removeListener(*this); }
  ChannelOfGroups(const ChannelOfGroups&) = delete;
  ChannelOfGroups& operator=(const ChannelOfGroups&) = delete;

  static void attach(Groups& groups, Channel& channel) {
    groups.impl_->link = std::make_unique<ChannelOfGroups>(groups, channel);
  }

 private:
  void subscribe(std::string_view group) override { channel_.subscribeGroup(group); }
  void unsubscribe(std::string_view group) override { channel_.unsubscribeGroup(group); }
  PublishStatus publish(std::string_view group, Message message) override {
    return channel_.publishToGroup(group, message);
  }
  void onGroupMessage(const GroupMessage& message) override {
    groups_.send(message.group, message.message);
  }

  /// Members must not miss messages without noticing: they reconnect, as after a reload.
  void onGap() override {
    const auto& registry = groups_.impl_->registry;
    if (!registry) return;
    std::vector<net::ConnectionImpl*> members;
    registry->forEachGroup([&](const group::Group& group) {
      for (const auto& member : group.members) members.push_back(member.connection);
    });
    // Closed later, as a connection that closes leaves its groups. A second close does nothing.
    for (net::ConnectionImpl* member : members) {
      member->close(CloseCode::ServiceRestart, "messages were lost, join again");
    }
  }

  Groups& groups_;
  Channel& channel_;
};

Groups::Groups(Channel& channel) : Groups() { ChannelOfGroups::attach(*this, channel); }

}  // namespace stormo
