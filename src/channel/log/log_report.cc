#include "channel/log/log_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "channel/log/segment.h"
#include "channel/log/snapshot_file.h"
#include "protocol/channel/packet.h"

namespace stormo::channel {
namespace {

constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

// The second byte of a packet.
std::string kindName(std::string_view packet) {
  static constexpr std::array<const char*, 29> kNames = {"",
                                                         "Hello",
                                                         "Welcome",
                                                         "Refused",
                                                         "Subscribe",
                                                         "Unsubscribe",
                                                         "Publish",
                                                         "Event",
                                                         "Ack",
                                                         "Watch",
                                                         "Unwatch",
                                                         "Enqueue",
                                                         "Reserve",
                                                         "Job",
                                                         "Gap",
                                                         "Ping",
                                                         "Pong",
                                                         "Resume",
                                                         "HistoryRequest",
                                                         "HistoryReply",
                                                         "IdempotentPublish",
                                                         "Rejected",
                                                         "Finish",
                                                         "Return",
                                                         "Challenge",
                                                         "Proof",
                                                         "Retain",
                                                         "Receipt",
                                                         "Interest"};
  if (packet.size() < 2) return "too short";
  const auto kind = static_cast<std::uint8_t>(packet[1]);
  if (kind == 0 || kind >= kNames.size()) return fmt::format("kind {}", kind);
  return kNames[kind];
}

bool isGone(const Error& error) { return error.code == std::errc::no_such_file_or_directory; }

}  // namespace

Result<LogReport> LogReader::read() {
  const auto boot = directory_.bootId();
  if (!boot) return boot.error();
  boot_ = boot.value();
  // First: what it states is in the segments, also if they are being written.
  if (const auto done = readMarkFile(); !done) return done.error();
  const auto entries = directory_.list();
  if (!entries) return entries.error();
  std::vector<File> segments;
  std::vector<File> snapshots;
  for (const auto& [name, bytes] : entries.value()) {
    if (const auto first = offsetOfSegmentName(name)) segments.push_back({*first, name});
    if (const auto offset = offsetOfSnapshotName(name)) snapshots.push_back({*offset, name});
  }
  std::ranges::sort(segments, {}, &File::offset);
  std::ranges::sort(snapshots, {}, &File::offset);
  for (const File& file : snapshots) {
    if (const auto done = readSnapshotFile(file); !done) return done.error();
  }
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const std::uint64_t limit = i + 1 < segments.size() ? segments[i + 1].offset : kNoLimit;
    if (const auto done = readSegmentFile(segments[i], limit); !done) return done.error();
  }
  const std::uint64_t last = next_ > 0 ? next_ - 1 : 0;
  if (report_.mark && report_.mark->offset > last &&
      std::ranges::none_of(report_.snapshots, [this](const LogReport::Snapshot& snapshot) {
        return snapshot.isValid && snapshot.offset >= report_.mark->offset;
      })) {
    addDamage(kMarkName, 0,
              fmt::format("the log ends before offset {}, which was in use", report_.mark->offset));
  }
  report_.groups = most(std::move(groups_));
  report_.events = most(std::move(events_));
  report_.queues = most(std::move(queues_));
  return std::move(report_);
}

Result<void> LogReader::readMarkFile() {
  const auto content = directory_.read(kMarkName);
  if (!content) {
    if (isGone(content.error())) return {};
    return content.error();
  }
  const std::string_view bytes = content.value().bytes();
  report_.bytes += bytes.size();
  report_.mark = readMark(bytes);
  if (!report_.mark) {
    addDamage(kMarkName, 0, "the mark is damaged");
    return {};
  }
  report_.isMarkOwn = report_.mark->identity == content.value().identity();
  return {};
}

Result<void> LogReader::readSnapshotFile(const File& file) {
  const auto content = directory_.read(file.name);
  if (!content) {
    // Replaced since the directory was listed.
    if (isGone(content.error())) return {};
    return content.error();
  }
  const std::string_view bytes = content.value().bytes();
  report_.bytes += bytes.size();
  const auto snapshot = readSnapshot(bytes);
  const bool isValid = snapshot && snapshot->offset == file.offset;
  report_.snapshots.push_back({.file = file.name,
                               .offset = file.offset,
                               .bytes = bytes.size(),
                               .epoch = isValid ? snapshot->epoch : 0,
                               .isValid = isValid});
  if (!isValid) addDamage(file.name, 0, "the snapshot is damaged");
  return {};
}

Result<void> LogReader::readSegmentFile(const File& file, std::uint64_t limit) {
  const auto content = directory_.read(file.name);
  if (!content) {
    if (isGone(content.error())) return {};
    return content.error();
  }
  const std::string_view bytes = content.value().bytes();
  report_.bytes += bytes.size();
  const auto header = readSegmentHeader(bytes);
  if (!header || header->first != file.offset) {
    if (limit == kNoLimit && bytes.size() < kSegmentHeaderBytes) {
      report_.incompleteBytes += bytes.size();
    } else {
      addDamage(file.name, 0, "the segment's header is damaged");
    }
    return {};
  }
  const bool isCovered =
      std::ranges::any_of(report_.snapshots, [&](const LogReport::Snapshot& snapshot) {
        return snapshot.isValid && snapshot.offset + 1 >= file.offset;
      });
  const std::uint64_t expected = next_ > 0 ? next_ : 1;
  if (file.offset > expected && !isCovered) {
    addDamage(file.name, 0,
              fmt::format("the records {} to {} before it are missing", expected, file.offset - 1));
  }
  const SegmentScan scan =
      scanSegment(bytes, file.offset, limit,
                  [this](std::uint64_t, std::string_view records) { count(records); });
  next_ = scan.next;
  report_.segments.push_back({.file = file.name,
                              .first = file.offset,
                              .last = scan.next - 1,
                              .bytes = bytes.size(),
                              .epoch = header->epoch,
                              .isOfThisBoot = header->boot == boot_});
  report_.records += report_.segments.back().records();
  if (limit == kNoLimit && scan.verdict != RecordVerdict::Ok) {
    const std::uint64_t committed = report_.mark ? report_.mark->offset : 0;
    if (scan.next > committed) {
      report_.incompleteBytes += bytes.size() - scan.bytes;
      return {};
    }
  }
  noteEnd(report_.segments.back(), limit, scan.verdict, scan.bytes);
  return {};
}

void LogReader::noteEnd(const LogReport::Segment& segment, std::uint64_t limit,
                        RecordVerdict verdict, std::uint64_t at) {
  if (verdict == RecordVerdict::Ok) return;
  const std::string rest = limit == kNoLimit
                               ? fmt::format("offset {}", segment.last + 1)
                               : fmt::format("offsets {} to {}", segment.last + 1, limit - 1);
  addDamage(segment.file, at,
            fmt::format("{} cannot be read: a record is {}", rest,
                        verdict == RecordVerdict::Damaged ? "damaged" : "incomplete"));
}

void LogReader::count(std::string_view records) {
  while (!records.empty()) {
    count(trustedRecord(records));
    records.remove_prefix(trustedRecordBytes(records));
  }
}

void LogReader::count(const Record& record) {
  if (report_.firstTime == 0) report_.firstTime = record.time;
  report_.lastTime = record.time;
  ++report_.kinds[kindName(record.packet)];
  Packet packet;
  if (decode(record.packet, packet) != Decode::Ok) return;
  switch (packet.kind) {
    case Kind::Publish:
    case Kind::IdempotentPublish:
      return add(packet.space == Space::Groups ? groups_ : events_, packet.channel,
                 packet.payload.size());
    case Kind::Enqueue:
      return add(queues_, packet.channel, packet.payload.size());
    default:
      return;
  }
}

void LogReader::add(Traffic& traffic, std::string_view name, std::size_t bytes) {
  auto found = traffic.find(name);
  if (found == traffic.end()) {
    found = traffic.try_emplace(std::string(name)).first;
    found->second.name = name;
  }
  ++found->second.count;
  found->second.bytes += bytes;
}

void LogReader::addDamage(const std::string& file, std::uint64_t at, std::string what) {
  report_.damage.push_back({file, at, std::move(what)});
}

std::vector<LogReport::Traffic> LogReader::most(Traffic traffic) {
  std::vector<LogReport::Traffic> all;
  all.reserve(traffic.size());
  for (auto& [name, sum] : traffic) all.push_back(std::move(sum));
  const auto order = [](const LogReport::Traffic& a, const LogReport::Traffic& b) {
    return a.count != b.count ? a.count > b.count : a.name < b.name;
  };
  const std::size_t kept = std::min(all.size(), LogReport::kNamesMax);
  std::ranges::partial_sort(all, all.begin() + static_cast<std::ptrdiff_t>(kept), order);
  all.resize(kept);
  return all;
}

}  // namespace stormo::channel
