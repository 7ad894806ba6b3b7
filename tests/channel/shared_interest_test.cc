// Subscribers of events at all nodes of a cluster.
#include "channel/shared_log_fixture.h"

namespace stormo::channel {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class SharedInterestTest : public SharedLogTest {
 protected:
  Link subscriber(std::string_view event) {
    Link made = stormoLink();
    made.send(subscribeEvent(event));
    sync(made);
    return made;
  }
  void setInterest(NodeId node, std::string_view event, std::uint64_t count) {
    shared.append(node, {.kind = Kind::Interest, .receivers = count, .channel = event});
  }
  void publishToOne(std::string_view event, std::string_view value) {
    shared.append(kOther,
                  {.kind = Kind::Publish, .loop = true, .channel = event, .payload = value});
  }
  /// The records of all batches since the last call, as "news 2".
  std::vector<std::string> written() {
    std::vector<std::string> texts;
    for (; read_ < shared.batches.size(); ++read_) {
      for (std::string_view rest = shared.batches[read_].records; !rest.empty();
           rest.remove_prefix(trustedRecordBytes(rest))) {
        Packet packet;
        EXPECT_EQ(decode(trustedRecord(rest).packet, packet), Decode::Ok);
        EXPECT_EQ(packet.kind, Kind::Interest);
        texts.push_back(std::string(packet.channel) + " " + std::to_string(packet.receivers));
      }
    }
    return texts;
  }

 private:
  std::size_t read_ = 0;  // batches
};

TEST_F(SharedInterestTest, NumbersOfSubscribersAreWrittenWhenTheyChange) {
  startNode();
  Link one = subscriber("news");
  EXPECT_THAT(written(), ElementsAre("news 1"));
  Link two = this->link();
  two.send(command(CommandType::Subscribe, {"news", "other"}));
  settle();
  EXPECT_THAT(written(), ElementsAre("news 2", "other 1"));
  one.send(encode({.kind = Kind::Unsubscribe, .channel = "news"}) + subscribeEvent("news"));
  one.send(subscribeGroup("a group"));
  sync(one);
  EXPECT_THAT(written(), IsEmpty()) << "it is the same at the end of the turn";
  one.send(encode({.kind = Kind::Unsubscribe, .channel = "news"}));
  sync(one);
  EXPECT_THAT(written(), ElementsAre("news 1"));
  two.peer = {};
  EXPECT_TRUE(turnUntil([&] { return process->linkCount() == 1; }));
  settle();
  EXPECT_THAT(written(), ElementsAre("news 0", "other 0"));
}

TEST_F(SharedInterestTest, NothingIsWrittenToALogThatIsNotShared) {
  makeLog = [this] { return std::make_unique<SharedLog>(shared, 0); };
  start();
  Link link = subscriber("news");
  EXPECT_THAT(written(), IsEmpty());
}

TEST_F(SharedInterestTest, AReceiptCountsTheSubscribersOfAllNodes) {
  startNode();
  Link link = subscriber("news");
  setInterest(kOther, "news", 3);
  setInterest(kOther + 1, "news", 5);
  setInterest(kOther + 1, "other", 7);
  Link publisher = stormoLink(7);
  publisher.send(encode(
      {.kind = Kind::Publish, .receipt = true, .sequence = 1, .channel = "news", .payload = "N;"}));
  sync(publisher);
  log->applyAll();
  sync(publisher);
  ASSERT_EQ(publisher.payloads.size(), 1u);
  Packet receipt;
  ASSERT_EQ(decode(publisher.payloads[0], receipt), Decode::Ok);
  EXPECT_EQ(receipt.kind, Kind::Receipt);
  EXPECT_EQ(receipt.receivers, 9u);
}

TEST_F(SharedInterestTest, AnEventForOneSubscriberGoesToTheNodesInTurn) {
  startNode();
  Link link = subscriber("work");
  setInterest(kOther, "work", 3);
  for (const char* value : {"i:1;", "i:2;", "i:3;", "i:4;"}) publishToOne("work", value);
  log->applyAll();
  EXPECT_THAT(receivedOn(link), ElementsAre("event work: i:1;", "event work: i:3;"));
  setInterest(kOther, "work", 0);
  for (const char* value : {"i:5;", "i:6;"}) publishToOne("work", value);
  log->applyAll();
  EXPECT_THAT(receivedOn(link), ElementsAre("event work: i:5;", "event work: i:6;"));
}

TEST_F(SharedInterestTest, ARestartedNodeReplacesWhatItHadWritten) {
  setInterest(kOwn, "news", 4);
  setInterest(kOther, "news", 1);
  ASSERT_EQ(written().size(), 2u);
  restartNode();
  settle();
  EXPECT_THAT(written(), ElementsAre("news 0"));
  log->applyAll();
  Link link = subscriber("news");
  EXPECT_THAT(written(), ElementsAre("news 1"));
}

TEST_F(SharedInterestTest, ANodeThatWasDeclaredGoneWritesItsSubscribersOnceMore) {
  startNode();
  Link link = subscriber("news");
  ASSERT_THAT(written(), ElementsAre("news 1"));
  shared.nodeGone(kOther);
  log->applyAll();
  sync(link);
  EXPECT_THAT(written(), IsEmpty());
  shared.nodeGone(kOwn);
  log->applyAll();
  sync(link);
  EXPECT_THAT(written(), ElementsAre("news 1"));
}

}  // namespace
}  // namespace stormo::channel
