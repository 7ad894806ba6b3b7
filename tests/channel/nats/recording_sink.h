#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "channel/cluster/stream.h"

namespace stormo::test {

/// Records all that a Stream reports.
struct RecordingSink final : channel::StreamSink {
  void onConnected(const channel::StreamInfo& info) override {
    infos.push_back(info);
    isConnected = true;
    if (whenConnected) whenConnected(info);
  }
  void onDisconnected(std::string_view reason) override {
    reasons.emplace_back(reason);
    isConnected = false;
  }
  void onMessage(std::uint64_t sequence, std::string_view message) override {
    sequences.push_back(sequence);
    messages.emplace_back(message);
    if (whenMessage) whenMessage(sequence);
  }
  void onRefused(std::string_view reason) override { refusals.emplace_back(reason); }
  void onQuestion(std::string_view asker, std::string_view question) override {
    questions.emplace_back(asker, question);
  }
  void onAnswer(std::string_view answer) override { answers.emplace_back(answer); }

  bool isConnected = false;
  std::vector<channel::StreamInfo> infos;
  std::vector<std::string> reasons;
  std::vector<std::uint64_t> sequences;
  std::vector<std::string> messages;
  std::vector<std::string> refusals;
  std::vector<std::pair<std::string, std::string>> questions;  // asker, question
  std::vector<std::string> answers;
  std::function<void(const channel::StreamInfo&)> whenConnected;
  std::function<void(std::uint64_t)> whenMessage;
};

}  // namespace stormo::test
