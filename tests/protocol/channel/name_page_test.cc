#include "protocol/channel/name_page.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <string>
#include <vector>

namespace stormo::channel {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> namesOf(const NamePage::Page& page) {
  std::vector<std::string> names;
  for (const NamePage::Item& item : page.items) {
    names.push_back(item.name + '=' + std::to_string(item.number));
  }
  return names;
}

TEST(NamePage, HasTheFirstNamesInTheOrderOfTheirBytes) {
  NamePage page("", "", 2);
  for (const char* name : {"d", "b", "a", "c"}) page.offer(name, name[0] - 'a');
  const auto taken = page.take();
  EXPECT_THAT(namesOf(taken), ElementsAre("a=0", "b=1"));
  EXPECT_TRUE(taken.hasMore);
}

TEST(NamePage, BeginsAfterANameAndEndsWithTheLastOne) {
  NamePage page("", "b", 2);
  for (const char* name : {"d", "b", "a", "c"}) page.offer(name, 1);
  const auto taken = page.take();
  EXPECT_THAT(namesOf(taken), ElementsAre("c=1", "d=1"));
  EXPECT_FALSE(taken.hasMore);
}

TEST(NamePage, MatchesAPattern) {
  NamePage page("chat.*", "", 10);
  for (const char* name : {"chat.2", "chat", "news", "chat.1"}) page.offer(name, 3);
  EXPECT_THAT(namesOf(page.take()), ElementsAre("chat.1=3", "chat.2=3"));
}

TEST(NamePage, IsTheSameInEveryOrder) {
  std::vector<std::string> names;
  for (int i = 0; i < 500; ++i) names.push_back(std::to_string(i * 7919 % 500));
  std::string after;
  std::vector<std::string> all;
  for (bool hasMore = true; hasMore;) {
    NamePage page("", after, 37);
    for (const std::string& name : names) page.offer(name, 0);
    auto taken = page.take();
    hasMore = taken.hasMore;
    for (auto& item : taken.items) all.push_back(item.name);
    after = all.back();
  }
  std::ranges::sort(names);
  EXPECT_EQ(all, names);
}

TEST(NamePage, OfNothingIsEmpty) {
  NamePage page("", "", 1);
  EXPECT_THAT(page.take().items, IsEmpty());
}

}  // namespace
}  // namespace stormo::channel
