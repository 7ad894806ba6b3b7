#include "net/held_output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace stormo::net {
namespace {

using testing::ElementsAre;

class TestSource final : public LossySource {
 public:
  TestSource(SlowPolicy policy, bool hasNotice) : policy_(policy), hasNotice_(hasNotice) {}
  [[nodiscard]] SlowPolicy policy() const override { return policy_; }
  void onDropped() override { ++dropped; }
  [[nodiscard]] bool hasNotice() const override { return hasNotice_; }
  [[nodiscard]] std::string notice(std::uint64_t missed) const override {
    return std::to_string(missed);
  }

  int dropped = 0;

 private:
  const SlowPolicy policy_;
  const bool hasNotice_;
};

class HeldOutputTest : public testing::Test {
 protected:
  static constexpr std::uint64_t kMax = 2000;

  static std::shared_ptr<TestSource> source(SlowPolicy policy, bool hasNotice = true) {
    return std::make_shared<TestSource>(policy, hasNotice);
  }
  static SharedBuffer bufferOf(std::string_view text) {
    SharedBuffer buffer;
    text.copy(buffer.extend(text.size()), text.size());
    return buffer;
  }
  void keep(std::string_view text) {
    const SharedBuffer buffer = bufferOf(text);
    held.push(Piece{0, &buffer, 0, buffer.size()});
  }
  void add(const std::shared_ptr<TestSource>& from, std::string_view text,
           std::uint64_t messages = 1) {
    const SharedBuffer buffer = bufferOf(text);
    held.push({.piece = {0, &buffer, 0, buffer.size()}, .source = from, .messages = messages}, 0,
              kMax);
  }
  /// Takes all: the bytes, cut to 8, and the number of missing messages as "-N".
  std::vector<std::string> take() {
    std::vector<std::string> taken;
    while (!held.empty()) {
      const HeldOutput::Entry entry = held.pop();
      taken.push_back(entry.isMark ? "-" + std::to_string(entry.messages)
                                   : std::string(entry.bytes().substr(0, 8)));
    }
    EXPECT_EQ(held.bytes(), 0u);
    EXPECT_EQ(held.keptBytes(), 0u);
    return taken;
  }

  HeldOutput held;
};

TEST_F(HeldOutputTest, ShortOutputThatIsKeptIsJoined) {
  keep("a");
  keep("b");
  keep(std::string(600, 'c'));
  keep("d");
  EXPECT_EQ(held.keptBytes(), 603u);
  EXPECT_THAT(take(), ElementsAre("ab", "cccccccc", "d"));
}

TEST_F(HeldOutputTest, TwoMarksOfASourceHaveAMessageBetweenThem) {
  const auto newest = source(SlowPolicy::DropNewest);
  add(newest, "1" + std::string(1700, '.'));
  add(newest, std::string(1700, '2'));
  add(newest, std::string(1700, '3'), 5);  // one that stands for five
  add(newest, "4");
  EXPECT_EQ(newest->dropped, 2);
  keep(std::string(1700, 'k'));
  held.makeRoom(0, kMax);  // drops the first, and then the last is not the oldest any more
  EXPECT_EQ(newest->dropped, 3);
  EXPECT_THAT(take(), ElementsAre("-7", "4", "kkkkkkkk"));
}

TEST_F(HeldOutputTest, WithoutNoticesThereAreNoMarks) {
  const auto oldest = source(SlowPolicy::DropOldest, false);
  for (int i = 0; i < 100; ++i) add(oldest, std::to_string(i) + std::string(900, '.'));
  EXPECT_EQ(oldest->dropped, 99);
  EXPECT_THAT(take(), ElementsAre("99......"));
}

TEST_F(HeldOutputTest, OfLatestOneMessageAndOneMarkAreHeld) {
  const auto latest = source(SlowPolicy::Latest);
  const auto other = source(SlowPolicy::Latest);
  for (int i = 0; i < 100; ++i) {
    add(latest, std::to_string(i));
    add(other, "other");
    ASSERT_LT(held.bytes(), 200u);
  }
  EXPECT_THAT(take(), ElementsAre("-99", "-99", "99", "other"));
}

TEST_F(HeldOutputTest, AMessageThatNeverFitsIsDropped) {
  for (const SlowPolicy policy :
       {SlowPolicy::Latest, SlowPolicy::DropOldest, SlowPolicy::DropNewest}) {
    const auto from = source(policy);
    add(from, std::string(kMax, 'x'));
    EXPECT_THAT(take(), ElementsAre("-1"));
  }
}

TEST_F(HeldOutputTest, AShortPartOfALargeBufferIsCopied) {
  const std::size_t before = SharedBuffer::heldBytes();
  {
    const SharedBuffer buffer = bufferOf(std::string(100'000, 'x'));
    const auto from = source(SlowPolicy::DropOldest);
    held.push({.piece = {0, &buffer, 10, 1000}, .source = from, .messages = 1}, 0, kMax);
  }
  EXPECT_EQ(SharedBuffer::heldBytes(), before);
  EXPECT_EQ(held.bytes(), 1000u);
}

}  // namespace
}  // namespace stormo::net
