// That a client which sends as much as it can does not delay the messages of others on their way to
// the Channel: counted in messages.
#include "event/loop_impl.h"
#include "server/server_fixture.h"

namespace stormo::server {
namespace {

using testing::IsEmpty;

class PublishWindowTest : public ServerTest {
 protected:
  static constexpr std::size_t kFlood = 4000;

  static std::string publish(std::string_view message) {
    return R"({"cmd":"send_to_group","group_id":"g","message":")" + std::string(message) + "\"}";
  }
  /// `kFlood` messages of 1,000 bytes, with their numbers.
  static std::string flood() {
    std::string wire;
    for (std::size_t i = 0; i < kFlood; ++i) {
      std::string message = std::to_string(i) + ' ';
      message.resize(1000, 'x');
      wire += test::WebSocketClient::text(publish(message));
    }
    return wire;
  }
  std::uint64_t messagesIn() { return LoopImpl::of(loop).counters().messagesIn.get(); }
  void sendMore(Client& client, std::string_view& rest) {
    rest.remove_prefix(client.socket.raw().send(rest));
    turn();
  }
};

TEST_F(PublishWindowTest, AFloodWaitsForAcknowledgementsWhileOtherClientsPublish) {
  start();
  Client member = connect(1);
  member.send(R"({"cmd":"add_group","group_id":"g"})");
  Client flooder = connect(0);
  Client other = connect(0);
  settle();
  channel.reset();  // nothing is acknowledged
  settle();

  const std::string wire = flood();
  std::string_view rest = wire;
  const std::uint64_t before = messagesIn();
  for (int i = 0; i < 50; ++i) sendMore(flooder, rest);
  const std::uint64_t read = messagesIn() - before;
  EXPECT_GE(read, 10u);
  EXPECT_LE(read, 600u) << "more than the window and one share";
  for (int i = 0; i < 20; ++i) other.send(publish("other"));
  ASSERT_TRUE(turnUntil([&] { return messagesIn() - before - read >= 20; }));
  settle();
  EXPECT_EQ(messagesIn() - before - read, 20u) << "more of the flood was read";

  startChannel();
  std::size_t othersMessages = 0;
  std::size_t next = 0;
  ASSERT_TRUE(turnUntil([&] {
    sendMore(flooder, rest);
    for (const std::string& message : std::exchange(member.all(), {})) {
      if (message == "other") {
        ++othersMessages;
        EXPECT_LE(next, 600u) << "a message of another client arrived after those of the flood";
      } else {
        EXPECT_TRUE(message.starts_with(std::to_string(next) + ' ')) << message.substr(0, 10);
        ++next;
      }
    }
    return next == kFlood && othersMessages == 20;
  }));
}

}  // namespace
}  // namespace stormo::server
