#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace stormo::channel {

/// One frame of the recorded conversation between a PHP client and a PHP server.
struct Recorded {
  bool fromClient;
  std::string frame;
};

inline std::string unhex(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    out.push_back(static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16)));
  }
  return out;
}

inline std::vector<Recorded> recordedConversation() {
  std::ifstream file(STORMO_SOURCE_DIR "/tests/data/channel-conversation.json");
  std::vector<Recorded> frames;
  for (const auto& record : nlohmann::json::parse(file)) {
    std::string frame;
    if (record.contains("hex")) {
      frame = unhex(record["hex"]);
    } else {  // only its head was recorded: the payload is a string of 70,000 x
      frame = unhex(record["head_hex"]);
      frame.erase(frame.find('x'));
      frame.append(70'000, 'x').append("\";}");
    }
    EXPECT_EQ(frame.size(), record["frame_bytes"].get<std::size_t>());
    frames.push_back({record["from"] == "client", frame});
  }
  return frames;
}

}  // namespace stormo::channel
