// A log of arbitrary bytes. Its recovery ends, applies each offset once and in order, and leaves a
// log from which another recovery gives the same. The input: a byte whose bits choose files, and
// then a snapshot, a mark and two segments, each with two bytes of length before it.
#include <fcntl.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "base/bytes.h"
#include "channel/log/log_report.h"
#include "channel/log/recovery.h"
#include "channel/log/segment.h"
#include "channel/log/simulated_log_directory.h"
#include "channel/log/snapshot_file.h"
#include "sys/log.h"

namespace stormo::channel {
namespace {

class CountedState final : public LogState {
 public:
  [[nodiscard]] bool restore(StateReader& in) override {
    next_ = in.number() + 1;
    return in.ok() && in.atEnd();
  }
  void begin(std::uint64_t) override {}
  void save(StateWriter& out) const override { out.number(next_ - 1); }
  void apply(std::uint64_t first, std::string_view records, NodeId /*from*/) override {
    if (applied_ == 0) next_ = first;
    STORMO_ASSERT(first == next_ && !records.empty());
    while (!records.empty()) {
      const RecordRead read = readRecord(records);
      STORMO_ASSERT(read.verdict == RecordVerdict::Ok);
      records.remove_prefix(read.bytes);
      ++next_;
      ++applied_;
    }
  }
  [[nodiscard]] std::uint64_t applied() const { return applied_; }

 private:
  std::uint64_t next_ = 1;
  std::uint64_t applied_ = 0;
};

std::string_view takeFile(std::string_view& in) {
  if (in.size() < 2) return {};
  const std::size_t bytes =
      std::min<std::size_t>(loadBigEndian<std::uint16_t>(in.data()), in.size() - 2);
  const std::string_view file = in.substr(2, bytes);
  in.remove_prefix(2 + bytes);
  return file;
}

// With valid headers and checksums around them, so that the contents are reached.
std::string snapshotWith(std::uint64_t offset, std::string_view state) {
  std::string file;
  writeWithTrailer(
      [&](StateWriter& out) {
        writeSnapshotHeader(7, offset, out);
        for (; state.size() >= 8; state.remove_prefix(8)) {
          out.number(loadBigEndian<std::uint64_t>(state.data()));
        }
      },
      [&](std::string_view bytes) { file += bytes; });
  return file;
}
std::string segmentWith(std::uint64_t first, std::string_view records) {
  return encodeSegmentHeader({.epoch = 7, .first = first}) + std::string(records);
}

void check(std::string_view in) {
  const auto choice = static_cast<unsigned char>(in[0]);
  in.remove_prefix(1);
  std::map<std::string, std::string> files;
  const std::string_view snapshot = takeFile(in);
  const bool isRaw = (choice & 4) != 0;
  const std::uint64_t offset = choice >> 5;
  if ((choice & 1) != 0) {
    files[snapshotName(offset)] = isRaw ? std::string(snapshot) : snapshotWith(offset, snapshot);
  }
  const std::string_view mark = takeFile(in);
  if ((choice & 2) != 0) files[kMarkName] = mark;
  const std::string_view first = takeFile(in);
  files[segmentName(1)] = isRaw ? std::string(first) : segmentWith(1, first);
  const std::uint64_t second = choice >> 4;
  if ((choice & 8) != 0) {
    files[segmentName(second)] = isRaw ? std::string(in) : segmentWith(second, in);
  }

  test::SimulatedLogDirectory directory;
  directory.restore(files);
  STORMO_ASSERT(LogReader(directory).read().ok());
  CountedState state;
  const auto found = Recovery(directory, state).run();
  STORMO_ASSERT(found.ok());
  CountedState again;
  const auto same = Recovery(directory, again).run();
  STORMO_ASSERT(same.ok() && same.value().offset == found.value().offset);
  STORMO_ASSERT(again.applied() == state.applied());
  STORMO_ASSERT(same.value().segments.size() == found.value().segments.size());
}

}  // namespace
}  // namespace stormo::channel

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool kIsQuiet = [] {
    stormo::log::useFile(stormo::UniqueFd(::open("/dev/null", O_WRONLY | O_CLOEXEC)));
    return true;
  }();
  if (kIsQuiet && size > 0) {
    stormo::channel::check({reinterpret_cast<const char*>(data), size});
  }
  return 0;
}
