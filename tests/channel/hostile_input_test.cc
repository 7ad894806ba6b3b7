#include "channel/channel_fixture.h"
#include "channel/recording.h"

namespace stormo::channel {
namespace {

using namespace std::string_view_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class HostileInput : public ChannelTest {
 protected:
  HostileInput() { start(); }
};

TEST_F(HostileInput, InvalidInputClosesOnlyItsLink) {
  Link subscriber = workermanLink(command(CommandType::Subscribe, {"news"}));
  const std::vector<std::string> garbage = {
      "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
      std::string("\0\0\0\0", 4),
      std::string("\0\0\0\3", 4),
      std::string("\xff\xff\xff\xff", 4),
      framed("a:1:{s:4:\"type\";s:4:\"what\";}"),
      framed("a:1:{s:4:\"type\";s:9:\"subscribe\";}"),
      framed("O:8:\"stdClass\":0:{}"),  // an object, but not a message
      framed("a:999999999:{"),
      framed("Q"),
      framed("Q\x63\0\0"sv),
      command(CommandType::Event, {"news"}, "N;"),
      command(CommandType::Queue, {"news"}, "N;"),
      command(CommandType::Ping) + framed("Q\x0f\0\0"sv),
  };
  std::uint64_t bad = 0;
  for (const std::string& bytes : garbage) {
    Link hostile = link();
    hostile.send(bytes);
    EXPECT_TRUE(ended(hostile)) << bytes;
    EXPECT_THAT(hostile.take(), IsEmpty());
    EXPECT_EQ(counters().badPeers.get(), ++bad) << bytes;
  }
  EXPECT_THAT(receivedOn(subscriber), IsEmpty());
}

TEST_F(HostileInput, FrameAboveTheLimitClosesTheLinkAtOnce) {
  server.maxPackageSize = 1000;
  start();
  Link link = workermanLink();
  link.send("\0\0\x03\xe9"sv);  // 1001
  EXPECT_TRUE(ended(link));
}

TEST_F(HostileInput, FrameAtTheLimitIsAccepted) {
  const std::string publish =
      command(CommandType::Publish, {"news"}, "s:900:\"" + std::string(900, 'x') + "\";");
  server.maxPackageSize = publish.size();
  start();
  Link subscriber = workermanLink(command(CommandType::Subscribe, {"news"}));
  Link publisher = workermanLink(publish);
  EXPECT_EQ(receivedOn(subscriber).size(), 1u);
  EXPECT_FALSE(publisher.peer.ended());
}

TEST_F(HostileInput, FramesBeforeAViolationAreHandled) {
  Link subscriber = workermanLink(command(CommandType::Subscribe, {"news"}));
  Link hostile = link();
  hostile.send(command(CommandType::Publish, {"news"}, "i:1;") + framed("?") +
               command(CommandType::Publish, {"news"}, "i:2;"));
  EXPECT_TRUE(ended(hostile));
  EXPECT_THAT(receivedOn(subscriber), ElementsAre(eventPayload("news", "i:1;")));
}

TEST_F(HostileInput, WorkermanFramesMayBeCutAtAnyByte) {
  std::string input, expected;
  for (const Recorded& frame : recordedConversation()) {
    if (frame.frame.size() < 1000) (frame.fromClient ? input : expected) += frame.frame;
  }
  Link client = link();
  std::string answer;
  for (const char& byte : input) {
    client.send({&byte, 1});
    turn();
    answer += client.peer.take();
  }
  EXPECT_TRUE(turnUntil([&] {
    answer += client.peer.take();
    return answer.size() >= expected.size();
  }));
  EXPECT_EQ(answer, expected);
}

TEST_F(HostileInput, StormoFramesMayBeCutAtAnyByte) {
  const std::string input = hello() + subscribeGroup("g") + subscribeEvent("e") +
                            publishGroup("g", "ciao") + publishEvent("e", "N;") +
                            encode({.kind = Kind::Ping});
  for (std::size_t cut = 1; cut < input.size(); ++cut) {
    Link client = link();
    client.send(std::string_view(input).substr(0, cut));
    settle();
    client.send(std::string_view(input).substr(cut));
    EXPECT_THAT(await(client, 4), ElementsAre("welcome", "group g: ciao", "event e: N;", "pong"))
        << cut;
  }
}

TEST_F(HostileInput, LinkThatEndsWithinAFrameIsClosed) {
  {
    Link client = link();
    client.send(publishGroup("g", "ciao").substr(0, 10));
    settle();
  }
  EXPECT_TRUE(turnUntil([&] { return process->linkCount() == 0; }));
}

}  // namespace
}  // namespace stormo::channel
