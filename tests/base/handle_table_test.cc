#include "base/handle_table.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <set>
#include <string>
#include <unordered_map>

namespace stormo {
namespace {

struct Named {
  Named(Handle self, std::string what) : id(self), name(std::move(what)) {}
  Handle id;
  std::string name;
};

TEST(Handle, SurvivesPackingAndLeavesTheTopByteFree) {
  const Handle id{.index = Handle::kIndexMax, .generation = 0xdead'beef};
  EXPECT_EQ(Handle::unpack(id.packed()), id);
  EXPECT_EQ(id.packed() >> 56, 0u);
  EXPECT_EQ(Handle::unpack(id.packed() | 0xab00'0000'0000'0000), id);
}

TEST(HandleTable, FindReturnsTheCreatedObject) {
  HandleTable<Named> table;
  Named& heron = table.create("heron");
  Named& starling = table.create("starling");
  EXPECT_EQ(table.find(heron.id), &heron);
  EXPECT_EQ(table.find(starling.id)->name, "starling");
  EXPECT_EQ(table.size(), 2u);
  EXPECT_NE(heron.id.packed(), 0u);
}

TEST(HandleTable, UnknownHandlesFindNothing) {
  HandleTable<Named> table;
  EXPECT_EQ(table.find({}), nullptr);
  table.create("only");
  EXPECT_EQ(table.find({}), nullptr);
  EXPECT_EQ(table.find({.index = 77, .generation = 1}), nullptr);
  EXPECT_EQ(table.at(77), nullptr);
}

TEST(HandleTable, DestroyedHandleIsInvalidAlthoughItsSlotIsReused) {
  HandleTable<Named> table;
  const Handle old = table.create("old").id;
  table.destroy(old);
  EXPECT_EQ(table.find(old), nullptr);
  EXPECT_EQ(table.at(old.index), nullptr);
  const Named& next = table.create("next");
  EXPECT_EQ(next.id.index, old.index);
  EXPECT_EQ(table.find(old), nullptr);
  EXPECT_EQ(table.at(old.index), &next);
}

TEST(HandleTable, AddressesAreStableWhileItGrows) {
  HandleTable<Named> table;
  const Named* first = &table.create("first");
  for (int i = 0; i < 10'000; ++i) table.create("other");
  EXPECT_EQ(table.find(first->id), first);
  EXPECT_EQ(first->name, "first");
}

TEST(HandleTable, ForEachVisitsEachObjectAndMayDestroyIt) {
  HandleTable<Named> table;
  for (int i = 0; i < 600; ++i) table.create(std::to_string(i));
  std::set<std::string> seen;
  table.forEach([&](Named& each) {
    seen.insert(each.name);
    table.destroy(each.id);
  });
  EXPECT_EQ(seen.size(), 600u);
  EXPECT_EQ(table.size(), 0u);
}

/// Looks itself up during its destruction, as the captures of a handler may do.
struct CallsOnDestroy {
  CallsOnDestroy(Handle self, std::function<void(Handle)> call)
      : id(self), onDestroy(std::move(call)) {}
  ~CallsOnDestroy() { onDestroy(id); }
  Handle id;
  std::function<void(Handle)> onDestroy;
};

TEST(HandleTable, FindReturnsNullDuringDestruction) {
  HandleTable<CallsOnDestroy> table;
  CallsOnDestroy* found = nullptr;
  int calls = 0;
  const Handle id = table
                        .create([&](Handle self) {
                          ++calls;
                          found = table.find(self);
                        })
                        .id;
  table.destroy(id);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(found, nullptr);
}

TEST(HandleTable, DestructorDestroysTheRemainingObjects) {
  int destroyed = 0;
  {
    HandleTable<CallsOnDestroy> table;
    for (int i = 0; i < 300; ++i) table.create([&](Handle) { ++destroyed; });
    table.destroy({.index = 7, .generation = 1});
  }
  EXPECT_EQ(destroyed, 300);
}

TEST(HandleTable, BehavesLikeAMapOverRandomOperations) {
  HandleTable<Named> table;
  std::unordered_map<std::uint64_t, std::string> model;
  std::vector<std::uint64_t> everGiven;
  std::mt19937 random(7);
  for (int step = 0; step < 20'000; ++step) {
    if (random() % 2 == 0 || model.empty()) {
      const Named& made = table.create(std::to_string(step));
      ASSERT_TRUE(model.emplace(made.id.packed(), made.name).second) << "a handle was reused";
      everGiven.push_back(made.id.packed());
    } else {
      const std::uint64_t id = everGiven[random() % everGiven.size()];
      Named* found = table.find(Handle::unpack(id));
      const auto known = model.find(id);
      ASSERT_EQ(found != nullptr, known != model.end());
      if (found == nullptr) continue;
      ASSERT_EQ(found->name, known->second);
      table.destroy(found->id);
      model.erase(known);
    }
    ASSERT_EQ(table.size(), model.size());
  }
}

TEST(HandleTableDeathTest, DestroyingTwiceAborts) {
  HandleTable<Named> table;
  const Handle id = table.create("once").id;
  table.destroy(id);
  EXPECT_DEATH(table.destroy(id), "occupied");
}

TEST(HandleTable, SlotIsRetiredAfterItsLastGeneration) {
  HandleTable<Named, 3> table;
  std::set<std::uint64_t> given;
  for (int i = 0; i < 10; ++i) {
    const Handle id = table.create("one").id;
    EXPECT_TRUE(given.insert(id.packed()).second) << "a handle was reused";
    table.destroy(id);
    for (const std::uint64_t old : given) EXPECT_EQ(table.find(Handle::unpack(old)), nullptr);
  }
}

TEST(HandleTable, GenerationsBeyond24BitsStayDifferent) {
  const Handle old{.index = 7, .generation = 1};
  const Handle later{.index = 7, .generation = 1 + (1u << 24)};
  EXPECT_NE(Handle::unpack(later.packed()), old);
}

}  // namespace
}  // namespace stormo
