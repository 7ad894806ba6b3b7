#include "channel/cluster/batch.h"

#include <gtest/gtest.h>

#include <string>

#include "channel/log/example_record.h"
#include "support/document_bytes.h"

namespace stormo::channel {
namespace {

constexpr NodeId kNode = 0x1122334455667789;
constexpr std::uint64_t kIncarnation = 0x000000019abcdef0;

TEST(Batch, TheDocumentShowsWhatIsWritten) {
  const std::string records = encodeBatch(
      {.node = kNode, .incarnation = kIncarnation, .number = 1, .body = test::exampleRecord()});
  const std::string gone = encodeBatch(
      {.kind = BatchKind::Gone,
       .node = kNode,
       .incarnation = kIncarnation,
       .number = 2,
       .body = encodeGone(
           {.node = 0x9988776655443323, .incarnation = 0x0000000212345678, .number = 7})});
  EXPECT_EQ(test::bytesShownIn("docs/cluster-format.md"), test::hex(records + gone));
}

TEST(Batch, IsReadAsItWasWritten) {
  std::string message = encodeBatch(
      {.kind = BatchKind::Part, .node = 3, .incarnation = 4, .number = 5, .body = "body"});
  setRound(message, 6);
  const BatchRead read = readBatch(message);
  ASSERT_EQ(read.verdict, BatchVerdict::Ok);
  EXPECT_EQ(read.batch.kind, BatchKind::Part);
  EXPECT_EQ(read.batch.node, 3u);
  EXPECT_EQ(read.batch.incarnation, 4u);
  EXPECT_EQ(read.batch.number, 5u);
  EXPECT_EQ(read.batch.round, 6u);
  EXPECT_EQ(read.batch.body, "body");
}

TEST(Batch, WhatNoNodeWritesIsMalformed) {
  const auto verdictOf = [](const Batch& batch) { return readBatch(encodeBatch(batch)).verdict; };
  EXPECT_EQ(verdictOf({.node = 1, .number = 1}), BatchVerdict::Ok);
  EXPECT_EQ(verdictOf({.node = 0, .number = 1}), BatchVerdict::Malformed);
  EXPECT_EQ(verdictOf({.node = 1, .number = 0}), BatchVerdict::Malformed);
  EXPECT_EQ(verdictOf({.kind = BatchKind::Part, .node = 1, .number = 1}), BatchVerdict::Malformed);
  EXPECT_EQ(verdictOf({.kind = BatchKind::Start, .node = 1, .body = "h1"}), BatchVerdict::Ok);
  EXPECT_EQ(verdictOf({.kind = BatchKind::Start, .node = 1}), BatchVerdict::Malformed);
  EXPECT_EQ(verdictOf({.kind = BatchKind::Start, .node = 1, .number = 1, .body = "h1"}),
            BatchVerdict::Malformed);
  const std::string name(256, 'n');
  EXPECT_EQ(verdictOf({.kind = BatchKind::Start, .node = 1, .body = name}),
            BatchVerdict::Malformed);
  EXPECT_EQ(verdictOf({.kind = BatchKind::Gone, .node = 1, .number = 1, .body = "short"}),
            BatchVerdict::Malformed);
  EXPECT_EQ(verdictOf({.kind = BatchKind::Epoch, .node = 1, .body = "\1"}), BatchVerdict::Ok);
  EXPECT_EQ(verdictOf({.kind = BatchKind::Epoch, .node = 1, .body = "\2"}),
            BatchVerdict::Malformed);
  EXPECT_EQ(verdictOf({.kind = static_cast<BatchKind>(9), .node = 1, .number = 1}),
            BatchVerdict::Malformed);
  const std::string whole = encodeBatch({.node = 1, .number = 1});
  EXPECT_EQ(readBatch(whole.substr(0, kBatchHeaderBytes - 1)).verdict, BatchVerdict::Malformed);
  EXPECT_EQ(readBatch("").verdict, BatchVerdict::Malformed);
}

TEST(Batch, OfALaterVersionOnlyTheNodeIsRead) {
  std::string message = encodeBatch({.node = 7, .number = 1});
  message[0] = 2;
  message[1] = 99;
  EXPECT_EQ(readBatch(message).verdict, BatchVerdict::Newer);
  EXPECT_EQ(readBatch(message).batch.node, 7u);
  message[0] = 0;
  EXPECT_EQ(readBatch(message).verdict, BatchVerdict::Malformed);
}

TEST(Batch, OnlyWholeRecordsWithTheirChecksumCount) {
  const std::string record = test::exampleRecord();
  EXPECT_EQ(countCheckedRecords(""), 0u);
  EXPECT_EQ(countCheckedRecords(record + record), 2u);
  EXPECT_EQ(countCheckedRecords(record + record.substr(0, 20)), std::nullopt);
  for (std::size_t i = 0; i < record.size(); ++i) {
    std::string damaged = record;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_EQ(countCheckedRecords(damaged), std::nullopt) << i;
  }
}

}  // namespace
}  // namespace stormo::channel
