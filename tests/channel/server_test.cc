#include <stormo/channel/server.h>

#include "channel/channel_fixture.h"
#include "channel/server/declared_servers.h"

namespace stormo::channel {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string complaint(const Server& server) {
  try {
    checkExposure(server);
    return "";
  } catch (const std::invalid_argument& thrown) {
    return thrown.what();
  }
}

TEST(ChannelServer, UrlIsItsAddress) {
  EXPECT_EQ(Server().url(), "");
  EXPECT_EQ(Server("127.0.0.1").url(), "frame://127.0.0.1:2206");
  EXPECT_EQ(Server("stormo://127.0.0.1:5").url(), "stormo://127.0.0.1:5");
  EXPECT_EQ(Server("0.0.0.0", 5).url(), "frame://0.0.0.0:5");
  EXPECT_EQ(Server("::1", 5).url(), "frame://[::1]:5");
  EXPECT_EQ(Server("unix:///run/channel", 5).url(), "unix:///run/channel");
}

TEST(ChannelServer, InvalidAddressIsReportedAtStartNotByTheConstructor) {
  for (const char* host : {"", "example.org", "unix://", "unix://relative", "tcp://127.0.0.1"}) {
    const Server server(host);
    EXPECT_NE(complaint(server), "") << host;
  }
}

TEST(ChannelServer, ServersAreDeclaredWhileTheyExist) {
  EXPECT_THAT(declaredServers(), IsEmpty());
  Server first;
  {
    Server second("127.0.0.1", 2207);
    EXPECT_THAT(declaredServers(), ElementsAre(&first, &second));
  }
  EXPECT_THAT(declaredServers(), ElementsAre(&first));
}

TEST(ChannelServer, WithoutASecretItListensLocallyOnly) {
  for (const char* host : {"127.0.0.1", "127.5.5.5", "::1", "localhost", "unix:///run/channel"}) {
    EXPECT_EQ(complaint(Server(host)), "") << host;
  }
  for (const char* host : {"0.0.0.0", "192.168.0.1", "::", "2001:db8::1"}) {
    Server server(host);
    EXPECT_THAT(complaint(server), HasSubstr("without a secret")) << host;
    server.secret = "s3cret";
    EXPECT_EQ(complaint(server), "") << host;
    server.secret.clear();
    server.allowOpen = true;
    EXPECT_EQ(complaint(server), "") << host;
  }
}

TEST(ChannelServer, FurtherAddressesAreCheckedToo) {
  Server server;
  server.alsoListen = {"unix:///run/channel", "frame://127.0.0.1:1", "stormo://127.0.0.1:2"};
  EXPECT_EQ(complaint(server), "");
  server.alsoListen = {"unix:///run/channel", "frame://0.0.0.0:1"};
  EXPECT_THAT(complaint(server), HasSubstr("frame://0.0.0.0:1"));
  server.alsoListen = {"http://127.0.0.1:1"};
  EXPECT_THAT(complaint(server), HasSubstr("http://127.0.0.1:1"));
  server.alsoListen = {"frame://localhost:1"};
  EXPECT_EQ(complaint(server), "");
  server.alsoListen = {"frame://chat.example:1"};
  EXPECT_THAT(complaint(server), HasSubstr("frame://chat.example:1"));
}

TEST(ChannelServer, InvalidSettingsAreRejected) {
  Server server;
  server.secret = std::string(256, 's');
  EXPECT_THAT(complaint(server), HasSubstr("255"));
  server.secret.clear();
  server.groupEvent.clear();
  EXPECT_THAT(complaint(server), HasSubstr("groupEvent"));
}

using ServerProcessTest = ChannelTest;

TEST_F(ServerProcessTest, StopClosesLinksAfterTheirOutput) {
  start();
  Link link = workermanLink(command(CommandType::Subscribe, {"news"}));
  link.send(
      command(CommandType::Publish, {"news"}, "s:100000:\"" + std::string(100'000, 'x') + "\";"));
  ASSERT_TRUE(turnUntil([&] { return counters().messagesIn.get() >= 5; }));
  process->stop();
  process->stop();
  EXPECT_TRUE(ended(link));
  EXPECT_EQ(link.take().size(), 1u);
  link.peer.close();
  EXPECT_TRUE(turnUntil([&] { return process->linkCount() == 0; }));
  test::RawPeer late = test::RawPeer::connect(port());
  settle();
  EXPECT_EQ(process->linkCount(), 0u) << "it accepts no more";
}

TEST_F(ServerProcessTest, EndThatIsDestroyedBeforeItsLinksHaveDrainedDoesNothing) {
  start();
  Link link = workermanLink();
  const auto timers = [&] { return LoopImpl::of(loop).timers.size(); };
  const std::size_t before = timers();
  bool isDone = false;
  process->end([&] { isDone = true; });
  EXPECT_EQ(timers(), before + 1);
  process.reset();
  ASSERT_EQ(timers(), before);
  settle();
  EXPECT_FALSE(isDone);
}

TEST_F(ServerProcessTest, EndThatIsDestroyedBeforeItsLogIsFinishedDoesNothing) {
  static TimePoint simulatedNow;
  simulatedNow = TimePoint(std::chrono::hours(1));
  LoopImpl::of(loop).useClock([] { return simulatedNow; });
  start();
  bool isDone = false;
  process->end([&] { isDone = true; });
  simulatedNow += std::chrono::seconds(1);
  turn();  // there is no link, so the log is finished in the next turn
  process.reset();
  settle();
  EXPECT_FALSE(isDone);
}

TEST_F(ServerProcessTest, EndFinishesTheLog) {
  start();
  bool isDone = false;
  process->end([&] { isDone = true; });
  EXPECT_TRUE(turnUntil([&] { return isDone; }));
}

TEST_F(ServerProcessTest, ListensOnSeveralAddresses) {
  start();
  const UniqueFd second = std::move(*listenOn(*Address::ip("127.0.0.1", 0)));
  process->listen(second.get());
  Link a = workermanLink(command(CommandType::Subscribe, {"news"}));
  Link b{test::RawPeer::connect(localAddress(second.get()).port()), {}};
  b.send(command(CommandType::Publish, {"news"}, "N;"));
  EXPECT_EQ(await(a, 1).size(), 1u);
  process.reset();
}

}  // namespace
}  // namespace stormo::channel
