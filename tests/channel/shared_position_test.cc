// Positions of links that come from a node that is ahead of this one.
#include "channel/server/slow_links.h"
#include "channel/shared_log_fixture.h"
#include "event/loop_impl.h"

namespace stormo::channel {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TimePoint simulatedNow;

class SharedPositionTest : public SharedLogTest {
 protected:
  SharedPositionTest() {
    simulatedNow = TimePoint(std::chrono::hours(1));
    LoopImpl::of(loop).useClock([] { return simulatedNow; });
    server.history.groups = {"*"};
  }
  ~SharedPositionTest() override { process.reset(); }

  [[nodiscard]] std::string requestHistory(std::string_view group, std::uint64_t offset) const {
    return encode({.kind = Kind::HistoryRequest,
                   .space = Space::Groups,
                   .epoch = shared.epoch,
                   .offset = offset,
                   .channel = group});
  }
  /// A link that has the events up to that offset from another node.
  Link linkWith(std::uint64_t offset, std::string_view group) {
    Link made = stormoLink(7);
    made.send(subscribeGroup(group, true) + resume(shared.epoch, offset));
    sync(made);
    return made;
  }
  void appendMessages(std::initializer_list<const char*> texts) {
    for (const char* text : texts) shared.append(kOther, message("123", text));
  }
  void pass(std::chrono::milliseconds time) {
    simulatedNow += time;
    settle();
  }
  /// The replies to history requests as "1 of 123 up to 4, whole".
  std::vector<std::string> repliesOn(Link& link) {
    sync(link);
    std::vector<std::string> texts;
    for (const std::string& payload : link.take()) {
      Packet reply;
      EXPECT_EQ(decode(payload, reply), Decode::Ok);
      EXPECT_EQ(reply.kind, Kind::HistoryReply);
      std::string frames(reply.payload);
      texts.push_back(std::to_string(takeFrames(frames).size()) + " of " +
                      std::string(reply.channel) + " up to " + std::to_string(reply.offset) +
                      (reply.whole ? ", whole" : "") + (reply.ahead ? ", ahead" : ""));
    }
    return texts;
  }
};

TEST_F(SharedPositionTest, HistoryReplyStatesThatThePositionIsToCome) {
  startNode();
  Link link = stormoLink(7);
  appendMessages({"1", "2", "3", "4"});
  log->apply(2);
  link.send(requestHistory("123", 3) + requestHistory("456", 0));
  EXPECT_THAT(repliesOn(link), ElementsAre("0 of 123 up to 2, ahead", "0 of 456 up to 2, whole"))
      << "nobody waits for a position that may never come";
  log->apply(2);
  link.send(requestHistory("123", 3));
  EXPECT_THAT(repliesOn(link), ElementsAre("1 of 123 up to 4, whole"));
}

TEST_F(SharedPositionTest, LinkThatIsAheadGetsNoEventTwice) {
  startNode();
  Link link = linkWith(3, "123");
  appendMessages({"1", "2", "3", "4"});
  log->apply(1);
  EXPECT_THAT(receivedOn(link), IsEmpty());
  log->applyAll();
  // The latest event may have been the first of two of its offset, so it comes again.
  EXPECT_THAT(receivedOn(link), ElementsAre("group 123: 3", "group 123: 4"));
  appendMessages({"5"});
  log->applyAll();
  EXPECT_THAT(receivedOn(link), ElementsAre("group 123: 5"));
}

TEST_F(SharedPositionTest, LinkThatIsAheadForTooLongGetsAGap) {
  startNode();
  Link link = linkWith(9, "123");
  appendMessages({"1"});
  log->applyAll();
  EXPECT_THAT(receivedOn(link), IsEmpty());
  pass(SlowLinks::kAheadMax);
  EXPECT_THAT(receivedOn(link), ElementsAre("gap"));
  appendMessages({"2"});
  log->applyAll();
  EXPECT_THAT(receivedOn(link), ElementsAre("group 123: 2"));
}

}  // namespace
}  // namespace stormo::channel
