#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "channel/log/file_log.h"
#include "channel/log/log.h"
#include "channel/log/record.h"
#include "channel/log/simulated_log_directory.h"
#include "event/loop_impl.h"
#include "support/loop_fixture.h"

namespace stormo::test {

/// A state that is the list of the packets of all records.
class ListState final : public channel::LogState {
 public:
  [[nodiscard]] bool restore(channel::StateReader& in) override {
    epoch = in.number();
    const std::uint64_t count = in.number();
    for (std::uint64_t i = 0; i < count && in.ok(); ++i) packets.emplace_back(in.bytes());
    if (in.ok() && in.atEnd()) return true;
    packets.clear();
    return false;
  }
  void save(channel::StateWriter& out) const override {
    out.number(epoch);
    out.number(packets.size());
    for (const std::string& packet : packets) out.bytes(packet);
  }
  void begin(std::uint64_t next) override { epoch = next; }
  void apply(std::uint64_t first, std::string_view records, channel::NodeId from) override {
    EXPECT_NE(epoch, 0u);
    EXPECT_EQ(from, 0u);
    EXPECT_EQ(first, packets.size() + 1);
    while (!records.empty()) {
      const channel::RecordRead read = channel::readRecord(records);
      ASSERT_EQ(read.verdict, channel::RecordVerdict::Ok);
      packets.emplace_back(read.record.packet);
      records.remove_prefix(read.bytes);
    }
  }

  [[nodiscard]] std::uint64_t recallFrom() const override {
    return recalls == 0 ? UINT64_MAX : packets.size() + 1 - std::min(recalls, packets.size());
  }
  void recall(std::uint64_t first, std::string_view records) override {
    EXPECT_EQ(first, recalled.empty() ? first : recalledFirst + recalled.size());
    if (recalled.empty()) recalledFirst = first;
    for (; !records.empty(); records.remove_prefix(channel::trustedRecordBytes(records))) {
      recalled.emplace_back(channel::trustedRecord(records).packet);
    }
  }

  std::uint64_t epoch = 0;
  std::vector<std::string> packets;

  std::size_t recalls = 0;  ///< So many of the latest packets are recalled.
  std::uint64_t recalledFirst = 0;
  std::vector<std::string> recalled;
};

inline std::string recordOf(std::string_view packet) {
  std::string out;
  channel::appendRecord({.time = 1, .producerId = 2, .packet = packet}, out);
  return out;
}

/// One run of a process with a log.
struct LogRun {
  LogRun(channel::LogDirectory& directory, const channel::LogSettings& options)
      : log(directory, options) {}

  ListState state;
  channel::FileLog log;
  struct {
    std::uint64_t epoch = 0;
    bool isNewEpoch = true;  // another one than in the run before
    std::uint64_t offset = 0;
  } opened;
};

inline TimePoint simulatedNow;

/// Runs of a FileLog, one after the other, in a simulated directory.
class LogTest : public LoopTest {
 protected:
  LogTest() {
    simulatedNow = TimePoint(std::chrono::hours(1));
    LoopImpl::of(loop).useClock([] { return simulatedNow; });
  }
  ~LogTest() override { run.reset(); }

  /// Starts the next process.
  void open() {
    run.reset();
    directory.endPending();
    run = std::make_unique<LogRun>(directory, options);
    run->state.recalls = recalls;
    const auto opened = run->log.open(run->state, [] {});
    ASSERT_TRUE(opened.ok()) << opened.error().message();
    const std::uint64_t epoch = run->state.epoch;
    run->opened = {epoch, std::exchange(lastEpoch_, epoch) != epoch, packets().size()};
  }
  void killAndOpen() {
    run.reset();
    directory.kill();
    open();
  }
  void append(std::string_view packet) { run->log.append(recordOf(packet), 1); }
  void appendNumbers(int from, int to) {
    for (int i = from; i <= to; ++i) append("packet " + std::to_string(i));
  }
  static std::vector<std::string> numbers(int from, int to) {
    std::vector<std::string> packets;
    for (int i = from; i <= to; ++i) packets.push_back("packet " + std::to_string(i));
    return packets;
  }
  [[nodiscard]] const std::vector<std::string>& packets() const { return run->state.packets; }
  void advance(std::chrono::milliseconds time) {
    simulatedNow += time;
    turn();
  }
  void completeAll() {
    for (bool more = true; more;) {
      more = false;
      while (directory.hasPendingSync()) more = true, directory.completeSync();
      while (directory.hasPendingSnapshot()) more = true, directory.completeSnapshot();
    }
  }
  void finish() {
    bool isFinished = false;
    run->log.finish([&] { isFinished = true; });
    completeAll();
    EXPECT_TRUE(isFinished);
  }
  [[nodiscard]] std::string lastSegment() const {
    std::string last;
    for (const std::string& name : directory.names()) {
      if (name.ends_with(".log")) last = name;
    }
    return last;
  }

  channel::LogSettings options;
  std::size_t recalls = 0;
  SimulatedLogDirectory directory;
  std::unique_ptr<LogRun> run;

 private:
  std::uint64_t lastEpoch_ = 0;
};

}  // namespace stormo::test
