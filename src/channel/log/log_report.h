#pragma once

#include <stormo/result.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/keyed_hash.h"
#include "channel/log/log_directory.h"
#include "channel/log/mark.h"
#include "channel/log/record.h"

namespace stormo::channel {

/// What a directory holds of a log, also of a damaged one, or of one that is being written.
struct LogReport {
  struct Segment {
    std::string file;
    std::uint64_t first = 0;  ///< Offset of the first record.
    std::uint64_t last = 0;   ///< Of the last whole one; below `first` if there is none.
    std::uint64_t bytes = 0;
    std::uint64_t epoch = 0;
    bool isOfThisBoot = false;
    [[nodiscard]] std::uint64_t records() const { return last + 1 - first; }
  };
  struct Snapshot {
    std::string file;
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
    std::uint64_t epoch = 0;
    bool isValid = false;
  };
  struct Damage {
    std::string file;
    std::uint64_t at = 0;  ///< The position in the file.
    std::string what;
  };
  /// Messages of one name.
  struct Traffic {
    std::string name;
    std::uint64_t count = 0;
    std::uint64_t bytes = 0;  ///< Of their payloads.
  };

  std::vector<Segment> segments;
  std::vector<Snapshot> snapshots;
  std::optional<MarkContent> mark;  ///< If there is one, and it is valid.
  bool isMarkOwn = false;           ///< False for a copy, for example from a backup.
  std::vector<Damage> damage;
  /// Bytes of a write at the end that is not complete: it is being written, or its process ended.
  std::uint64_t incompleteBytes = 0;

  std::uint64_t records = 0;
  std::uint64_t bytes = 0;      ///< Of all files.
  std::uint64_t firstTime = 0;  ///< Milliseconds since 1970; 0 without records.
  std::uint64_t lastTime = 0;
  std::map<std::string, std::uint64_t> kinds;  ///< Records by the kind of their packet.
  // The names with the most messages first, at most kNamesMax of each.
  std::vector<Traffic> groups;
  std::vector<Traffic> events;
  std::vector<Traffic> queues;

  static constexpr std::size_t kNamesMax = 10;
};

/// Reads a log without changing it.
class LogReader {
 public:
  explicit LogReader(LogDirectory& directory) : directory_(directory) {}
  /// Once. Fails if the directory or a file cannot be read.
  [[nodiscard]] Result<LogReport> read();

 private:
  using Traffic = KeyedMap<std::string, LogReport::Traffic>;
  struct File {
    std::uint64_t offset = 0;
    std::string name;
  };
  Result<void> readMarkFile();
  Result<void> readSnapshotFile(const File& file);
  Result<void> readSegmentFile(const File& file, std::uint64_t limit);
  void noteEnd(const LogReport::Segment& segment, std::uint64_t limit, RecordVerdict verdict,
               std::uint64_t at);
  void count(std::string_view records);
  void count(const Record& record);
  void add(Traffic& traffic, std::string_view name, std::size_t bytes);
  void addDamage(const std::string& file, std::uint64_t at, std::string what);
  static std::vector<LogReport::Traffic> most(Traffic traffic);

  LogDirectory& directory_;
  LogReport report_;
  BootId boot_{};
  std::uint64_t next_ = 0;  // the offset after the last record, if a segment was read
  Traffic groups_;
  Traffic events_;
  Traffic queues_;
};

}  // namespace stormo::channel
