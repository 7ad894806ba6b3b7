// PHP values that Stormo does not build, and malformed ones, between processes of either kind.
#include "channel/channel_fixture.h"
#include "channel/client/client_link.h"
#include "channel/link/violation_log.h"
#include "protocol/php/serialize.h"

namespace stormo::channel {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// PHP 8.2's output for $t->t = $t: in a client's message, in a server's message, and alone.
constexpr std::string_view kPublish =
    R"(a:3:{s:4:"type";s:7:"publish";s:8:"channels";a:2:{i:0;s:1:"x";i:1;s:1:"y";}s:4:"data";O:1:"T":1:{s:1:"t";r:6;}})";
constexpr std::string_view kEvent =
    R"(a:3:{s:4:"type";s:5:"event";s:7:"channel";s:1:"x";s:4:"data";O:1:"T":1:{s:1:"t";r:4;}})";
constexpr std::string_view kData = R"(O:1:"T":1:{s:1:"t";r:1;})";

std::size_t countOf(std::string_view word, std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(word, at)) != text.npos; ++at) ++count;
  return count;
}

class PhpValues : public ChannelTest {
 protected:
  PhpValues() { start(); }

  /// Captures the log until the test calls testing::internal::GetCapturedStderr().
  static void capture() { testing::internal::CaptureStderr(); }
  static std::string captured() { return testing::internal::GetCapturedStderr(); }
};

TEST_F(PhpValues, ObjectsEnumsAndReferencesPassBetweenPhpProcesses) {
  Link subscriber = workermanLink(command(CommandType::Subscribe, {"x"}));
  Link publisher = workermanLink();
  const std::string enumData = R"(a:2:{i:0;E:11:"Suit:Hearts";i:1;C:2:"Cu":4:{a"}b}})";
  publisher.send(framed(kPublish) + command(CommandType::Publish, {"x"}, enumData) +
                 command(CommandType::Publish, {"x"}, "i:1;"));
  sync(publisher);
  EXPECT_THAT(receivedOn(subscriber), ElementsAre(std::string(kEvent), eventPayload("x", enumData),
                                                  eventPayload("x", "i:1;")));
  EXPECT_EQ(counters().badPeers.get(), 0u);
}

TEST_F(PhpValues, PhpObjectIsDeliveredAsAJob) {
  Link consumer = workermanLink(command(CommandType::Watch, {"jobs"}));
  workermanLink(command(CommandType::Enqueue, {"jobs"}, kData));
  consumer.send(command(CommandType::Reserve));
  EXPECT_THAT(receivedOn(consumer), ElementsAre(jobPayload("jobs", kData)));
}

TEST_F(PhpValues, SubscriberInCppReceivesAnOpaqueValueAndPublishesItUnchanged) {
  for (const char* scheme : {"stormo", "frame"}) {
    auto link = std::make_unique<ClientLink>(url(scheme));
    std::vector<std::string> received;
    link->onEvent = [&](std::string_view, const Value& value) {
      received.emplace_back(value.asSerialized());
      EXPECT_EQ(link->dialect().publish({"back"}, value, false), PublishStatus::Accepted);
      EXPECT_EQ(link->dialect().publish({"back"}, Value::list({7, value}), false),
                PublishStatus::Accepted);
    };
    link->subscribe({"x"});
    link->connect();
    ASSERT_TRUE(turnUntil([&] { return link->isConnected(); }));
    Link php = workermanLink(command(CommandType::Subscribe, {"back"}));
    settle();
    php.send(framed(kPublish));
    EXPECT_THAT(await(php, 2),
                ElementsAre(eventPayload("back", kData),
                            eventPayload("back", R"(a:2:{i:0;i:7;i:1;O:1:"T":1:{s:1:"t";r:3;}})")));
    EXPECT_THAT(received, ElementsAre(std::string(kData)));
    link->close();
    settle();
  }
}

TEST_F(PhpValues, MalformedDataIsLoggedWithAddressDialectAndReason) {
  Link php = workermanLink();
  Link ours = stormoLink();
  Link neither = link();
  capture();
  php.send(command(CommandType::Publish, {"x"}, R"(O:1:"T":1:{})"));
  ours.send(publishEvent("x", R"(O:1:"T":1:{})"));
  neither.send("GET / HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(ended(php) && ended(neither));
  EXPECT_THAT(await(ours, 1), ElementsAre(testing::StartsWith("rejected ")));
  const std::string log = captured();
  EXPECT_EQ(countOf("warning", log), 3u) << log;
  EXPECT_THAT(log, HasSubstr("remote=127.0.0.1:"));
  EXPECT_THAT(log, HasSubstr("dialect=workerman reason=\"malformed data, or more than the limits "
                             "allow\""));
  EXPECT_THAT(log,
              HasSubstr("reason=\"an event that is not one serialized value within the limits\""));
  EXPECT_THAT(log, HasSubstr("dialect=unknown reason=\"a frame with an invalid length\""));
}

TEST_F(PhpValues, LinkWithManyMalformedMessagesIsLoggedOnce) {
  Link php = workermanLink();
  capture();
  php.send(framed("x") + framed("x") + framed("x"));
  EXPECT_TRUE(ended(php));
  EXPECT_EQ(countOf("warning", captured()), 1u);
}

TEST_F(PhpValues, RepeatedViolationsAreLimitedInTheLog) {
  capture();
  for (unsigned i = 0; i < 3 * ViolationLog::kLinesMax; ++i) {
    Link php = link();
    php.send(framed("x"));
    EXPECT_TRUE(ended(php));
  }
  EXPECT_EQ(countOf("warning", captured()), ViolationLog::kLinesMax);
}

TEST_F(PhpValues, MalformedDataOfAServerIsLoggedByItsClient) {
  const UniqueFd listener = std::move(*listenOn(*Address::ip("127.0.0.1", 0)));
  const std::string at = std::to_string(localAddress(listener.get()).port());
  auto link = std::make_unique<ClientLink>("frame://127.0.0.1:" + at);
  link->connect();
  Link channel;
  ASSERT_TRUE(turnUntil([&] {
    UniqueFd fd(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd.valid()) channel = Link{test::RawPeer(std::move(fd)), {}};
    return channel.peer.valid() && link->isConnected();
  }));
  capture();
  channel.send(command(CommandType::Event, {"x"}, R"(O:1:"T":1:{})"));
  EXPECT_TRUE(ended(channel));
  EXPECT_THAT(captured(), HasSubstr("remote=127.0.0.1:" + at + " dialect=workerman reason="));
  link->close();
}

}  // namespace
}  // namespace stormo::channel
