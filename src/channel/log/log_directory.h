#pragma once

#include <stormo/result.h>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "channel/log/state_stream.h"

namespace stormo::channel {

/// Identifies a file on its file system: a copy of the file has another identity.
struct FileIdentity {
  std::uint64_t inode = 0;
  std::uint64_t bornNs = 0;  ///< Time of its creation since 1970; 0 where it is not recorded.
  bool operator==(const FileIdentity&) const = default;
};

/// One run of the machine: another after each reboot.
using BootId = std::array<char, 16>;

/// One open file of a LogDirectory. sync() may be called on another thread than the rest.
class LogFile {
 public:
  virtual ~LogFile() = default;
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  [[nodiscard]] virtual Result<FileIdentity> identity() const = 0;
  [[nodiscard]] virtual Result<std::uint64_t> size() const = 0;
  /// Writes at this position, with one system call. Returns the number of bytes written: at least
  /// one, but maybe not all.
  [[nodiscard]] virtual Result<std::size_t> write(std::uint64_t at, std::string_view bytes) = 0;
  [[nodiscard]] virtual Result<void> truncate(std::uint64_t bytes) = 0;
  /// Waits until the content is on disk. After a failure the content since the last success may be
  /// lost, also if a later call succeeds.
  [[nodiscard]] virtual Result<void> sync() = 0;
  /// The first `bytes` of the file, which it has, as memory: what is stored there is in the file at
  /// once, and survives the process.
  [[nodiscard]] virtual Result<std::shared_ptr<char>> map(std::size_t bytes) = 0;

 protected:
  LogFile() = default;
};

/// The content of a file, as long as this exists.
class FileContent {
 public:
  FileContent() = default;
  FileContent(std::shared_ptr<const char> begin, std::size_t bytes, const FileIdentity& identity)
      : begin_(std::move(begin)), bytes_(bytes), identity_(identity) {}
  [[nodiscard]] std::string_view bytes() const { return {begin_.get(), bytes_}; }
  [[nodiscard]] const FileIdentity& identity() const { return identity_; }

 private:
  std::shared_ptr<const char> begin_;
  std::size_t bytes_ = 0;
  FileIdentity identity_;
};

/// What a log needs of the operating system: the files of one directory, synchronisation with the
/// disk that does not block the loop, and a copy of the process that writes a snapshot. Names are
/// without a folder. A simulation replaces it in tests.
class LogDirectory {
 public:
  virtual ~LogDirectory() = default;
  LogDirectory(const LogDirectory&) = delete;
  LogDirectory& operator=(const LogDirectory&) = delete;

  struct Entry {
    std::string name;
    std::uint64_t bytes = 0;
  };

  /// For log lines.
  [[nodiscard]] virtual const std::string& path() const = 0;
  /// The regular files, in no order.
  [[nodiscard]] virtual Result<std::vector<Entry>> list() = 0;
  /// Creates an empty file; there must be none of this name.
  [[nodiscard]] virtual Result<std::shared_ptr<LogFile>> create(const std::string& name) = 0;
  [[nodiscard]] virtual Result<std::shared_ptr<LogFile>> open(const std::string& name) = 0;
  [[nodiscard]] virtual Result<FileContent> read(const std::string& name) = 0;
  /// Replaces the file `to` in one step.
  [[nodiscard]] virtual Result<void> rename(const std::string& from, const std::string& to) = 0;
  [[nodiscard]] virtual Result<void> remove(const std::string& name) = 0;
  /// Waits until what was created, renamed and removed is on disk.
  [[nodiscard]] virtual Result<void> sync() = 0;
  [[nodiscard]] virtual Result<BootId> bootId() = 0;

  /// Removes a file without blocking the loop, which a large file would do for long. A failure is
  /// logged. If the process ends before, the file is still there.
  virtual void removeLater(const std::string& name) = 0;

  // Both call `done` in a later turn of the loop, and never after the directory is destroyed.

  struct SyncRequest {
    std::vector<std::shared_ptr<LogFile>> files = {};
    bool directory = false;  ///< After the files: sync() of the directory, too.
  };
  /// Synchronises without blocking the loop. `done` gets the first failure.
  virtual void syncLater(SyncRequest request, std::function<void(Result<void>)> done) = 0;

  /// Writes a new file in a forked copy of this process, which has the state of now, and syncs it:
  /// what `write` writes, and then a trailer (see snapshot_file.h). `done` gets the file's bytes;
  /// after a failure there is no file. `write` uses memory only: no lock, no log, no loop. At most
  /// one at a time.
  virtual void writeApart(const std::string& name, std::function<void(StateWriter&)> write,
                          std::function<void(Result<std::uint64_t>)> done) = 0;

 protected:
  LogDirectory() = default;
};

}  // namespace stormo::channel
