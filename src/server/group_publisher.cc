#include "server/group_publisher.h"

namespace stormo::server {

void GroupPublisher::publish(Connection& client, const Send& send) {
  if (waiting_.empty() && tryPublish(client.id(), send)) return;
  client.pauseRecv();
  waiting_.push_back({.client = client.id(),
                      .group = std::string(send.group),
                      .message = std::string(send.message),
                      .id = send.id,
                      .request = send.request});
}

bool GroupPublisher::tryPublish(ConnectionId client, const Send& send) {
  switch (channel_.publishToGroup(send.group, send.message, send.id)) {
    case PublishStatus::Full:
      return false;
    case PublishStatus::Refused:
      onRefused(client, send.request);
      return true;
    case PublishStatus::Accepted:
      break;
  }
  if (send.request == 0) return true;
  accepted_.push_back({channel_.accepted(), client, send.request});
  onAcknowledged();  // in Workerman's dialect it is acknowledged already
  return true;
}

void GroupPublisher::onDrain() {
  while (!waiting_.empty()) {
    const Waiting& first = waiting_.front();
    if (!tryPublish(first.client, {.group = first.group,
                                   .message = first.message,
                                   .id = first.id,
                                   .request = first.request})) {
      return;
    }
    if (Connection* client = worker_.find(first.client)) client->resumeRecv();
    waiting_.pop_front();
  }
}

void GroupPublisher::onAcknowledged() {
  while (firstOpen_ < accepted_.size() && accepted_[firstOpen_].number <= channel_.acknowledged()) {
    const Accepted done = accepted_[firstOpen_++];
    onDone(done.client, done.request);
  }
  if (2 * firstOpen_ < accepted_.size()) return;  // erased when it costs little for each
  accepted_.erase(accepted_.begin(), accepted_.begin() + static_cast<std::ptrdiff_t>(firstOpen_));
  firstOpen_ = 0;
}

void GroupPublisher::onRejected(std::uint64_t number) {
  for (std::size_t i = firstOpen_; i < accepted_.size(); ++i) {
    Accepted& each = accepted_[i];
    if (each.number != number) continue;
    onRefused(each.client, each.request);
    each.client = 0;  // it has its reply
  }
}

}  // namespace stormo::server
