#pragma once

#include <stormo/channel/log_settings.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "channel/log/log_directory.h"

namespace stormo::channel {

/// The content of a log's mark, a small file in the log's directory. The next start reads from it
/// up to which record the log was applied, and whether it was closed cleanly. docs/log-format.md
/// describes each byte.
struct MarkContent {
  std::uint64_t epoch = 0;
  FileIdentity identity = {};  ///< Of the mark's own file, so a copy shows that it is one.
  BootId boot = {};            ///< The run of the machine in which it was written.
  SyncPolicy policy = SyncPolicy::Process;
  std::uint64_t offset = 0;  ///< Of the last record that was applied.
  bool clean = false;        ///< All files were synced at the end.
  /// 0, or the offset of the first record that a sync, which runs or has failed, may have lost. The
  /// kernel may have dropped it without that a later sync reports it, and yet show it to readers.
  std::uint64_t syncFrom = 0;
};

inline constexpr const char* kMarkName = "mark";
inline constexpr std::size_t kMarkBytes = 96;

[[nodiscard]] std::string encodeMark(const MarkContent& content);
/// Nullopt if it is damaged.
[[nodiscard]] std::optional<MarkContent> readMark(std::string_view file);

/// Raises the offset in the file of a mark, before what shows that offset is removed. Blocks until
/// it is on disk.
[[nodiscard]] Result<void> raiseMark(LogFile& file, std::uint64_t offset);
/// Sets MarkContent::syncFrom in the file of a mark, before a sync. Survives the process.
[[nodiscard]] Result<void> noteSync(LogFile& file, std::uint64_t from);

/// The mark of an open log.
class Mark {
 public:
  /// Replaces the mark of the last run. `content` needs no identity. Blocks until it is on disk, as
  /// are all other changes of the directory then.
  [[nodiscard]] static Result<Mark> create(LogDirectory& directory, MarkContent content);

  /// No system call.
  void setOffset(std::uint64_t offset);
  void setSyncFrom(std::uint64_t offset);
  /// Becomes durable with the next sync of file().
  void setClean();
  [[nodiscard]] const std::shared_ptr<LogFile>& file() const { return file_; }

 private:
  Mark(std::shared_ptr<LogFile> file, std::shared_ptr<char> memory)
      : file_(std::move(file)), memory_(std::move(memory)) {}
  void store(std::size_t at, std::uint64_t number);

  std::shared_ptr<LogFile> file_;
  std::shared_ptr<char> memory_;
};

}  // namespace stormo::channel
