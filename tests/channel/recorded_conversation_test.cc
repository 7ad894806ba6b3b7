// The recorded conversation between workerman/channel's own client and server, with each of them in
// turn replaced by ours.
#include <stormo/channel/client.h>

#include "channel/channel_fixture.h"
#include "channel/recording.h"
#include "protocol/php/serialize.h"

namespace stormo::channel {
namespace {

class RecordedConversation : public ChannelTest {
 protected:
  ~RecordedConversation() override {
    Client::disconnect();
    Client::onConnect = {};
    settle();
  }

  const std::vector<Recorded> recording = recordedConversation();
};

TEST_F(RecordedConversation, ServerAnswersTheRecordedClientFrameForFrame) {
  start();
  Link client = link();
  std::size_t answers = 0;
  for (std::size_t i = 0; i < recording.size(); ++i) {
    if (recording[i].fromClient) {
      client.send(recording[i].frame);
      // All input of the client has arrived, and nothing was answered early.
      settle();
      std::size_t expected = 0;
      while (i + 1 + expected < recording.size() && !recording[i + 1 + expected].fromClient)
        ++expected;
      EXPECT_TRUE(turnUntil([&] { return client.received().size() >= expected; }))
          << "after frame " << i;
      settle();
      ASSERT_EQ(client.received().size(), expected) << "after frame " << i;
      continue;
    }
    EXPECT_EQ(framed(client.payloads.front()), recording[i].frame) << "frame " << i;
    client.payloads.erase(client.payloads.begin());
    ++answers;
  }
  EXPECT_GT(answers, 20u);
  EXPECT_FALSE(client.peer.ended());
}

TEST_F(RecordedConversation, ServerAnswersTheSameWhenAllFramesArriveAtOnce) {
  start();
  Link client = link();
  std::string input;
  std::string expected;
  for (const Recorded& frame : recording) (frame.fromClient ? input : expected) += frame.frame;
  client.send(input);
  std::string answer;
  EXPECT_TRUE(turnUntil([&] {
    answer += client.peer.take();
    return answer.size() >= expected.size();
  }));
  EXPECT_EQ(answer, expected);
}

TEST_F(RecordedConversation, ClientSendsWhatTheRecordedClientSent) {
  const UniqueFd listener = std::move(*listenOn(*Address::ip("127.0.0.1", 0)));
  Client::connectWorkerman("127.0.0.1", localAddress(listener.get()).port());
  ASSERT_TRUE(turnUntil([] { return Client::isConnected(); }));
  test::RawPeer peer(UniqueFd(::accept(listener.get(), nullptr, nullptr)));

  const auto ignore = [](const Value&) {};
  const Value message = Value::array({{"group_id", "123"}, {"message", "Questo è un messaggio"}});
  std::vector<std::string> jobs;
  const auto job = [&](const Value& data) {
    jobs.push_back(data.isArray() ? "array" : std::string(data.asString()));
  };

  // The calls of the client that was recorded. Its mixed data are read from the recording.
  std::size_t next = 0;
  std::string received;
  const auto expectSent = [&] {
    std::string expected;
    while (next < recording.size() && recording[next].fromClient)
      expected += recording[next++].frame;
    received.clear();
    EXPECT_TRUE(turnUntil([&] {
      received += peer.take();
      return received.size() >= expected.size();
    }));
    settle();
    EXPECT_EQ(received + peer.take(), expected) << "before frame " << next;
    while (next < recording.size() && !recording[next].fromClient)
      peer.send(recording[next++].frame);
  };

  Client::on("send_to_group", ignore);
  EXPECT_EQ(Client::publish("send_to_group", message), PublishStatus::Accepted);
  expectSent();
  Client::on("mixed", ignore);
  std::size_t published = 0;
  while (recording[next].frame.find("\"publishLoop\"") == std::string::npos) {
    const std::size_t at =
        next + (published == 0 ? 1 : 0);  // the first publish comes after the subscription
    WorkermanCommand sent;
    ASSERT_EQ(decodeWorkerman(framePayload(recording[at].frame), sent), Decode::Ok);
    ASSERT_EQ(sent.type, CommandType::Publish) << at;
    std::size_t consumed = 0;
    const auto data = php::unserialize(sent.data, consumed);
    ASSERT_TRUE(data) << at;
    const std::vector<std::string> channels(sent.channels.begin(), sent.channels.end());
    EXPECT_EQ(Client::publish(Names(channels), *data), PublishStatus::Accepted);
    ++published;
    expectSent();
  }
  EXPECT_EQ(published, 20u);
  EXPECT_EQ(Client::publishLoop("mixed", "loop"), PublishStatus::Accepted);
  expectSent();
  Client::subscribe({"news", "sport"});
  Client::unsubscribe("news");
  Client::unsubscribe({"sport", "mixed"});
  Client::watch("jobs", job);
  EXPECT_EQ(Client::enqueue("jobs", Value::array({{"id", 1}})), PublishStatus::Accepted);
  expectSent();
  ASSERT_TRUE(turnUntil([&] { return jobs.size() == 1; }));
  EXPECT_EQ(Client::enqueue("jobs", "two"), PublishStatus::Accepted);
  expectSent();
  ASSERT_TRUE(turnUntil([&] { return jobs.size() == 2; }));
  Client::unwatch("jobs");
  Client::watch("manual", job, false);
  EXPECT_EQ(Client::enqueue("manual", "m1"), PublishStatus::Accepted);
  Client::reserve();
  expectSent();
  ASSERT_TRUE(turnUntil([&] { return jobs.size() == 3; }));
  Client::ping();
  EXPECT_EQ(Client::publish("nobody", std::string(70'000, 'x')), PublishStatus::Accepted);
  expectSent();
  EXPECT_EQ(next, recording.size());
  EXPECT_THAT(jobs, testing::ElementsAre("array", "two", "m1"));
}

}  // namespace
}  // namespace stormo::channel
