// docs/log-format.md shows what the encoders write.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include "channel/log/mark.h"
#include "channel/log/record.h"
#include "channel/log/segment.h"
#include "channel/log/snapshot_file.h"
#include "protocol/channel/packet.h"

namespace stormo::channel {
namespace {

// The bytes of all examples, in hexadecimal digits. Each line has some, and then a description
// after two spaces.
std::string shownBytes() {
  std::ifstream file(STORMO_SOURCE_DIR "/docs/log-format.md");
  std::string shown;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("    ")) continue;
    const std::size_t end = line.find("  ", 4);
    std::string bytes = line.substr(4, end == std::string::npos ? end : end - 4);
    if (bytes.find_first_not_of("0123456789abcdef ") != std::string::npos) continue;
    std::erase(bytes, ' ');
    shown += bytes;
  }
  return shown;
}

std::string hex(std::string_view bytes) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text += kDigits[static_cast<unsigned char>(c) >> 4];
    text += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

BootId exampleBoot() {
  BootId boot{};
  for (std::size_t i = 0; i < boot.size(); ++i) boot[i] = static_cast<char>(i);
  return boot;
}

TEST(LogFormat, TheDocumentShowsWhatIsWritten) {
  std::string segment =
      encodeSegmentHeader({.epoch = 0x65f0, .first = 42, .committed = 41, .boot = exampleBoot()});
  appendRecord({.time = 1764170000123,
                .producerId = 0x0123456789abcdef,
                .packet = encode({.kind = Kind::Publish,
                                  .payloadKind = PayloadKind::Text,
                                  .space = Space::Groups,
                                  .sequence = 1,
                                  .channel = "123",
                                  .payload = "ciao"})
                              .substr(4)},
               segment);
  std::string snapshot;
  writeWithTrailer(
      [](StateWriter& out) {
        writeSnapshotHeader(0x65f0, 41, out);
        out.number(7);
      },
      [&](std::string_view bytes) { snapshot += bytes; });
  const std::string mark =
      encodeMark({.epoch = 0x65f0, .identity = {.inode = 12}, .boot = exampleBoot(), .offset = 42});
  EXPECT_EQ(shownBytes(), hex(segment) + hex(snapshot) + hex(mark));
}

}  // namespace
}  // namespace stormo::channel
