// A Channel server whose log is shared with other nodes, and may open later.
#include "channel/shared_log.h"

#include "channel/channel_fixture.h"

namespace stormo::channel {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr NodeId kOwn = 1;

class SharedLogTest : public ChannelTest {
 protected:
  void startNode(bool opensAtOnce = true) {
    makeLog = [this, opensAtOnce] {
      auto made = std::make_unique<SharedLog>(shared, kOwn, opensAtOnce);
      log = made.get();
      return made;
    };
    start();
  }
  SharedRecords shared;
  SharedLog* log = nullptr;  // of process
};

TEST_F(SharedLogTest, LinksAreAcceptedOnceTheLogHasOpened) {
  startNode(false);
  Link link = this->link();
  link.isStormo = true;
  link.send(hello(7));
  settle();
  EXPECT_THAT(link.take(), IsEmpty());
  EXPECT_EQ(process->linkCount(), 0u);
  log->becomeOpen();
  EXPECT_THAT(await(link, 1), ElementsAre("welcome"));
}

TEST_F(SharedLogTest, ServerEndsAtOnceBeforeTheLogHasOpened) {
  startNode(false);
  Link link = this->link();
  bool isDone = false;
  process->end([&] { isDone = true; });
  EXPECT_TRUE(turnUntil([&] { return isDone; }));
  log->becomeOpen();
  settle();
  EXPECT_EQ(process->linkCount(), 0u) << "it accepts no link any more";
}

}  // namespace
}  // namespace stormo::channel
