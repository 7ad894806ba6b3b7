#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "channel/log/log.h"
#include "channel/log/log_directory.h"
#include "channel/log/mark.h"

namespace stormo::channel {

/// What a directory holds of a log, after all that is not part of it was removed.
struct Recovered {
  struct Segment {
    std::uint64_t first = 0;
    std::uint64_t bytes = 0;
    std::uint64_t epoch = 0;
  };
  std::vector<Segment> segments;  ///< The last one ends with the last record.
  std::uint64_t snapshotOffset = 0;
  std::uint64_t snapshotBytes = 0;  ///< 0 if there is no snapshot.
  std::uint64_t offset = 0;         ///< Of the last record.
  std::uint64_t epoch = 0;
  /// Why a new epoch must begin; empty if `epoch` continues.
  std::string newEpochReason = {};
  bool isEmpty = false;   ///< There was no log.
  bool isSynced = false;  ///< All files are on disk.
  bool hasMark = false;
  std::uint64_t mustCopyFrom = 0;  ///< MarkContent::syncFrom.
  BootId boot{};                   ///< This run of the machine.
};

/// Restores a log's state from its newest valid snapshot, the records that the state recalls, and
/// those after the snapshot. Removes what is not part of the log: temporary files, files that the
/// snapshot covers and that are not recalled, an incomplete record at the end, and what follows
/// damage. The rules are in docs/log-format.md.
class Recovery {
 public:
  Recovery(LogDirectory& directory, LogState& state) : directory_(directory), state_(state) {}

  /// Once. What is discarded is logged.
  [[nodiscard]] Result<Recovered> run();

 private:
  struct File {
    std::uint64_t offset = 0;
    std::string name;
    std::uint64_t bytes = 0;
    std::uint64_t epoch = 0;  // of a segment
  };
  Result<void> readDirectory();
  Result<void> readOwnMark();
  /// Drops segments without a valid header: the log never has records in them. A process may have
  /// died, or the disk may have been full, while it created one.
  Result<void> readSegmentHeaders();
  /// Notes that this offset was in use, before what shows it is removed.
  Result<void> raiseOwnMark(std::uint64_t offset);
  Result<void> restoreSnapshot();
  /// Passes the records to the state that it recalls, and removes the other segments that the
  /// snapshot covers.
  Result<void> recallSegments();
  /// True if the segment has all records up to offset `limit` exclusive.
  [[nodiscard]] Result<bool> isWhole(const File& file, std::uint64_t limit);
  Result<void> recallSegment(const File& file, std::uint64_t limit);
  Result<void> applySegments();
  /// Reads one segment up to offset `limit` exclusive. False if the log ends in it.
  Result<bool> applySegment(const File& file, std::uint64_t limit);
  void applyAfterSnapshot(std::uint64_t epoch, std::uint64_t first, std::string_view records);
  /// The log ends in or before this segment: removes the later ones.
  Result<void> removeFrom(std::size_t index);
  Result<void> remove(const File& file);
  Result<void> cut(const File& file, std::uint64_t bytes);
  void logEnd();
  [[nodiscard]] std::string newEpochReason() const;

  LogDirectory& directory_;
  LogState& state_;
  Recovered found_;
  std::vector<File> segments_;   // by offset
  std::vector<File> snapshots_;  // the newest first
  bool isMarkOwn_ = false;       // it was written where it is
  std::optional<MarkContent> mark_;
  std::uint64_t begun_ = 0;  // the epoch of the state
  std::uint64_t next_ = 1;   // the offset after the last record
  bool isChanged_ = false;   // files were removed

  // Where the log ends before the end of its files.
  struct End {
    const char* why = "";
    std::string file = {};
    std::uint64_t at = 0;
    std::uint64_t bytes = 0;  // that were discarded
  };
  std::optional<End> end_;
};

}  // namespace stormo::channel
