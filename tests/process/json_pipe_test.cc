#include "process/json_pipe.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "sys/clock.h"

namespace stormo::process {
namespace {

using namespace std::chrono_literals;

struct JsonPipeTest : testing::Test {
  bool turnUntil(const std::function<bool()>& done) {
    const TimePoint deadline = Clock::now() + 60s;
    while (!done() && Clock::now() < deadline) loop.turn(10ms);
    return done();
  }

  EventLoop loop;
};

TEST_F(JsonPipeTest, MoreThanTheKernelBuffersArrivesInOrder) {
  constexpr int kPackets = 3000;
  auto ends = JsonPipe::pair().value();
  std::vector<int> received;
  JsonPipe sender(
      loop, std::move(ends.first), [](const Json&) {}, [] {});
  const std::string filling(1000, 'x');
  for (int i = 0; i < kPackets; ++i) sender.send({{"i", i}, {"filling", filling}});
  JsonPipe receiver(
      loop, std::move(ends.second), [&](const Json& packet) { received.push_back(packet.at("i")); },
      [] {});
  ASSERT_TRUE(turnUntil([&] { return received.size() == kPackets; })) << received.size();
  for (int i = 0; i < kPackets; ++i) ASSERT_EQ(received[static_cast<std::size_t>(i)], i);
}

TEST_F(JsonPipeTest, TheOtherEndsCloseIsReportedOnceAfterItsLastPacket) {
  auto ends = JsonPipe::pair().value();
  std::vector<std::string> received;
  JsonPipe receiver(
      loop, std::move(ends.second), [&](const Json& packet) { received.push_back(packet.dump()); },
      [&] { received.push_back("end"); });
  {
    JsonPipe sender(
        loop, std::move(ends.first), [](const Json&) {}, [] {});
    sender.send({{"last", "words"}});
  }
  ASSERT_TRUE(turnUntil([&] { return received.size() >= 2; }));
  loop.turn(0ms);
  EXPECT_EQ(received, (std::vector<std::string>{R"({"last":"words"})", "end"}));
  receiver.send({{"to", "nobody"}});  // no effect
}

TEST_F(JsonPipeTest, InvalidPacketsAreSkipped) {
  auto ends = JsonPipe::pair().value();
  int good = 0;
  JsonPipe receiver(
      loop, std::move(ends.second),
      [&](const Json& packet) { good += packet.at("number").get<int>(); }, [] {});
  for (const char* packet : {"rubbish", "[1]", R"({"number":"x"})", R"({})", R"({"number":1})"}) {
    ASSERT_GT(::write(ends.first.get(), packet, std::strlen(packet)), 0);
  }
  EXPECT_TRUE(turnUntil([&] { return good == 1; }));
}

TEST_F(JsonPipeTest, ADescriptorArrivesWithItsPacketAndIsClosedIfNotTaken) {
  auto ends = JsonPipe::pair().value();
  int pipeEnds[2];
  ASSERT_EQ(::pipe(pipeEnds), 0);
  const UniqueFd reading(pipeEnds[0]);
  UniqueFd writing(pipeEnds[1]);
  JsonPipe sender(
      loop, std::move(ends.first), [](const Json&) {}, [] {});
  sender.send({{"take", false}}, &writing);
  sender.send({{"take", false}});
  sender.send({{"take", true}}, &writing);
  writing.reset();
  int packets = 0;
  UniqueFd taken;
  JsonPipe* link = nullptr;
  JsonPipe receiver(
      loop, std::move(ends.second),
      [&](const Json& packet) {
        ++packets;
        if (packet.at("take")) taken = link->takeDescriptor();
      },
      [] {});
  link = &receiver;
  ASSERT_TRUE(turnUntil([&] { return packets == 3; }));
  ASSERT_TRUE(taken.valid());
  EXPECT_EQ(::write(taken.get(), "x", 1), 1);
  char byte = 0;
  EXPECT_EQ(::read(reading.get(), &byte, 1), 1);
  taken.reset();
  EXPECT_EQ(::read(reading.get(), &byte, 1), 0);  // no other process has the other end
}

}  // namespace
}  // namespace stormo::process
