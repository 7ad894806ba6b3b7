#include "channel/nats/nats_stream.h"

#include <fmt/format.h>
#include <stormo/event_loop.h>

#include <charconv>
#include <utility>

#include "channel/nats/ack_subject.h"
#include "channel/nats/nats_link.h"
#include "channel/nats/stream_setup.h"

namespace stormo::channel {
namespace {

// A reader that is silent for so long has lost its consumer.
constexpr auto kSilenceMax = 4 * kHeartbeat;
constexpr std::chrono::milliseconds kStopPatience{1000};

ClusterSettings checked(ClusterSettings settings) {
  checkStreamSettings(settings);
  return settings;
}

const NatsLibrary& libraryOf(const NatsMessage& message) { return *message.get_deleter().library; }

std::string_view dataOf(const NatsMessage& message) {
  const NatsLibrary& library = libraryOf(message);
  return {library.natsMsg_GetData(message.get()),
          static_cast<std::size_t>(library.natsMsg_GetDataLength(message.get()))};
}

std::string_view replyOf(const NatsMessage& message) {
  const char* const reply = libraryOf(message).natsMsg_GetReply(message.get());
  return reply == nullptr ? "" : reply;
}

// Empty if the message does not have it.
std::string_view headerOf(const NatsMessage& message, const char* name) {
  const char* value = nullptr;
  const natsStatus status = libraryOf(message).natsMsgHeader_Get(message.get(), name, &value);
  return status != NATS_OK || value == nullptr ? "" : value;
}

}  // namespace

NatsStream::NatsStream(ClusterSettings settings)
    : settings_(checked(std::move(settings))), servers_(parseServerUrls(settings_.servers)) {}

NatsStream::~NatsStream() {
  if (timer_ != 0) Timer::cancel(timer_);
  if (mailbox_) mailbox_->close();
  if (thread_) thread_->stop(kStopPatience);
}

void NatsStream::open(StreamSink& sink) {
  sink_ = &sink;
  mailbox_ = std::make_shared<NatsMailbox>(EventLoop::current().handle(),
                                           [this](NatsEvent& event) { onEvent(event); });
  thread_ = NatsThread::start(settings_, servers_, mailbox_);
  timer_ = Timer::add(kHeartbeat, [this] { checkSilence(); });
}

void NatsStream::readFrom(std::uint64_t sequence) {
  if (link_ == 0) return;
  isReading_ = true;
  next_ = sequence == 0 ? 1 : sequence;
  consumed_ = 0;
  heard_ = EventLoop::current().now();
  thread_->add(
      {.kind = NatsCommand::Kind::Read, .link = link_, .reader = ++reader_, .sequence = next_});
}

void NatsStream::publish(std::string id, std::string message) {
  if (link_ == 0) return;
  thread_->add({.kind = NatsCommand::Kind::Publish,
                .link = link_,
                .text = std::move(id),
                .payload = std::move(message)});
}

void NatsStream::ask(std::string question) {
  if (link_ == 0) return;
  thread_->add({.kind = NatsCommand::Kind::Ask, .link = link_, .payload = std::move(question)});
}

void NatsStream::answer(std::string_view asker, std::string answer) {
  if (link_ == 0) return;
  thread_->add({.kind = NatsCommand::Kind::Answer,
                .link = link_,
                .text = std::string(asker),
                .payload = std::move(answer)});
}

// The sink may destroy this object: its calls are the last that happens here.
void NatsStream::onEvent(NatsEvent& event) {
  switch (event.kind) {
    case NatsEvent::Kind::Connected:
      link_ = event.link;
      isReading_ = false;
      return sink_->onConnected(event.info);
    case NatsEvent::Kind::Disconnected:
      link_ = 0;
      isReading_ = false;
      return sink_->onDisconnected(event.text);
    default:
      break;
  }
  if (event.link != link_) return;
  switch (event.kind) {
    case NatsEvent::Kind::Refused:
      return sink_->onRefused(event.text);
    case NatsEvent::Kind::Data:
      return onData(event);
    case NatsEvent::Kind::ReadFailed:
      if (!isReading_ || event.reader != reader_) return;
      return fail(fmt::format("stream \"{}\" cannot be read: {}", settings_.stream, event.text));
    case NatsEvent::Kind::Question:
      return sink_->onQuestion(replyOf(event.message), dataOf(event.message));
    case NatsEvent::Kind::Answer:
      if (libraryOf(event.message).natsMsg_IsNoResponders(event.message.get())) return;
      return sink_->onAnswer(dataOf(event.message));
    default:
      return;
  }
}

void NatsStream::onData(const NatsEvent& event) {
  if (!isReading_ || event.reader != reader_) return;
  heard_ = EventLoop::current().now();
  const std::string_view reply = replyOf(event.message);
  const auto position = parseAckSubject(reply);
  if (!position) return onStatus(event, reply);
  if (position->consumerSequence != consumed_ + 1) {
    return fail(fmt::format("messages of stream \"{}\" were lost on their way", settings_.stream));
  }
  ++consumed_;
  // Only if the stream ends before the sequence that readFrom() was given.
  if (position->streamSequence < next_) return;
  next_ = position->streamSequence + 1;
  sink_->onMessage(position->streamSequence, dataOf(event.message));
}

// A heartbeat, or a question of the flow control: see NATS' ADR-9.
void NatsStream::onStatus(const NatsEvent& event, std::string_view reply) {
  if (!reply.empty()) return answerFlowControl(reply);
  const std::string_view last = headerOf(event.message, "Nats-Last-Consumer");
  std::uint64_t sent = 0;
  std::from_chars(last.data(), last.data() + last.size(), sent);
  if (sent > consumed_) {
    return fail(fmt::format("messages of stream \"{}\" were lost on their way", settings_.stream));
  }
  const std::string_view stalled = headerOf(event.message, "Nats-Consumer-Stalled");
  if (!stalled.empty()) answerFlowControl(stalled);
}

// All messages before it were handled: JetStream may send more.
void NatsStream::answerFlowControl(std::string_view subject) {
  thread_->add(
      {.kind = NatsCommand::Kind::FlowControl, .link = link_, .text = std::string(subject)});
}

void NatsStream::fail(std::string reason) {
  isReading_ = false;
  thread_->add({.kind = NatsCommand::Kind::Fail, .link = link_, .text = std::move(reason)});
}

void NatsStream::checkSilence() {
  if (!isReading_ || EventLoop::current().now() - heard_ < kSilenceMax) return;
  if (!mailbox_->isEmpty()) return;  // the loop was busy
  fail(fmt::format("stream \"{}\" sends nothing, not even heartbeats", settings_.stream));
}

}  // namespace stormo::channel
