#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "channel/log/log_directory.h"

namespace stormo::test {

/// Ends a simulated process in the middle of a call; every later call throws it, too.
struct SimulatedDeath {};

/// One file: what processes see, and what is on disk.
struct SimulatedInode {
  struct Change {
    std::uint64_t at = 0;
    std::string bytes = {};
    std::optional<std::uint64_t> truncated = {};  // the new length, instead of a write
  };
  channel::FileIdentity identity;
  std::string content;  // in the page cache
  std::string durable;  // on disk
  std::vector<Change> unsynced;
  bool isMapped = false;  // then its changes are found by comparison
};

/// A directory in memory that behaves as badly as a real one may. Processes of it die (kill()), and
/// the power fails (crash()); then what was not synced is lost, kept, or kept in part: each write
/// sector by sector, each change of a name on its own. After both, destroy the FileLog that used it
/// and open another.
///
/// syncLater() and writeApart() complete when the test calls completeSync() or completeSnapshot().
class SimulatedLogDirectory final : public channel::LogDirectory {
 public:
  explicit SimulatedLogDirectory(std::uint64_t seed = 0) : random_(seed) {}

  // --- What happens to it ---

  void kill();
  /// Ends what a process that has ended itself has not completed.
  void endPending();
  void crash();
  /// A reboot after which all is as it was.
  void reboot();
  /// The process dies in the n-th step from now (1 is the next): each change of a file or a name is
  /// one. A write is done in part, and what is done is seen by the next process.
  void dieAtStep(std::uint64_t step) { deathStep_ = steps_ + step; }
  [[nodiscard]] bool isDead() const { return isDead_; }
  [[nodiscard]] std::uint64_t steps() const { return steps_; }
  /// The bytes that all files may have together.
  void setCapacity(std::uint64_t bytes) { capacity_ = bytes; }
  [[nodiscard]] std::uint64_t usedBytes() const;
  /// The next syncs of files fail, and what they should have written is dropped; also if the
  /// process ends meanwhile.
  void failSyncs(int count) { failingSyncs_ = count; }
  void failSnapshots(int count) { failingSnapshots_ = count; }

  [[nodiscard]] bool hasPendingSync() const { return !syncs_.empty(); }
  [[nodiscard]] bool hasPendingSnapshot() const { return snapshot_.has_value(); }
  /// Completes the first sync. What was written after it was requested is not synced.
  void completeSync();
  void completeSnapshot();

  // --- Its files ---

  /// All that a backup has.
  [[nodiscard]] std::map<std::string, std::string> copy() const;
  /// Puts files back from a backup: new files with that content, on disk. Others stay.
  void restore(const std::map<std::string, std::string>& files);
  [[nodiscard]] std::vector<std::string> names() const;  // sorted
  [[nodiscard]] bool has(const std::string& name) const { return names_.contains(name); }
  /// The content as processes see it. A change needs no sync.
  [[nodiscard]] std::string content(const std::string& name) const;
  void replaceContent(const std::string& name, std::string bytes);

  // --- LogDirectory ---

  [[nodiscard]] const std::string& path() const override { return path_; }
  [[nodiscard]] Result<std::vector<Entry>> list() override;
  [[nodiscard]] Result<std::shared_ptr<channel::LogFile>> create(const std::string& name) override;
  [[nodiscard]] Result<std::shared_ptr<channel::LogFile>> open(const std::string& name) override;
  [[nodiscard]] Result<channel::FileContent> read(const std::string& name) override;
  [[nodiscard]] Result<void> rename(const std::string& from, const std::string& to) override;
  [[nodiscard]] Result<void> remove(const std::string& name) override;
  [[nodiscard]] Result<void> sync() override;
  [[nodiscard]] Result<channel::BootId> bootId() override { return boot_; }
  void removeLater(const std::string& name) override { (void)remove(name); }
  void syncLater(SyncRequest request, std::function<void(Result<void>)> done) override;
  void writeApart(const std::string& name, std::function<void(channel::StateWriter&)> write,
                  std::function<void(Result<std::uint64_t>)> done) override;

 private:
  friend class SimulatedFile;
  using Inode = std::shared_ptr<SimulatedInode>;
  using Names = std::map<std::string, Inode>;
  struct PendingSync {
    struct Part {
      Inode inode;
      std::size_t changes = 0;
      std::string mapped;  // the content then
    };
    std::vector<Part> files;
    bool directory = false;
    std::size_t nameChanges = 0;
    std::function<void(Result<void>)> done;
  };
  struct PendingSnapshot {
    std::string name;
    std::string bytes;
    std::function<void(Result<std::uint64_t>)> done;
  };

  void step();  // throws SimulatedDeath in the step of dieAtStep()
  void changeNames(Names changed);
  Inode newInode();
  [[nodiscard]] Result<std::size_t> write(SimulatedInode& inode, std::uint64_t at,
                                          std::string_view bytes);
  [[nodiscard]] Result<void> syncFile(SimulatedInode& inode, std::size_t changes,
                                      const std::string& mapped);
  void syncNames(std::size_t changes);
  void tear(SimulatedInode& inode);
  [[nodiscard]] bool chance(unsigned percent) { return random_() % 100 < percent; }

  const std::string path_ = "simulated";
  std::mt19937_64 random_;
  channel::BootId boot_{};
  std::uint64_t nextInode_ = 1;
  Names names_;
  Names durableNames_;
  std::vector<Names> nameChanges_;  // each: the changed names, null if removed
  std::uint64_t capacity_ = UINT64_MAX;
  std::uint64_t steps_ = 0;
  std::uint64_t deathStep_ = 0;
  bool isDead_ = false;
  int failingSyncs_ = 0;
  int failingSnapshots_ = 0;
  std::vector<PendingSync> syncs_;
  std::optional<PendingSnapshot> snapshot_;
};

}  // namespace stormo::test
