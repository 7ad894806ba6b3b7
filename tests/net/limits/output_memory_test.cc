#include "net/limits/output_memory.h"

#include "base/shared_buffer.h"
#include "net/net_fixture.h"
#include "support/websocket_client.h"

namespace stormo::net {
namespace {

using test::WebSocketClient;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Messages are in blocks of powers of two.
constexpr std::size_t kMax = (5 << 20) + (64 << 10);

/// Clients that do not read.
class OutputMemoryTest : public NetTest {
 protected:
  OutputMemoryTest() { endpoint.sendQueueBytesMax = 64 << 20; }
  void send(const Connected& client, std::size_t bytes) {
    ASSERT_EQ(at(client).send(std::string(bytes, 'x')), SendStatus::Queued);
    settle();
  }
};

TEST_F(OutputMemoryTest, NearTheBoundTheLongestQueueIsClosedWith1013AndLeavesIfItIsRead) {
  use(std::make_unique<WebSocketCodec>(WebSocketOptions{}));
  OutputMemory memory(reactor, endpoint, {.max = kMax});
  std::vector<Connected> made;
  std::vector<WebSocketClient> clients;
  for (int i = 0; i < 3; ++i) {
    made.push_back(acceptQuietly());
    clients.emplace_back(std::move(made.back().peer));
    clients.back().sendHandshake();
    ASSERT_TRUE(turnUntil([&] { return clients.back().isOpen(); }));
  }
  events.clear();
  testing::internal::CaptureStderr();
  send(made[0], 1'000'000);
  send(made[1], 2'000'000);
  EXPECT_THAT(events, IsEmpty());
  send(made[2], 1'900'000);
  EXPECT_THAT(takeEvents(), ElementsAre("close 1013"));
  EXPECT_EQ(table.find(made[1].id), nullptr);
  EXPECT_EQ(counters().limits.outputBytes.refused.get(), 1u);
  std::vector<WebSocketClient::Frame> frames;
  ASSERT_TRUE(turnUntil([&] {
    for (auto& frame : clients[1].all()) frames.push_back(std::move(frame));
    return frames.size() == 2 || clients[1].ended();
  }));
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(frames[0].payload.size(), 2'000'000u);
  EXPECT_EQ(WebSocketClient::closeCode(frames[1]), CloseCode::TryAgainLater);
  EXPECT_EQ(WebSocketClient::closeReason(frames[1]),
            "the server has too much output for slow clients");
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("clients are closed limit=output-bytes max=5308416 closed=1"));
}

TEST_F(OutputMemoryTest, AboveTheBoundTheLongestQueuesAreDropped) {
  OutputMemory memory(reactor, endpoint, {.max = kMax});
  const Connected shorter = acceptQuietly();
  const Connected longest = acceptQuietly();
  send(shorter, 1'000'000);
  ASSERT_EQ(at(longest).send(std::string(3'000'000, 'x')), SendStatus::Queued);
  ASSERT_EQ(at(longest).send(std::string(2'000'000, 'x')), SendStatus::Queued);
  settle();
  EXPECT_THAT(takeEvents(), ElementsAre("close 1006"));
  EXPECT_NE(table.find(shorter.id), nullptr);
  EXPECT_LE(SharedBuffer::heldBytes(), kMax);
  EXPECT_EQ(counters().limits.outputBytes.refused.get(), 1u);
}

TEST_F(OutputMemoryTest, ADryRunCountsAndClosesNothing) {
  OutputMemory memory(reactor, endpoint, {.max = kMax, .dryRun = true});
  const Connected one = acceptQuietly();
  const Connected two = acceptQuietly();
  send(one, 3'000'000);
  send(two, 3'000'000);
  EXPECT_THAT(events, IsEmpty());
  EXPECT_GE(counters().limits.outputBytes.dryRun.get(), 1u);
  EXPECT_EQ(counters().limits.outputBytes.refused.get(), 0u);
}

TEST_F(OutputMemoryTest, OneMessageToManyCountsOnce) {
  OutputMemory memory(reactor, endpoint, {.max = kMax});
  std::vector<Connected> members;
  for (int i = 0; i < 20; ++i) members.push_back(acceptQuietly());
  const std::string message(1'000'000, 'x');
  Batch batch;
  OutputOrder order;
  codec->encode(message, kPlain, batch, order);
  for (const Connected& member : members) {
    const Piece whole{0, &batch.bytes(), 0, batch.size()};
    reactor.sender.send(ConnectionImpl::of(at(member)), {&whole, 1});
  }
  settle();
  EXPECT_THAT(events, IsEmpty());
}

}  // namespace
}  // namespace stormo::net
