#include "server/publishing.h"

namespace stormo::server {

void Publishing::publish(Connection& client, const Outgoing& message) {
  if (waiting_.empty() && tryPublish(client.id(), message)) return;
  client.pauseRecv();
  waiting_.push_back({.client = client.id(),
                      .group = std::string(message.group),
                      .message = std::string(message.message),
                      .send = message.send,
                      .request = message.request});
}

bool Publishing::tryPublish(ConnectionId client, const Outgoing& message) {
  switch (bus_.publishToGroup(message.group, message.message, message.send)) {
    case PublishStatus::Full:
      return false;
    case PublishStatus::Refused:
      onRefused(client, message.request);
      return true;
    case PublishStatus::Accepted:
      break;
  }
  if (message.request == 0) return true;
  accepted_.push({bus_.accepted(), client, message.request});
  onAcknowledged();  // a Channel that acknowledges nothing has it already
  return true;
}

void Publishing::onDrain() {
  while (!waiting_.empty()) {
    const Waiting& first = waiting_.front();
    if (!tryPublish(first.client, {.group = first.group,
                                   .message = first.message,
                                   .send = first.send,
                                   .request = first.request})) {
      return;
    }
    if (Connection* client = worker_.find(first.client)) client->resumeRecv();
    waiting_.pop_front();
  }
}

void Publishing::onAcknowledged() {
  while (!accepted_.empty() && accepted_.front().number <= bus_.acknowledged()) {
    const Accepted done = accepted_.front();
    accepted_.pop();
    onDone(done.client, done.request);
  }
}

void Publishing::onRejected(std::uint64_t number) {
  accepted_.forEach([&](Accepted& each) {
    if (each.number != number) return;
    onRefused(each.client, each.request);
    each.client = 0;  // has its reply
  });
}

}  // namespace stormo::server
