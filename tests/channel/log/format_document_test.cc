// docs/log-format.md shows what the encoders write.
#include <gtest/gtest.h>

#include <string>

#include "channel/log/example_record.h"
#include "channel/log/mark.h"
#include "channel/log/segment.h"
#include "channel/log/snapshot_file.h"
#include "support/document_bytes.h"

namespace stormo::channel {
namespace {

BootId exampleBoot() {
  BootId boot{};
  for (std::size_t i = 0; i < boot.size(); ++i) boot[i] = static_cast<char>(i);
  return boot;
}

TEST(LogFormat, TheDocumentShowsWhatIsWritten) {
  const std::string segment =
      encodeSegmentHeader({.epoch = 0x65f0, .first = 42, .committed = 41, .boot = exampleBoot()}) +
      test::exampleRecord();
  std::string snapshot;
  writeWithTrailer(
      [](StateWriter& out) {
        writeSnapshotHeader(0x65f0, 41, out);
        out.number(7);
      },
      [&](std::string_view bytes) { snapshot += bytes; });
  const std::string mark =
      encodeMark({.epoch = 0x65f0, .identity = {.inode = 12}, .boot = exampleBoot(), .offset = 42});
  EXPECT_EQ(test::bytesShownIn("docs/log-format.md"),
            test::hex(segment) + test::hex(snapshot) + test::hex(mark));
}

}  // namespace
}  // namespace stormo::channel
