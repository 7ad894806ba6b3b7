#include "channel/cluster/batch.h"

#include "base/bytes.h"
#include "channel/log/record.h"

namespace stormo::channel {
namespace {

// u8 version | u8 kind | u16 0 | u32 round | u64 node | u64 incarnation | u64 number | body
constexpr std::size_t kKindBegin = 1;
constexpr std::size_t kRoundBegin = 4;
constexpr std::size_t kNodeBegin = 8;
constexpr std::size_t kIncarnationBegin = 16;
constexpr std::size_t kNumberBegin = 24;
constexpr std::size_t kGoneBytes = 24;

std::uint64_t numberAt(std::string_view bytes, std::size_t at) {
  return loadBigEndian<std::uint64_t>(bytes.data() + at);
}

bool isWellFormed(const Batch& batch) {
  if (batch.node == 0) return false;
  switch (batch.kind) {
    case BatchKind::Records:
      return batch.number > 0;
    case BatchKind::Part:
      return batch.number > 0 && !batch.body.empty();
    case BatchKind::Start:
      return batch.number == 0 && !batch.body.empty() && batch.body.size() <= kNodeNameBytesMax;
    case BatchKind::Gone:
      return batch.number > 0 && batch.body.size() == kGoneBytes;
    case BatchKind::Epoch:
      return batch.number == 0 && batch.body.size() == 1 && batch.body[0] <= 1;
  }
  return false;
}

}  // namespace

std::string encodeBatch(const Batch& batch) {
  std::string message;
  message.reserve(kBatchHeaderBytes + batch.body.size());
  message.resize(kBatchHeaderBytes);
  char* const header = message.data();
  header[0] = static_cast<char>(kBatchVersion);
  header[kKindBegin] = static_cast<char>(batch.kind);
  storeBigEndian(header + kRoundBegin, batch.round);
  storeBigEndian(header + kNodeBegin, batch.node);
  storeBigEndian(header + kIncarnationBegin, batch.incarnation);
  storeBigEndian(header + kNumberBegin, batch.number);
  return message.append(batch.body);
}

std::string encodeGone(const GoneNode& gone) {
  std::string body(kGoneBytes, '\0');
  storeBigEndian(body.data(), gone.node);
  storeBigEndian(body.data() + 8, gone.incarnation);
  storeBigEndian(body.data() + 16, gone.number);
  return body;
}

GoneNode goneIn(std::string_view body) {
  return {
      .node = numberAt(body, 0), .incarnation = numberAt(body, 8), .number = numberAt(body, 16)};
}

void setRound(std::string& message, std::uint32_t round) {
  storeBigEndian(message.data() + kRoundBegin, round);
}

BatchRead readBatch(std::string_view message) {
  if (message.size() < kBatchHeaderBytes) return {BatchVerdict::Malformed};
  const auto version = static_cast<std::uint8_t>(message[0]);
  const Batch batch{.kind = static_cast<BatchKind>(message[kKindBegin]),
                    .node = numberAt(message, kNodeBegin),
                    .incarnation = numberAt(message, kIncarnationBegin),
                    .number = numberAt(message, kNumberBegin),
                    .round = loadBigEndian<std::uint32_t>(message.data() + kRoundBegin),
                    .body = message.substr(kBatchHeaderBytes)};
  if (version > kBatchVersion && batch.node != 0)
    return {BatchVerdict::Newer, {.node = batch.node}};
  if (version != kBatchVersion || !isWellFormed(batch)) return {BatchVerdict::Malformed};
  return {BatchVerdict::Ok, batch};
}

std::optional<std::uint64_t> countCheckedRecords(std::string_view records) {
  std::uint64_t count = 0;
  for (; !records.empty(); ++count) {
    const RecordRead read = readRecord(records);
    if (read.verdict != RecordVerdict::Ok) return std::nullopt;
    records.remove_prefix(read.bytes);
  }
  return count;
}

}  // namespace stormo::channel
