#include "channel/log/state_stream.h"

#include <gtest/gtest.h>

namespace stormo::channel {
namespace {

std::string written(const std::function<void(StateWriter&)>& write) {
  std::string all;
  StateWriter out([&](std::string_view bytes) { all += bytes; });
  write(out);
  out.flush();
  return all;
}

TEST(StateStream, ReadsWhatWasWritten) {
  const std::string large(1 << 20, 'x');
  const std::string state = written([&](StateWriter& out) {
    out.number(0x0123456789abcdef);
    out.bytes("abc");
    out.bytes(large);
    out.bytes("");
    out.number(5);
  });
  StateReader in(state);
  EXPECT_EQ(in.number(), 0x0123456789abcdefu);
  EXPECT_EQ(in.bytes(), "abc");
  EXPECT_EQ(in.bytes(), large);
  EXPECT_EQ(in.bytes(), "");
  EXPECT_FALSE(in.atEnd());
  EXPECT_EQ(in.number(), 5u);
  EXPECT_TRUE(in.atEnd());
  EXPECT_TRUE(in.ok());
}

TEST(StateStream, CutAtAnyByteIsNotOk) {
  const std::string state = written([](StateWriter& out) {
    out.number(1);
    out.bytes("abc");
  });
  for (std::size_t n = 0; n < state.size(); ++n) {
    StateReader in(std::string_view(state).substr(0, n));
    in.number();
    in.bytes();
    EXPECT_FALSE(in.ok()) << n;
    EXPECT_EQ(in.number(), 0u);
    EXPECT_EQ(in.bytes(), "");
  }
}

TEST(StateStream, ALengthBeyondTheEndIsNotOk) {
  const std::string state = written([](StateWriter& out) { out.number(UINT64_MAX); });
  StateReader in(state);
  EXPECT_EQ(in.bytes(), "");
  EXPECT_FALSE(in.ok());
}

TEST(StateStream, TheDestructorPassesOnWhatIsLeft) {
  std::string all;
  {
    StateWriter([&](std::string_view bytes) { all += bytes; }).number(1);
  }
  EXPECT_EQ(all.size(), 8u);
}

}  // namespace
}  // namespace stormo::channel
