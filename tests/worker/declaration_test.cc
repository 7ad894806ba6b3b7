#include "worker/declaration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stormo/channel/server.h>

#include <stdexcept>

#include "channel/client/own_channel.h"
#include "sys/processors.h"

namespace stormo {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(Declaration, WorkersAndChannelServersAreDeclaredWhileTheyExist) {
  EXPECT_TRUE(declaredRoles("/run/x").empty());
  {
    Worker worker("websocket://127.0.0.1:0");
    worker.name = "group-send";
    worker.count = 3;
    channel::Server channelServer("127.0.0.1", 2206);
    const auto roles = declaredRoles("/run/x");
    ASSERT_EQ(roles.size(), 2u);
    EXPECT_EQ(roles[0].kind,
              process::RoleKind::Channel);  // it starts first, because workers need it
    EXPECT_EQ(roles[0].listen.at(0).label, "frame://127.0.0.1:2206");
    EXPECT_EQ(roles[1].kind, process::RoleKind::Worker);
    EXPECT_EQ(roles[1].name, "group-send");
    EXPECT_EQ(roles[1].count, 3);
    EXPECT_EQ(roles[1].listen.at(0).address.text(), "127.0.0.1:0");
  }
  EXPECT_TRUE(declaredRoles("/run/x").empty());
}

TEST(Declaration, AWorkerWithoutAnAddressDoesNotListen) {
  Worker worker;
  EXPECT_TRUE(declaredRoles("/run/x").at(0).listen.empty());
}

TEST(Declaration, TheSchemeSetsTheProtocolUnlessOneIsGiven) {
  Worker frames("frame://127.0.0.1:1");
  EXPECT_EQ(protocolOf(frames).name(), "frame");
  frames.protocol = Protocol::text();
  EXPECT_EQ(protocolOf(frames).name(), "text");
  Worker overUnix("unix:///tmp/x.sock");
  EXPECT_EQ(protocolOf(overUnix).name(), "tcp");
  overUnix.protocol = Protocol::websocket();
  EXPECT_EQ(protocolOf(overUnix).name(), "websocket");
}

TEST(Declaration, TheChannelsPackageLimitCoversEveryWorkers) {
  channel::Server byDefault("127.0.0.1", 1);
  Worker small("text://127.0.0.1:2"), large("text://127.0.0.1:3");
  small.maxPackageSize = 1000;
  large.maxPackageSize = 20'000'000;
  large.name = "uploads";
  static_cast<void>(declaredRoles("/run/x"));
  EXPECT_EQ(byDefault.maxPackageSize, 20'000'000u + 1024);

  channel::Server tooSmall("127.0.0.1", 4);
  tooSmall.maxPackageSize = 20'000'000;
  EXPECT_THAT([] { static_cast<void>(declaredRoles("/run/x")); },
              ThrowsMessage<std::invalid_argument>(
                  AllOf(HasSubstr("worker 'uploads' accepts messages of 20000000 bytes"),
                        HasSubstr("set its maxPackageSize to 0 or 20001024"))));
}

TEST(Declaration, AnInvalidOriginIsReported) {
  Worker worker("websocket://127.0.0.1:0");
  worker.name = "chat";
  worker.websocket.origins = {"https://*.chat.example", "chat.example"};
  EXPECT_THAT([] { static_cast<void>(declaredRoles("/run/x")); },
              ThrowsMessage<std::invalid_argument>(
                  HasSubstr("worker 'chat': websocket.origins: 'chat.example' has no scheme: "
                            "write https://chat.example")));
}

TEST(Declaration, InvalidSettingsAreReported) {
  const auto declaring = [](std::string url, int count) {
    return [url, count] {
      Worker worker(url);
      worker.count = count;
      static_cast<void>(declaredRoles("/run/x"));
    };
  };
  EXPECT_THAT(declaring("nonsense", 1),
              ThrowsMessage<std::invalid_argument>(HasSubstr("no scheme")));
  EXPECT_THAT(declaring("gopher://127.0.0.1:1", 1),
              ThrowsMessage<std::invalid_argument>(HasSubstr("unknown protocol 'gopher'")));
  EXPECT_THAT(declaring("text://example.com:1", 1),
              ThrowsMessage<std::invalid_argument>(HasSubstr("not a host name")));
  EXPECT_THAT(declaring("text://127.0.0.1:1", -1),
              ThrowsMessage<std::invalid_argument>(HasSubstr("must not be negative")));
  EXPECT_NO_THROW(declaring("text://localhost:1", 1)());
}

TEST(Declaration, LocalhostIsBothLoopbackAddressesForWorkersAndTheChannel) {
  Worker worker("text://localhost:7");
  channel::Server channelServer("localhost", 8);
  for (const process::Role& role : declaredRoles("/run/x")) {
    ASSERT_GE(role.listen.size(), 2u);
    EXPECT_EQ(role.listen[0].address.host(), "127.0.0.1");
    EXPECT_EQ(role.listen[1].address.host(), "::1");
    EXPECT_TRUE(role.listen[1].isSecond);
  }
}

TEST(Declaration, AChannelsUnixSocketHasMode0600AndItsOwner) {
  channel::Server channelServer("unix:///run/channel");
  channelServer.socketOwner = "nobody";
  channelServer.alsoListen = {"frame://127.0.0.1:9", "unix:///run/second"};
  const auto roles = declaredRoles("/run/x");
  ASSERT_EQ(roles.at(0).listen.size(), 3u);
  for (const std::size_t unixSocket : {0, 2}) {
    EXPECT_EQ(roles[0].listen[unixSocket].owner, "nobody");
    EXPECT_EQ(roles[0].listen[unixSocket].mode, 0600u);
  }
  EXPECT_EQ(roles[0].listen[1].owner, "");
}

TEST(Declaration, AUnixSocketOfAWorkerBelongsToItsUserUnlessItHasAnOwner) {
  Worker worker("unix:///run/clients");
  worker.user = "nobody";
  worker.alsoListen = {"unix:///run/more"};
  worker.socketMode = 0660;
  worker.socketGroup = "www-data";
  const auto roles = declaredRoles("/run/x");
  for (const process::Listening& listening : roles.at(0).listen) {
    EXPECT_EQ(listening.owner, "nobody");
    EXPECT_EQ(listening.group, "www-data");
    EXPECT_EQ(listening.mode, 0660u);
  }
  worker.socketOwner = "root";
  EXPECT_EQ(declaredRoles("/run/x").at(0).listen.at(0).owner, "root");
}

TEST(Declaration, ProxiesMustBeAddressesAndTheProxyProtocolNeedsTrustedOnes) {
  Worker worker("websocket://127.0.0.1:1");
  worker.alsoListen = {"unix:///run/clients"};
  const auto expectRefused = [&](const char* why) {
    EXPECT_THAT([] { declaredRoles("/run/x"); },
                ThrowsMessage<std::invalid_argument>(HasSubstr(why)));
  };
  worker.proxies.trusted = {"proxy.example"};
  expectRefused("proxies.trusted: 'proxy.example' is not an address");
  worker.proxies.trusted = {"10.0.0.0/8"};
  worker.proxies.proxyProtocol = {"websocket://127.0.0.1:1", "unix:///run/clients"};
  expectRefused("nobody can connect to unix:///run/clients, as no unix peer is trusted");
  worker.proxies.trusted.push_back("unix");
  EXPECT_EQ(declaredRoles("/run/x").size(), 1u);
  worker.proxies.proxyProtocol.push_back("websocket://127.0.0.1:2");
  expectRefused("websocket://127.0.0.1:2 is none of its addresses");
}

TEST(Declaration, ACountOfZeroIsOneProcessForEachProcessor) {
  Worker worker("text://127.0.0.1:1");
  worker.count = 0;
  EXPECT_EQ(declaredRoles("/run/x").at(0).count, static_cast<int>(usableProcessors()));
}

TEST(Declaration, TheFirstServerIsTheProgramsOwnChannel) {
  channel::Server own, other("127.0.0.1", 1);
  EXPECT_THAT([] { static_cast<void>(declaredRoles("/run/x")); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("no address and no worker")));
  own.secret = "s3cret";
  other.log.directory = "/run/other";
  Worker worker;
  const auto roles = declaredRoles("/run/x");
  ASSERT_EQ(roles.at(0).listen.size(), 2u);
  EXPECT_EQ(roles[0].listen[0].label, "unix:///run/x/channel.sock");
  EXPECT_EQ(roles[0].listen[1].label, "unix:///run/x/backend.sock") << "for the command line";
  EXPECT_TRUE(roles[0].listen[0].isPrivate);
  EXPECT_EQ(roles[0].stateDirectory, "/run/x/channel-log");
  EXPECT_EQ(channel::ownChannel().url, "unix:///run/x/channel.sock");
  EXPECT_EQ(channel::ownChannel().secret, "s3cret");
  ASSERT_EQ(roles.at(1).listen.size(), 1u);
  EXPECT_FALSE(roles[1].listen[0].isPrivate);
  EXPECT_EQ(roles[1].stateDirectory, "/run/other");
}

TEST(Declaration, AWorkerMayListenOnSeveralAddressesOfOneProtocol) {
  Worker worker("websocket://[::]:7");
  worker.ipv6Only = true;
  worker.alsoListen = {"websocket://0.0.0.0:7", "unix:///run/s"};
  const auto roles = declaredRoles("/run/x");
  ASSERT_EQ(roles.at(0).listen.size(), 3u);
  EXPECT_EQ(roles[0].listen[0].label, "websocket://[::]:7");
  EXPECT_TRUE(roles[0].listen[0].v6Only);
  EXPECT_EQ(roles[0].listen[2].label, "unix:///run/s");
  worker.alsoListen = {"text://0.0.0.0:7"};
  EXPECT_THAT([] { static_cast<void>(declaredRoles("/run/x")); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("another protocol")));
}

}  // namespace
}  // namespace stormo
