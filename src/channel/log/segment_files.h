#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string_view>

#include "channel/log/log_directory.h"
#include "channel/log/segment.h"

namespace stormo::channel {

/// The segments of an open log, the oldest first. Records are written to the last one.
class SegmentFiles {
 public:
  /// `keepsOpen`: sealed segments stay open until they are synced.
  SegmentFiles(LogDirectory& directory, std::uint64_t segmentBytes, bool keepsOpen)
      : directory_(directory), segmentBytes_(segmentBytes), keepsOpen_(keepsOpen) {}

  /// Adds a file that exists, in the order of the offsets.
  void adopt(std::uint64_t first, std::uint64_t bytes, bool isSynced);
  /// Replaces those that have this offset, or a later one, by new files with the same content.
  [[nodiscard]] Result<void> copyFrom(std::uint64_t offset);
  /// Opens the last of them, which will be written.
  [[nodiscard]] Result<void> openLast();
  /// Seals the last segment and creates the next one. On failure all is as before.
  [[nodiscard]] Result<void> begin(const SegmentHeader& header);

  /// False if the next segment should begin before so many bytes are written.
  [[nodiscard]] bool hasRoom(std::size_t bytes) const;
  /// True if the last segment has records.
  [[nodiscard]] bool hasRecords() const;
  /// Writes to the end of the last segment, with one system call; maybe not all.
  [[nodiscard]] Result<std::size_t> write(std::string_view bytes);
  [[nodiscard]] std::uint64_t totalBytes() const { return totalBytes_; }

  /// An end of written records: a segment, and a length of it.
  struct End {
    std::uint64_t first = 0;
    std::uint64_t bytes = 0;
  };
  [[nodiscard]] End end() const;
  /// What is before `end` is kept by removeUncommitted().
  void commit(const End& end);
  /// Removes what was written since the last commit; `next` is the offset of its first record.
  /// May be repeated after a failure. Afterwards begin() must be called.
  [[nodiscard]] Result<void> removeUncommitted(std::uint64_t next);

  /// True if something was written since the last takeUnsynced().
  [[nodiscard]] bool isUnsynced() const;
  [[nodiscard]] Result<LogDirectory::SyncRequest> takeUnsynced();

  /// A snapshot has the records up to `offset`, so segments without others, except the last, are
  /// covered. They are removed at once, except those with records from `keptFrom` on.
  void cover(std::uint64_t offset, std::uint64_t keptFrom);
  /// Removes all that are covered.
  void removeCovered();
  /// Of those that are not covered.
  [[nodiscard]] std::uint64_t uncoveredBytes() const { return totalBytes_ - coveredBytes_; }

 private:
  struct Segment {
    std::uint64_t first = 0;
    std::uint64_t bytes = 0;
    std::uint64_t committedBytes = 0;
    bool isSynced = false;
    std::shared_ptr<LogFile> file = nullptr;  // null if it is not open
  };
  [[nodiscard]] Result<std::shared_ptr<LogFile>> fileOf(const Segment& segment);
  void removeFirst();

  LogDirectory& directory_;
  const std::uint64_t segmentBytes_;
  const bool keepsOpen_;
  std::deque<Segment> segments_;
  std::size_t covered_ = 0;  // of segments_, from its front
  std::uint64_t coveredBytes_ = 0;
  std::uint64_t totalBytes_ = 0;
  bool isDirectorySynced_ = true;
};

}  // namespace stormo::channel
