#include "channel/log/real_log_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "channel/log/log_fixture.h"
#include "channel/log/snapshot_file.h"
#include "support/temp_directory.h"

namespace stormo::test {
namespace {

using channel::RealLogDirectory;
using channel::SyncPolicy;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

class RealLogDirectoryTest : public LoopTest {
 protected:
  RealLogDirectoryTest() { openDirectory(); }
  ~RealLogDirectoryTest() override { run.reset(); }

  void openDirectory() { directory = std::move(RealLogDirectory::at(place.path()).value()); }
  void open() {
    run.reset();
    openDirectory();
    run = std::make_unique<LogRun>(*directory, options);
    const auto opened = run->log.open(run->state, [] {});
    ASSERT_TRUE(opened.ok()) << opened.error().message();
    run->opened = {run->state.epoch, false, run->state.packets.size()};
  }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> found;
    const auto entries = directory->list();
    for (const auto& entry : entries.value()) found.push_back(entry.name);
    return found;
  }
  std::string read(const std::string& name) const {
    return std::string(directory->read(name).value().bytes());
  }

  TempDirectory place;
  channel::LogSettings options;
  std::unique_ptr<RealLogDirectory> directory;
  std::unique_ptr<LogRun> run;
};

TEST_F(RealLogDirectoryTest, WritesAtPositionsAndReadsBack) {
  const auto file = directory->create("a").value();
  EXPECT_EQ(file->write(0, "hello").value(), 5u);
  EXPECT_EQ(file->write(5, " world").value(), 6u);
  EXPECT_EQ(file->write(0, "H").value(), 1u);
  EXPECT_EQ(file->size().value(), 11u);
  EXPECT_EQ(read("a"), "Hello world");
  EXPECT_TRUE(file->truncate(5).ok());
  EXPECT_TRUE(file->sync().ok());
  EXPECT_TRUE(directory->sync().ok());
  EXPECT_EQ(read("a"), "Hello");
}

TEST_F(RealLogDirectoryTest, ListsRenamesAndRemovesRegularFiles) {
  ASSERT_TRUE(directory->create("a").ok());
  ASSERT_TRUE(directory->create("b").ok());
  std::filesystem::create_directory(place.file("folder"));
  EXPECT_THAT(names(), UnorderedElementsAre("a", "b"));
  EXPECT_THAT(names(), UnorderedElementsAre("a", "b"));
  EXPECT_TRUE(directory->rename("a", "b").ok());
  EXPECT_THAT(names(), ElementsAre("b"));
  EXPECT_TRUE(directory->remove("b").ok());
  EXPECT_THAT(names(), testing::IsEmpty());
}

TEST_F(RealLogDirectoryTest, NamesTheStepThatFailed) {
  EXPECT_EQ(directory->open("none").error().code, std::errc::no_such_file_or_directory);
  EXPECT_EQ(directory->read("none").error().message(), "open: No such file or directory");
  ASSERT_TRUE(directory->create("a").ok());
  EXPECT_EQ(directory->create("a").error().code, std::errc::file_exists);
  EXPECT_FALSE(RealLogDirectory::at(place.file("none")).ok());
}

TEST_F(RealLogDirectoryTest, AnEmptyFileReadsAsEmpty) {
  ASSERT_TRUE(directory->create("a").ok());
  EXPECT_EQ(read("a"), "");
}

TEST_F(RealLogDirectoryTest, WhatIsStoredInAMappingIsInTheFile) {
  const auto file = directory->create("a").value();
  ASSERT_TRUE(file->write(0, "12345678").ok());
  const auto memory = file->map(8).value();
  memory.get()[0] = 'x';
  EXPECT_EQ(read("a"), "x2345678");
}

TEST_F(RealLogDirectoryTest, ACopyHasAnotherIdentity) {
  ASSERT_TRUE(directory->create("a").ok());
  std::filesystem::copy_file(place.file("a"), place.file("b"));
  const auto first = directory->open("a").value()->identity().value();
  const auto second = directory->open("b").value()->identity().value();
  EXPECT_NE(first, second);
  EXPECT_EQ(first, directory->open("a").value()->identity().value());
  ASSERT_TRUE(directory->rename("a", "c").ok());
  EXPECT_EQ(first, directory->open("c").value()->identity().value());
}

TEST_F(RealLogDirectoryTest, TheBootIdIsThatOfTheKernel) {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string text;
  file >> text;
  std::erase(text, '-');
  std::string hex;
  const auto id = directory->bootId();
  for (const char c : id.value()) {
    hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  }
  EXPECT_EQ(hex, text);
}

TEST_F(RealLogDirectoryTest, RemovesLater) {
  ASSERT_TRUE(directory->create("a").ok());
  directory->removeLater("a");
  directory->removeLater("none");
  ASSERT_TRUE(turnUntil([&] { return names().empty(); }));
}

TEST_F(RealLogDirectoryTest, SyncsLaterInTheOrderOfTheCalls) {
  const auto file = directory->create("a").value();
  std::vector<int> order;
  for (int i = 0; i < 3; ++i) {
    directory->syncLater({.files = {file}, .directory = true}, [&, i](Result<void> synced) {
      EXPECT_TRUE(synced.ok());
      order.push_back(i);
    });
  }
  EXPECT_THAT(order, testing::IsEmpty());
  ASSERT_TRUE(turnUntil([&] { return order.size() == 3; }));
  EXPECT_THAT(order, ElementsAre(0, 1, 2));
}

TEST_F(RealLogDirectoryTest, NothingIsCalledAfterItIsDestroyed) {
  const auto file = directory->create("a").value();
  bool isCalled = false;
  directory->syncLater({.files = {file}}, [&](Result<void>) { isCalled = true; });
  directory->writeApart(
      "b", [](channel::StateWriter& out) { out.number(1); },
      [&](Result<std::uint64_t>) { isCalled = true; });
  directory.reset();
  settle();
  EXPECT_FALSE(isCalled);
}

TEST_F(RealLogDirectoryTest, AForkedProcessWritesTheStateOfNow) {
  std::uint64_t number = 5;
  Result<std::uint64_t> result = std::uint64_t{0};
  bool isDone = false;
  directory->writeApart(
      "a",
      [&number](channel::StateWriter& out) {
        channel::writeSnapshotHeader(7, 8, out);
        out.number(number);
        out.bytes(std::string(1 << 20, 'x'));
      },
      [&](Result<std::uint64_t> bytes) {
        result = bytes;
        isDone = true;
      });
  number = 6;
  ASSERT_TRUE(turnUntil([&] { return isDone; }));
  ASSERT_TRUE(result.ok());
  const std::string file = read("a");
  EXPECT_EQ(result.value(), file.size());
  const auto snapshot = channel::readSnapshot(file);
  ASSERT_TRUE(snapshot);
  EXPECT_EQ(snapshot->epoch, 7u);
  EXPECT_EQ(snapshot->offset, 8u);
  channel::StateReader in(snapshot->state);
  EXPECT_EQ(in.number(), 5u);
}

TEST_F(RealLogDirectoryTest, AForkedProcessThatFailsLeavesNoFile) {
  Result<std::uint64_t> result = std::uint64_t{0};
  bool isDone = false;
  const auto report = [&](Result<std::uint64_t> bytes) {
    result = bytes;
    isDone = true;
  };
  directory->writeApart(
      "a", [](channel::StateWriter&) { throw std::bad_alloc(); }, report);
  ASSERT_TRUE(turnUntil([&] { return isDone; }));
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, std::errc::not_enough_memory);
  EXPECT_THAT(names(), testing::IsEmpty());

  isDone = false;
  directory->writeApart(
      "a", [](channel::StateWriter&) { ::abort(); }, report);
  ASSERT_TRUE(turnUntil([&] { return isDone; }));
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().message(), "the forked process was killed: Operation canceled");
  EXPECT_THAT(names(), testing::IsEmpty());
}

TEST_F(RealLogDirectoryTest, AForkedProcessKeepsNoSocketOfItsParentOpen) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  int hold[2];
  ASSERT_EQ(::pipe2(hold, O_CLOEXEC), 0);
  bool isDone = false;
  // The forked process waits, as one that writes much, until it is killed.
  directory->writeApart(
      "a", [](channel::StateWriter&) { ::pause(); }, [&](Result<std::uint64_t>) { isDone = true; });
  ::close(ends[1]);
  char byte;
  EXPECT_EQ(::read(ends[0], &byte, 1), 0);  // the end, although the other process runs
  EXPECT_FALSE(isDone);
  ::close(ends[0]);
  ::close(hold[0]);
  ::close(hold[1]);
}

TEST_F(RealLogDirectoryTest, ALogIsThereAfterItsProcess) {
  for (const SyncPolicy sync : {SyncPolicy::Process, SyncPolicy::Interval, SyncPolicy::Always}) {
    options.sync = sync;
    open();
    const std::size_t before = run->state.packets.size();
    run->log.append(recordOf("a") + recordOf("b"), 2);
    ASSERT_TRUE(turnUntil([&] { return run->state.packets.size() == before + 2; }));
    const std::uint64_t epoch = run->opened.epoch;
    open();
    EXPECT_EQ(run->opened.epoch, epoch);
    EXPECT_EQ(run->state.packets.size(), before + 2);
  }
}

TEST_F(RealLogDirectoryTest, ALogTakesSnapshotsInAForkedProcess) {
  options.segmentBytes = 4096;
  open();
  int number = 0;
  const auto hasSnapshot = [&] {
    run->log.append(recordOf(std::to_string(++number)), 1);
    const auto all = names();
    return std::ranges::any_of(all, [](const auto& name) { return name.ends_with(".snapshot"); });
  };
  ASSERT_TRUE(turnUntil(hasSnapshot));
  bool isFinished = false;
  run->log.finish([&] { isFinished = true; });
  ASSERT_TRUE(turnUntil([&] { return isFinished; }));
  const std::uint64_t epoch = run->opened.epoch;
  open();
  EXPECT_EQ(run->opened.epoch, epoch);
  ASSERT_EQ(run->state.packets.size(), static_cast<std::size_t>(number));
  EXPECT_EQ(run->state.packets.back(), std::to_string(number));
}

TEST_F(RealLogDirectoryTest, ACopiedLogBeginsANewEpoch) {
  open();
  run->log.append(recordOf("a"), 1);
  const std::uint64_t epoch = run->opened.epoch;
  run.reset();
  std::filesystem::copy_file(place.file("mark"), place.file("copy"));
  std::filesystem::rename(place.file("copy"), place.file("mark"));
  open();
  EXPECT_NE(run->opened.epoch, epoch);
  EXPECT_THAT(run->state.packets, ElementsAre("a"));
}

TEST_F(RealLogDirectoryTest, ALimitOfTheFileSizeBlocksTheLog) {
  open();
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{.rlim_cur = 100, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  run->log.append(recordOf(std::string(200, 'x')), 1);
  EXPECT_TRUE(run->log.isBlocked());
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ASSERT_TRUE(turnUntil([&] { return !run->log.isBlocked(); }));
  EXPECT_EQ(run->state.packets.size(), 1u);
}

}  // namespace
}  // namespace stormo::test
