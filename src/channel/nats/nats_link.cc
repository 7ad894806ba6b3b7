#include "channel/nats/nats_link.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "channel/nats/stream_setup.h"

namespace stormo::channel {
namespace {

std::string_view dataOf(const NatsMessage& message) {
  const NatsLibrary& library = *message.get_deleter().library;
  return {library.natsMsg_GetData(message.get()),
          static_cast<std::size_t>(library.natsMsg_GetDataLength(message.get()))};
}

bool isNoResponders(const NatsMessage& message) {
  return message.get_deleter().library->natsMsg_IsNoResponders(message.get());
}

// What a message that answers a request or publish reports; empty if it succeeded.
std::string failureOf(const NatsMessage& answer) {
  if (isNoResponders(answer)) return "the stream has no leader, or does not exist";
  return errorIn(dataOf(answer));
}

}  // namespace

std::string errorIn(std::string_view answer) {
  // Nearly all have none: then it is not parsed.
  if (answer.find("\"error\"") == std::string_view::npos) return {};
  const auto json = nlohmann::json::parse(answer, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("error")) return {};
  const auto& error = json["error"];
  if (error.is_object() && error.contains("description") && error["description"].is_string()) {
    return error["description"].get<std::string>();
  }
  return "an error without a description";
}

bool NatsLink::subscribe() {
  ackInbox_ = connection_->newInbox();
  answerInbox_ = connection_->newInbox();
  acks_ = connection_->subscribe(ackInbox_, [mailbox = mailbox_, link = number_,
                                             stream = settings_.stream](const NatsMessage& answer) {
    const std::string failure = failureOf(answer);
    if (failure.empty()) return;
    mailbox->push(
        {.kind = NatsEvent::Kind::Refused,
         .link = link,
         .text = fmt::format("stream \"{}\" does not store a message: {}", stream, failure)});
  });
  const auto forward = [mailbox = mailbox_, link = number_](NatsEvent::Kind kind) {
    return [mailbox, link, kind](NatsMessage message) {
      const std::size_t bytes = dataOf(message).size();
      mailbox->push(
          {.kind = kind, .link = link, .message = std::move(message), .messageBytes = bytes});
    };
  };
  questions_ = connection_->subscribe(askSubject(settings_), forward(NatsEvent::Kind::Question));
  answers_ = connection_->subscribe(answerInbox_, forward(NatsEvent::Kind::Answer));
  return acks_ && questions_ && answers_;
}

void NatsLink::execute(const NatsCommand& command) {
  switch (command.kind) {
    case NatsCommand::Kind::Publish:
      return publish(command);
    case NatsCommand::Kind::Read:
      return read(command);
    case NatsCommand::Kind::FlowControl:
      connection_->publish(command.text, {}, {});
      return;
    case NatsCommand::Kind::Ask:
      connection_->publish(askSubject(settings_), answerInbox_, command.payload);
      return;
    case NatsCommand::Kind::Answer:
      connection_->publish(command.text, {}, command.payload);
      return;
    case NatsCommand::Kind::Fail:
      return;
  }
}

void NatsLink::publish(const NatsCommand& command) {
  hasPublished_ = true;
  const natsStatus status =
      connection_->publishWithId(logSubject(settings_), ackInbox_, command.text, command.payload);
  if (status != NATS_MAX_PAYLOAD) return;  // others end the connection
  mailbox_->push({.kind = NatsEvent::Kind::Refused,
                  .link = number_,
                  .text = "a message is longer than max_payload of the NATS server"});
}

// An own ephemeral push consumer. That of libnats resets itself out of our sight.
void NatsLink::read(const NatsCommand& command) {
  reader_.reset();
  created_.reset();
  const std::string inbox = connection_->newInbox();
  const std::string answer = connection_->newInbox();
  reader_ = connection_->subscribe(
      inbox, [mailbox = mailbox_, link = number_, reader = command.reader](NatsMessage message) {
        const std::size_t bytes = dataOf(message).size();
        mailbox->push({.kind = NatsEvent::Kind::Data,
                       .link = link,
                       .reader = reader,
                       .message = std::move(message),
                       .messageBytes = bytes});
      });
  created_ = connection_->subscribe(answer, [mailbox = mailbox_, link = number_,
                                             reader = command.reader](const NatsMessage& message) {
    std::string failure = failureOf(message);
    if (failure.empty()) return;
    mailbox->push({.kind = NatsEvent::Kind::ReadFailed,
                   .link = link,
                   .reader = reader,
                   .text = std::move(failure)});
  });
  constexpr std::string_view kConfig =
      R"({{"stream_name":"{}","config":{{"deliver_subject":"{}",)"
      R"("deliver_policy":"by_start_sequence","opt_start_seq":{},"ack_policy":"none",)"
      R"("max_deliver":1,"replay_policy":"instant","flow_control":true,"idle_heartbeat":{},)"
      R"("num_replicas":1,"mem_storage":true}}}})";
  connection_->publish(fmt::format("$JS.API.CONSUMER.CREATE.{}", settings_.stream), answer,
                       fmt::format(kConfig, settings_.stream, inbox, command.sequence,
                                   std::chrono::nanoseconds(kHeartbeat).count()));
}

void NatsLink::finish() {
  constexpr std::chrono::milliseconds kPatience{500};
  if (hasPublished_) connection_->flush(kPatience);
}

}  // namespace stormo::channel
