#include "channel/server/channel_state.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "protocol/channel/client_name.h"
#include "protocol/package/frame.h"

namespace stormo::channel {
namespace {

// Many clients may reconnect at once, and on a busy server the answer is most likely false.
constexpr std::size_t kCheckedEventsMax = 1000;
constexpr std::size_t kReplyBytesMax = 1 << 20;

}  // namespace

Packet eventIn(std::string_view frame) {
  Packet event;
  STORMO_ASSERT(decode(framePayload(frame), event) == Decode::Ok);
  return event;
}

ChannelState::ChannelState(const Server& settings)
    : settings_(settings),
      window_(settings.replayBytesMax, settings.replayAgeMax),
      history_(settings.history) {}

void ChannelState::begin(std::uint64_t epoch) {
  if (std::exchange(epoch_, epoch) == epoch || offset_ == 0) return;
  window_.clear(offset_);
  history_.clear();
}

bool ChannelState::restore(StateReader& in) {
  epoch_ = in.number();
  offset_ = in.number();
  time_ = in.number();
  window_.restore(in, offset_);
  const bool hasHistory = history_.restore(in);
  producers_.restore(in);
  sessions_.restore(in);
  jobs_.restore(in);
  retained_.restore(in);
  interests_.restore(in);
  for (std::uint64_t left = in.number(); left > 0 && in.ok(); --left) {
    const std::uint64_t producerId = in.number();
    const std::uint64_t sequence = in.number();
    rejections_.push_back({producerId, sequence, std::string(in.bytes())});
  }
  if (hasHistory && in.ok() && in.atEnd()) return true;
  reset();
  return false;
}

void ChannelState::reset() {
  epoch_ = offset_ = time_ = 0;
  window_ = ReplayWindow(settings_.replayBytesMax, settings_.replayAgeMax);
  history_ = History(settings_.history);
  producers_ = DedupTable(kProducersMax);
  sessions_ = DedupTable(kSessionsMax);
  jobs_ = {};
  retained_ = {};
  interests_ = {};
  rejections_.clear();
}

void ChannelState::save(StateWriter& out) const {
  out.number(epoch_);
  out.number(offset_);
  out.number(time_);
  window_.save(out);
  history_.save(out);
  producers_.save(out);
  sessions_.save(out);
  jobs_.save(out);
  retained_.save(out);
  interests_.save(out);
  out.number(rejections_.size());
  for (const Rejection& each : rejections_) {
    out.number(each.producerId);
    out.number(each.sequence);
    out.bytes(each.reason);
  }
}

void ChannelState::recall(std::uint64_t first, std::string_view records) {
  window_.recall(first);
  isRecalling_ = true;
  const std::uint64_t latest = std::exchange(time_, recalledTime_);
  for (offset_ = first - 1; !records.empty(); records.remove_prefix(trustedRecordBytes(records))) {
    const Record record = trustedRecord(records);
    time_ = std::max(time_, record.time);
    Packet packet;
    if (window_.isSkipped(++offset_) || decode(record.packet, packet) != Decode::Ok) continue;
    const bool isPublish = packet.kind == Kind::Publish || packet.kind == Kind::Retain ||
                           packet.kind == Kind::IdempotentPublish;
    if (isPublish) publish(packet);
  }
  isRecalling_ = false;
  recalledTime_ = std::exchange(time_, latest);
}

void ChannelState::apply(std::uint64_t first, std::string_view records, NodeId from) {
  from_ = from;
  for (offset_ = first - 1; !records.empty();) {
    const std::size_t bytes = trustedRecordBytes(records);
    ++offset_;
    apply(trustedRecord(records));
    records.remove_prefix(bytes);
  }
  window_.forget(time_);
}

void ChannelState::apply(const Record& record) {
  time_ = std::max(time_, record.time);
  Packet packet;
  if (decode(record.packet, packet) != Decode::Ok) return;
  const bool isNumbered = record.producerId != 0 && packet.sequence != 0;
  if (isNumbered && !producers_.take(record.producerId, packet.sequence, time_, offset_)) {
    return onDuplicate(record.producerId, packet);
  }
  switch (packet.kind) {
    case Kind::IdempotentPublish:
      return idempotentPublish(record.producerId, packet);
    case Kind::Retain:
      retained_.keep(packet, time_);
      publish(packet);
      return receipt(record.producerId, packet, offset_);
    case Kind::Publish:
      publish(packet);
      return receipt(record.producerId, packet, offset_);
    case Kind::Enqueue:
      jobs_.enqueue(offset_, packet.channel, packet.payload);
      if (observer_ != nullptr) observer_->onJobWaiting(offset_, packet.channel);
      return;
    case Kind::Job:
      return hand(packet, record.producerId);
    case Kind::Finish:
      if (jobs_.finish(packet.job, record.producerId) && observer_ != nullptr) {
        observer_->onJobLeft(packet.job, record.producerId);
      }
      return;
    case Kind::Return: {
      const std::uint64_t number = jobs_.giveBack(packet.job, record.producerId);
      if (number == 0 || observer_ == nullptr) return;
      observer_->onJobLeft(packet.job, record.producerId);
      return observer_->onJobWaiting(number, jobs_.find(number)->queue);
    }
    case Kind::Interest:
      return interests_.set(packet.channel, from_, packet.receivers);
    case Kind::Rejected:
      return reject(record.producerId, packet);
    default:
      return;  // of a later version
  }
}

void ChannelState::hand(const Packet& packet, ConsumerId consumer) {
  const JobStore::Job* const job = jobs_.hand(packet.job, consumer, offset_, from_);
  if (observer_ == nullptr) return;
  if (job != nullptr) return observer_->onJobHanded(packet.job, *job);
  if (from_ == node_) observer_->onJobMissed(consumer);
}

void ChannelState::nodeGone(NodeId node) {
  interests_.nodeGone(node);
  for (const JobStore::Left& each : jobs_.giveBackAll(node)) {
    if (observer_ == nullptr) continue;
    observer_->onJobLeft(each.lease, each.consumer);
    observer_->onJobWaiting(each.number, jobs_.find(each.number)->queue);
  }
  if (observer_ != nullptr) observer_->onNodeGone(node);
}

void ChannelState::reject(std::uint64_t producerId, const Packet& rejected) {
  if (rejections_.size() == kRejectionsMax) rejections_.pop_front();
  rejections_.push_back({producerId, rejected.sequence, std::string(rejected.payload)});
  if (observer_ != nullptr) {
    observer_->onRejected(producerId, rejected.sequence, rejected.payload);
  }
}

void ChannelState::onDuplicate(std::uint64_t producerId, const Packet& packet) {
  window_.skip(offset_);
  if (observer_ == nullptr) return;
  const auto known = std::ranges::find_if(rejections_, [&](const Rejection& each) {
    return each.producerId == producerId && each.sequence == packet.sequence;
  });
  if (known != rejections_.end()) {
    return observer_->onRejected(producerId, packet.sequence, known->reason);
  }
  const std::uint64_t bySequence = producers_.offsetOf(producerId, packet.sequence);
  const bool hasSession = bySequence == 0 && packet.session != 0;
  receipt(producerId, packet,
          hasSession ? sessions_.offsetOf(packet.session, packet.sendNumber) : bySequence);
}

void ChannelState::receipt(std::uint64_t producerId, const Packet& publish, std::uint64_t offset,
                           bool isDuplicate) {
  if (!publish.receipt || observer_ == nullptr) return;
  observer_->onReceipt(producerId, publish, offset, isDuplicate);
}

void ChannelState::idempotentPublish(std::uint64_t producerId, const Packet& packet) {
  const bool isNew =
      packet.session == 0 || sessions_.take(packet.session, packet.sendNumber, time_, offset_);
  if (isNew) {
    publish(packet);
    return receipt(producerId, packet, offset_);
  }
  window_.skip(offset_);
  receipt(producerId, packet, sessions_.offsetOf(packet.session, packet.sendNumber), true);
}

void ChannelState::publish(const Packet& publish) {
  Packet event{.kind = Kind::Event,
               .payloadKind = publish.payloadKind,
               .space = publish.space,
               .epoch = epoch_,
               .offset = offset_,
               .channel = publish.channel,
               .except = publish.except,
               .payload = publish.payload};
  if (publish.loop) {
    event.offset = 0;  // it is no part of what a link receives in order, and is not replayed
    if (isRecalling_) return;
    const NodeId node = interests_.next(event.channel, from_);
    if (observer_ != nullptr && node == node_) observer_->onEventToOne(event);
    return;
  }
  append(event);
  if (publish.space == Space::Groups || publish.channel != settings_.groupEvent) return;
  const auto message = readGroupEvent(publish.payload, scratch_);
  if (!message) return;
  event.derived = true;
  event.space = Space::Groups;
  event.payloadKind = payloadKindOf(message->message);
  event.channel = message->group;
  event.payload = message->message.data;
  append(event);
}

void ChannelState::append(const Packet& event) {
  const std::size_t bytes = headerBytes(event) + event.payload.size();
  char* const begin = window_.append(offset_, bytes, time_);
  event.payload.copy(encodeHeader(event, event.payload.size(), begin), event.payload.size());
  if (isRecalling_) return;
  const std::string_view frame(begin, bytes);
  const bool hasHistory = event.space == Space::Groups && !isClientName(event.channel);
  if (hasHistory) history_.append(event.channel, offset_, frame, time_);
  if (observer_ != nullptr) observer_->onEvent(event, frame);
}

bool ChannelState::appendMessagesAfter(std::uint64_t offset, std::string_view group,
                                       std::uint64_t now, std::string& out) const {
  if (history_.appendAfter(group, offset, now, out)) return true;
  if (!window_.reaches(offset)) return false;
  const std::size_t before = out.size();
  std::size_t left = kCheckedEventsMax;
  bool isWhole = true;
  window_.visitFrom(offset + 1, [&](std::string_view frame) {
    if (left-- == 0) return isWhole = false;
    const Packet event = eventIn(frame);
    if (event.space == Space::Groups && event.channel == group) {
      isWhole = offset > 0 && out.size() - before + frame.size() <= kReplyBytesMax;
      if (isWhole) out += frame;
    }
    return isWhole;
  });
  if (!isWhole) out.resize(before);
  return isWhole;
}

}  // namespace stormo::channel
