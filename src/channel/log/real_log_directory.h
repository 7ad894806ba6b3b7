#pragma once

#include <memory>
#include <string>
#include <vector>

#include "channel/log/forked_writer.h"
#include "channel/log/log_directory.h"
#include "channel/log/sync_thread.h"
#include "sys/unique_fd.h"

namespace stormo::channel {

/// A directory of the file system. Used on the thread of one loop.
class RealLogDirectory final : public LogDirectory {
 public:
  /// Opens an existing directory.
  [[nodiscard]] static Result<std::unique_ptr<RealLogDirectory>> at(const std::string& path);
  /// `directory` is open; `path` is for log lines. The user of this process needs the right to
  /// read, write and search the directory, but none on the folders above it. SIGXFSZ is ignored
  /// from now on, so that a file that would be too large is an error like a full disk.
  RealLogDirectory(UniqueFd directory, std::string path);

  [[nodiscard]] const std::string& path() const override { return path_; }
  [[nodiscard]] Result<std::vector<Entry>> list() override;
  [[nodiscard]] Result<std::shared_ptr<LogFile>> create(const std::string& name) override;
  [[nodiscard]] Result<std::shared_ptr<LogFile>> open(const std::string& name) override;
  [[nodiscard]] Result<FileContent> read(const std::string& name) override;
  [[nodiscard]] Result<void> rename(const std::string& from, const std::string& to) override;
  [[nodiscard]] Result<void> remove(const std::string& name) override;
  [[nodiscard]] Result<void> sync() override;
  [[nodiscard]] Result<BootId> bootId() override;
  void removeLater(const std::string& name) override;
  void syncLater(SyncRequest request, std::function<void(Result<void>)> done) override;
  void writeApart(const std::string& name, std::function<void(StateWriter&)> write,
                  std::function<void(Result<std::uint64_t>)> done) override;

 private:
  void report(Error error, std::function<void(Result<std::uint64_t>)> done);

  std::shared_ptr<const void> lifetime_ = std::make_shared<char>();
  const UniqueFd directory_;
  const std::string path_;
  SyncThread syncThread_;
  ForkedWriter writer_;
};

}  // namespace stormo::channel
