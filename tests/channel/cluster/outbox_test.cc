#include "channel/cluster/outbox.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "channel/log/record.h"

namespace stormo::channel {
namespace {

class OutboxTest : public testing::Test {
 protected:
  OutboxTest() {
    outbox.send = [this](std::string id, std::string message) {
      ids.push_back(std::move(id));
      sent.push_back(std::move(message));
    };
    outbox.begin(1, 1, kBatchHeaderBytes + 200);
  }

  static std::string record(std::size_t packetBytes) {
    std::string bytes;
    appendRecord({.producerId = 1, .packet = std::string(packetBytes, 'p')}, bytes);
    return bytes;
  }
  [[nodiscard]] Batch batch(std::size_t index) const {
    const BatchRead read = readBatch(sent.at(index));
    EXPECT_EQ(read.verdict, BatchVerdict::Ok);
    return read.batch;
  }
  void add(std::size_t packetBytes = 1) {
    outbox.add(record(packetBytes), 1);
    outbox.flush();
  }

  Outbox outbox;
  std::vector<std::string> ids;
  std::vector<std::string> sent;
};

TEST_F(OutboxTest, ABatchLeavesAtOnceWhileFewAreOnTheirWay) {
  add();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(batch(0).number, 1u);
  EXPECT_EQ(batch(0).body, record(1));
  for (std::size_t i = 1; i < Outbox::kSentMax + 3; ++i) add();
  EXPECT_EQ(sent.size(), Outbox::kSentMax);
  EXPECT_EQ(outbox.remove(1), 1u);
  outbox.flush();
  ASSERT_EQ(sent.size(), Outbox::kSentMax + 1);
  EXPECT_EQ(batch(Outbox::kSentMax).body, record(1) + record(1) + record(1))
      << "what waits grows to one batch";
}

TEST_F(OutboxTest, TheRecordsOfATurnThatDoNotFitAreSeveralBatches) {
  const std::string five = record(60) + record(60) + record(60) + record(60) + record(60);
  outbox.add(five, 5);
  outbox.flush();
  ASSERT_EQ(sent.size(), 3u);
  EXPECT_EQ(std::string(batch(0).body) + std::string(batch(1).body) + std::string(batch(2).body),
            five);
  EXPECT_EQ(outbox.remove(1), 2u);
  EXPECT_EQ(outbox.remove(2), 2u);
  EXPECT_EQ(outbox.remove(3), 1u);
  EXPECT_TRUE(outbox.isEmpty());
  EXPECT_EQ(outbox.bytes(), 0u);
}

TEST_F(OutboxTest, ALongRecordIsSentInPartsWhichAreKeptUntilItsEnd) {
  add(450);
  ASSERT_EQ(sent.size(), 3u);
  EXPECT_EQ(batch(0).kind, BatchKind::Part);
  EXPECT_EQ(batch(1).kind, BatchKind::Part);
  EXPECT_EQ(batch(2).kind, BatchKind::Records);
  EXPECT_EQ(outbox.remove(1), 0u);
  EXPECT_EQ(outbox.remove(2), 0u);
  // The incarnation ends: the parts that have counted are lost with it.
  outbox.begin(1, 2, kBatchHeaderBytes + 200);
  sent.clear();
  outbox.sendAgain();
  ASSERT_EQ(sent.size(), 3u);
  std::string whole;
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(batch(i).incarnation, 2u);
    EXPECT_EQ(batch(i).number, i + 1);
    whole += batch(i).body;
  }
  EXPECT_EQ(whole, record(450));
  EXPECT_EQ(outbox.remove(1) + outbox.remove(2) + outbox.remove(3), 1u);
  EXPECT_TRUE(outbox.isEmpty());
}

TEST_F(OutboxTest, WhatIsSentAgainHasItsIdUnlessOneWasMissing) {
  add();
  add();
  outbox.sendAgain();
  ASSERT_EQ(ids.size(), 4u);
  EXPECT_EQ(ids[2], ids[0]);
  EXPECT_EQ(ids[3], ids[1]);
  outbox.sendAgain(true);
  ASSERT_EQ(ids.size(), 6u);
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), 4u);
  EXPECT_EQ(batch(4).round, 1u);
  EXPECT_EQ(batch(4).number, 1u);
  EXPECT_EQ(outbox.round(), 1u);
}

TEST_F(OutboxTest, NothingLeavesWhileItIsHeld) {
  outbox.hold();
  add();
  add();
  EXPECT_TRUE(sent.empty());
  outbox.sendAgain();
  ASSERT_EQ(sent.size(), 1u) << "they have become one batch";
  EXPECT_EQ(outbox.remove(1), 2u);
}

TEST_F(OutboxTest, ABatchOfAnotherKindStandsAlone) {
  for (std::size_t i = 0; i < Outbox::kSentMax; ++i) add();
  add();
  outbox.add(BatchKind::Gone, encodeGone({.node = 2, .incarnation = 1, .number = 1}));
  add();
  for (std::size_t i = 1; i <= Outbox::kSentMax; ++i) EXPECT_EQ(outbox.remove(i), 1u);
  outbox.flush();
  ASSERT_EQ(sent.size(), Outbox::kSentMax + 3);
  EXPECT_EQ(batch(Outbox::kSentMax).kind, BatchKind::Records);
  EXPECT_EQ(batch(Outbox::kSentMax + 1).kind, BatchKind::Gone);
  EXPECT_EQ(batch(Outbox::kSentMax + 2).kind, BatchKind::Records);
}

}  // namespace
}  // namespace stormo::channel
