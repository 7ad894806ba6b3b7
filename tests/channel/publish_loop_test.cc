// publishLoop: to one subscriber in rotation.
#include <map>

#include "channel/channel_fixture.h"
#include "protocol/channel/group_event.h"

namespace stormo::channel {
namespace {

using testing::IsEmpty;

class PublishLoop : public ChannelTest {
 protected:
  PublishLoop() { start(); }
};

TEST_F(PublishLoop, RotatesOverSubscribersOfBothDialects) {
  std::vector<Link> links;
  for (int i = 0; i < 2; ++i) {
    links.push_back(workermanLink(command(CommandType::Subscribe, {"work"})));
    links.push_back(stormoLink());
    links.back().send(subscribeEvent("work"));
    sync(links.back());
  }
  Link php = workermanLink();
  Link ours = stormoLink();
  for (int i = 0; i < 6; ++i) {
    php.send(command(CommandType::PublishLoop, {"work"}, "N;"));
    sync(php);
    ours.send(publishEvent("work", "N;", 1, true));
    sync(ours);
  }
  for (Link& link : links) EXPECT_EQ(receivedOn(link).size(), 3u) << link.isStormo;
}

TEST_F(PublishLoop, EachEventHasItsOwnRotation) {
  Link a = workermanLink(command(CommandType::Subscribe, {"red", "blue"}));
  Link b = workermanLink(command(CommandType::Subscribe, {"red", "blue"}));
  Link publisher = workermanLink();
  for (int i = 0; i < 2; ++i) {
    publisher.send(command(CommandType::PublishLoop, {"red", "blue"}, "N;"));
    sync(publisher);
  }
  std::map<std::string, int> ofA, ofB;
  for (const std::string& payload : receivedOn(a)) ++ofA[payload];
  for (const std::string& payload : receivedOn(b)) ++ofB[payload];
  for (auto& of : {ofA, ofB}) {
    EXPECT_EQ(of.size(), 2u);
    for (const auto& [payload, count] : of) EXPECT_EQ(count, 1) << payload;
  }
}

TEST_F(PublishLoop, ClosedLinkIsSkipped) {
  Link a = workermanLink(command(CommandType::Subscribe, {"work"}));
  { Link closed = workermanLink(command(CommandType::Subscribe, {"work"})); }
  ASSERT_TRUE(turnUntil([&] { return process->linkCount() == 1; }));
  Link publisher = workermanLink();
  for (int i = 0; i < 3; ++i) publisher.send(command(CommandType::PublishLoop, {"work"}, "N;"));
  sync(publisher);
  EXPECT_EQ(receivedOn(a).size(), 3u);
}

TEST_F(PublishLoop, WithoutSubscribersItIsDroppedAndReachesNoGroup) {
  Link member = stormoLink();
  member.send(subscribeGroup("g"));
  sync(member);
  std::string data;
  appendGroupEvent("g", "ciao", data);
  Link publisher =
      workermanLink(command(CommandType::PublishLoop, {"send_to_group", "nobody"}, data));
  sync(publisher);
  EXPECT_THAT(receivedOn(member), IsEmpty());
}

}  // namespace
}  // namespace stormo::channel
