#include "channel/cluster/outbox.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "channel/log/record.h"

namespace stormo::channel {

void Outbox::begin(NodeId node, std::uint64_t incarnation, std::size_t messageBytesMax) {
  STORMO_ASSERT(messageBytesMax > kBatchHeaderBytes);
  node_ = node;
  incarnation_ = incarnation;
  bodyBytesMax_ = messageBytesMax - kBatchHeaderBytes;
  lastNumber_ = 0;
  nextNumber_ = 1;
  round_ = 0;
  counted_ = sent_ = 0;
  for (Entry& entry : batches_) {
    entry.number = ++lastNumber_;
    entry.message = encode(entry.kind, std::string_view(entry.message).substr(kBatchHeaderBytes));
  }
}

std::string Outbox::encode(BatchKind kind, std::string_view body) const {
  return encodeBatch({.kind = kind,
                      .node = node_,
                      .incarnation = incarnation_,
                      .number = lastNumber_,
                      .body = body});
}

void Outbox::add(std::string_view records, std::uint64_t count) {
  while (!records.empty()) {
    std::size_t bytes = 0;
    std::uint64_t fitting = 0;
    while (bytes < records.size()) {
      const std::size_t next = trustedRecordBytes(records.substr(bytes));
      if (bytes + next > bodyBytesMax_) break;
      bytes += next;
      ++fitting;
    }
    if (fitting == 0) {
      bytes = trustedRecordBytes(records);
      fitting = 1;
      addLong(records.substr(0, bytes));
    } else {
      push(BatchKind::Records, records.substr(0, bytes), fitting);
    }
    records.remove_prefix(bytes);
    count -= fitting;
  }
  STORMO_ASSERT(count == 0);
}

void Outbox::addLong(std::string_view record) {
  while (record.size() > bodyBytesMax_) {
    push(BatchKind::Part, record.substr(0, bodyBytesMax_), 0);
    record.remove_prefix(bodyBytesMax_);
  }
  push(BatchKind::Records, record, 1);
}

void Outbox::add(BatchKind kind, std::string_view body) { push(kind, body, 0); }

void Outbox::push(BatchKind kind, std::string_view body, std::uint64_t records) {
  const bool joins =
      kind == BatchKind::Records && batches_.size() > sent_ &&
      batches_.back().kind == BatchKind::Records &&
      batches_.back().message.size() + body.size() <= kBatchHeaderBytes + bodyBytesMax_;
  bytes_ += body.size();
  if (joins) {
    batches_.back().message += body;
    batches_.back().records += records;
    return;
  }
  ++lastNumber_;
  batches_.push_back(
      {.message = encode(kind, body), .number = lastNumber_, .records = records, .kind = kind});
  bytes_ += kBatchHeaderBytes;
}

void Outbox::flush() {
  if (isHeld_) return;
  for (; sent_ < batches_.size() && sent_ - counted_ < kSentMax; ++sent_) {
    Entry& entry = batches_[sent_];
    setRound(entry.message, round_);
    send(fmt::format("{:x}-{:x}-{}-{}", node_, incarnation_, entry.number, round_), entry.message);
  }
}

void Outbox::sendAgain(bool isMissing) {
  isHeld_ = false;
  if (isMissing) ++round_;
  sent_ = counted_;
  flush();
}

std::uint64_t Outbox::remove(std::uint64_t number) {
  STORMO_ASSERT(counted_ < batches_.size() && batches_[counted_].number == number);
  nextNumber_ = number + 1;
  ++counted_;
  sent_ = std::max(sent_, counted_);
  if (batches_[counted_ - 1].kind == BatchKind::Part) return 0;
  const std::uint64_t records = batches_[counted_ - 1].records;
  for (; counted_ > 0; --counted_, --sent_) {
    bytes_ -= batches_.front().message.size();
    batches_.pop_front();
  }
  return records;
}

}  // namespace stormo::channel
