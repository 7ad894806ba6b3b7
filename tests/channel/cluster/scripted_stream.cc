#include "channel/cluster/scripted_stream.h"

#include <algorithm>
#include <utility>

namespace stormo::channel {

void ScriptedServers::createAnew() {
  ++epoch_;
  first_ = 1;
  stored_.clear();
  ids_.clear();
}

void ScriptedServers::forgetBefore(std::uint64_t sequence) {
  for (; first_ < sequence && !stored_.empty(); ++first_) stored_.pop_front();
}

void ScriptedServers::loseAfter(std::uint64_t sequence) {
  while (last() > sequence && !stored_.empty()) stored_.pop_back();
}

StreamInfo ScriptedServers::info() const {
  return {.epoch = epoch_, .first = first_, .last = last(), .messageBytesMax = messageBytesMax};
}

void ScriptedServers::store(const std::string& id, const std::string& message) {
  if (ids_.insert(id).second) stored_.push_back({id, message});
}

void ScriptedStream::connect() {
  isConnected_ = true;
  next_ = 0;
  sink_->onConnected(servers_.info());
}

void ScriptedStream::disconnect(const std::string& reason) {
  isConnected_ = false;
  published_.clear();
  talks_.clear();
  sink_->onDisconnected(reason);
}

bool ScriptedStream::storeOne() {
  if (published_.empty()) return false;
  const auto message = std::move(published_.front());
  published_.pop_front();
  servers_.store(message.id, message.message);
  return true;
}

bool ScriptedStream::readOne() {
  if (!isConnected_ || next_ == 0) return false;
  next_ = std::max(next_, servers_.first_);
  if (next_ > servers_.last()) return false;
  const std::uint64_t sequence = next_++;
  const std::string message = servers_.at(sequence).message;  // it may be forgotten meanwhile
  sink_->onMessage(sequence, message);
  return true;
}

bool ScriptedStream::talkOne() {
  if (talks_.empty()) return false;
  const Talk talk = std::move(talks_.front());
  talks_.pop_front();
  if (talk.asker == nullptr) {
    sink_->onAnswer(talk.text);
  } else if (servers_.streams_.contains(talk.asker)) {
    const std::string asker = std::to_string(reinterpret_cast<std::uintptr_t>(talk.asker));
    sink_->onQuestion(asker, talk.text);
  }
  return true;
}

bool ScriptedStream::moveAll() {
  bool moved = false;
  while (storeOne() || talkOne() || readOne()) moved = true;
  return moved;
}

void ScriptedStream::ask(std::string question) {
  if (!isConnected_) return;
  for (ScriptedStream* each : servers_.streams_) {
    if (each->isConnected_) each->talks_.push_back({this, question});
  }
}

void ScriptedStream::answer(std::string_view asker, std::string answer) {
  auto* const stream =
      reinterpret_cast<ScriptedStream*>(std::stoull(std::string(asker)));  // NOLINT
  const bool isThere = servers_.streams_.contains(stream) && stream->isConnected_;
  if (isConnected_ && isThere) stream->talks_.push_back({nullptr, std::move(answer)});
}

}  // namespace stormo::channel
