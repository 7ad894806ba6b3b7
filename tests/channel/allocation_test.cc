// After warm-up, routing a message through the server does not allocate.
#include "channel/channel_fixture.h"
#include "channel/log/memory_log.h"
#include "protocol/channel/group_event.h"
#include "support/allocation_count.h"

namespace stormo::channel {
namespace {

class Allocation : public ChannelTest {
 protected:
  Allocation() {
    server.replayBytesMax = 256 << 10;  // full after a short time; then its memory is reused
    makeLog = [] { return std::make_unique<MemoryLog>(); };
    start();
  }

  /// Sends `frames` repeatedly, reads the output, and counts the allocations of the turns in
  /// between.
  std::uint64_t allocationsPerRound(Link& publisher, const std::string& frames,
                                    std::vector<Link*> subscribers) {
    std::uint64_t counted = 0;
    for (int round = 0; round < 20; ++round) {
      publisher.send(frames);
      const std::uint64_t before = test::allocationCount();
      for (int i = 0; i < 3; ++i) turn();
      if (round >= 10) counted += test::allocationCount() - before;
      for (Link* subscriber : subscribers) {
        EXPECT_GT(subscriber->peer.take().size(), frames.size() / 2);
      }
    }
    return counted;
  }
};

TEST_F(Allocation, GroupMessageDoesNotAllocate) {
  Link a = stormoLink(), b = stormoLink(), publisher = stormoLink();
  a.send(subscribeGroup("a group with a long name that does not fit into a string itself"));
  b.send(subscribeGroup("a group with a long name that does not fit into a string itself"));
  sync(a), sync(b);
  std::string frames;
  for (int i = 0; i < 50; ++i) {
    frames += publishGroup("a group with a long name that does not fit into a string itself",
                           std::string(i % 2 == 0 ? 20 : 1000, '.'));
  }
  EXPECT_EQ(allocationsPerRound(publisher, frames, {&a, &b}), 0u);
}

TEST_F(Allocation, EventBetweenDialectsDoesNotAllocate) {
  Link php = workermanLink(command(CommandType::Subscribe, {"send_to_group"}));
  Link member = stormoLink(), publisher = workermanLink();
  member.send(subscribeGroup("g"));
  sync(member);
  std::string frames;
  for (int i = 0; i < 50; ++i) {
    std::string data;
    appendGroupEvent("g", std::string(i % 2 == 0 ? 20 : 1000, '.'), data);
    frames += command(CommandType::Publish, {"send_to_group"}, data);
  }
  EXPECT_EQ(allocationsPerRound(publisher, frames, {&php, &member}), 0u);
}

}  // namespace
}  // namespace stormo::channel
