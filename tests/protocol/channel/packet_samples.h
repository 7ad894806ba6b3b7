#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocol/channel/packet.h"

namespace stormo::channel {

inline std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    out.push_back(kDigits[static_cast<unsigned char>(c) >> 4]);
    out.push_back(kDigits[static_cast<unsigned char>(c) & 15]);
  }
  return out;
}

/// A packet of each kind, and of each form of it.
struct Sample {
  const char* name;
  Packet packet;
  std::size_t headBytes;  ///< Of the frame's payload. A shorter one is invalid.
  std::string frame = encode(packet);
};

inline std::vector<Sample> oneOfEachKind() {
  return {
      {"Hello",
       {.kind = Kind::Hello, .version = kProtocolVersion, .producerId = 7, .payload = "secret"},
       20},
      {"Welcome",
       {.kind = Kind::Welcome,
        .version = kProtocolVersion,
        .epoch = 9,
        .offset = 4,
        .frameBytesMax = 10 << 20,
        .jobCount = 2},
       44},
      {"Refused", {.kind = Kind::Refused, .payload = "no"}, 4},
      {"Challenge", {.kind = Kind::Challenge, .payload = "random"}, 4},
      {"Proof", {.kind = Kind::Proof, .payload = "hash"}, 4},
      {"Subscribe", {.kind = Kind::Subscribe, .channel = "ab"}, 6},
      {"SubscribeAgain", {.kind = Kind::Subscribe, .again = true, .channel = "ab"}, 6},
      {"Unsubscribe", {.kind = Kind::Unsubscribe, .channel = "ab"}, 6},
      {"Publish", {.kind = Kind::Publish, .sequence = 3, .channel = "ab", .payload = "hi"}, 14},
      {"Event",
       {.kind = Kind::Event,
        .payloadKind = PayloadKind::Text,
        .derived = true,
        .epoch = 1,
        .offset = 2,
        .channel = "ab",
        .payload = "hi"},
       22},
      {"EventExcept",
       {.kind = Kind::Event,
        .payloadKind = PayloadKind::Text,
        .space = Space::Groups,
        .epoch = 1,
        .offset = 2,
        .channel = "ab",
        .except = "\2uA\1B",
        .payload = "hi"},
       29},
      {"Retain",
       {.kind = Kind::Retain,
        .receipt = true,
        .sequence = 3,
        .key = 4,
        .until = 5,
        .channel = "ab",
        .payload = "hi"},
       30},
      {"Receipt",
       {.kind = Kind::Receipt,
        .duplicate = true,
        .epoch = 1,
        .offset = 2,
        .sequence = 3,
        .receivers = 4},
       36},
      {"Interest", {.kind = Kind::Interest, .receivers = 4, .channel = "ab"}, 14},
      {"Ack", {.kind = Kind::Ack, .sequence = 11}, 12},
      {"Watch", {.kind = Kind::Watch, .channel = "ab"}, 6},
      {"Unwatch", {.kind = Kind::Unwatch, .channel = "ab"}, 6},
      {"Enqueue", {.kind = Kind::Enqueue, .sequence = 3, .channel = "ab", .payload = "hi"}, 14},
      {"Reserve", {.kind = Kind::Reserve}, 4},
      {"Job", {.kind = Kind::Job, .job = 5, .channel = "ab", .payload = "hi"}, 14},
      {"Finish", {.kind = Kind::Finish, .sequence = 3, .job = 5}, 20},
      {"Return", {.kind = Kind::Return, .sequence = 3, .job = 5}, 20},
      {"Gap", {.kind = Kind::Gap, .epoch = 5, .offset = 6}, 20},
      {"Ping", {.kind = Kind::Ping}, 4},
      {"Pong", {.kind = Kind::Pong}, 4},
      {"PongBlocked", {.kind = Kind::Pong, .blocked = true}, 4},
      {"Resume", {.kind = Kind::Resume, .epoch = 5, .offset = 6}, 20},
      {"HistoryRequest",
       {.kind = Kind::HistoryRequest,
        .space = Space::Groups,
        .epoch = 5,
        .offset = 6,
        .channel = "ab"},
       22},
      {"HistoryReply",
       {.kind = Kind::HistoryReply,
        .whole = true,
        .space = Space::Groups,
        .epoch = 5,
        .offset = 6,
        .channel = "ab",
        .payload = "hi"},
       22},
      {"IdempotentPublish",
       {.kind = Kind::IdempotentPublish,
        .payloadKind = PayloadKind::Text,
        .space = Space::Groups,
        .sequence = 3,
        .session = 4,
        .sendNumber = 5,
        .channel = "ab",
        .payload = "hi"},
       30},
      {"Rejected", {.kind = Kind::Rejected, .cut = true, .sequence = 7, .payload = "no"}, 12},
  };
}

}  // namespace stormo::channel
