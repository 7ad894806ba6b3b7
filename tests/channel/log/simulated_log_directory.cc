#include "channel/log/simulated_log_directory.h"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "base/assert.h"
#include "channel/log/snapshot_file.h"

namespace stormo::test {
namespace {

constexpr std::size_t kSectorBytes = 512;

Error failure(int number, const char* step) {
  return {std::error_code(number, std::generic_category()), step};
}

void put(std::string& content, std::uint64_t at, std::string_view bytes) {
  if (content.size() < at + bytes.size()) content.resize(at + bytes.size(), '\0');
  content.replace(at, bytes.size(), bytes);
}

void make(std::string& content, const SimulatedInode::Change& change) {
  if (change.truncated) {
    content.resize(*change.truncated, '\0');
  } else {
    put(content, change.at, change.bytes);
  }
}

}  // namespace

class SimulatedFile final : public channel::LogFile {
 public:
  SimulatedFile(SimulatedLogDirectory& directory, SimulatedLogDirectory::Inode inode)
      : directory_(directory), inode_(std::move(inode)) {}

  [[nodiscard]] Result<channel::FileIdentity> identity() const override { return inode_->identity; }
  [[nodiscard]] Result<std::uint64_t> size() const override { return inode_->content.size(); }
  [[nodiscard]] Result<std::size_t> write(std::uint64_t at, std::string_view bytes) override {
    return directory_.write(*inode_, at, bytes);
  }
  [[nodiscard]] Result<void> truncate(std::uint64_t bytes) override {
    directory_.step();
    inode_->unsynced.push_back({.truncated = bytes});
    make(inode_->content, inode_->unsynced.back());
    return {};
  }
  [[nodiscard]] Result<void> sync() override {
    directory_.step();
    return directory_.syncFile(*inode_, inode_->unsynced.size(), inode_->content);
  }
  [[nodiscard]] Result<std::shared_ptr<char>> map(std::size_t bytes) override {
    STORMO_ASSERT(bytes <= inode_->content.size());
    inode_->isMapped = true;
    return std::shared_ptr<char>(inode_, inode_->content.data());
  }

  [[nodiscard]] const SimulatedLogDirectory::Inode& inode() const { return inode_; }

 private:
  SimulatedLogDirectory& directory_;
  SimulatedLogDirectory::Inode inode_;
};

void SimulatedLogDirectory::step() {
  if (isDead_) throw SimulatedDeath{};
  if (++steps_ != deathStep_) return;
  isDead_ = true;
  throw SimulatedDeath{};
}

void SimulatedLogDirectory::endPending() {
  // The kernel goes on with a sync. Nobody learns that it fails.
  for (const PendingSync& pending : std::exchange(syncs_, {})) {
    if (failingSyncs_ == 0) break;
    for (const auto& [inode, changes, mapped] : pending.files) {
      (void)syncFile(*inode, changes, mapped);
    }
  }
  if (snapshot_) {
    // The forked process dies with its parent, having written a part.
    const std::uint64_t bytes = random_() % (snapshot_->bytes.size() + 1);
    if (const auto file = names_.find(snapshot_->name); file != names_.end()) {
      file->second->unsynced.push_back({.bytes = snapshot_->bytes.substr(0, bytes)});
      make(file->second->content, file->second->unsynced.back());
    }
    snapshot_.reset();
  }
}

void SimulatedLogDirectory::kill() {
  endPending();
  isDead_ = false;
  deathStep_ = 0;
}

void SimulatedLogDirectory::reboot() {
  kill();
  ++boot_[0];
}

void SimulatedLogDirectory::crash() {
  reboot();
  // Some crashes lose nothing or everything, most a part.
  const unsigned keep = chance(20) ? 0 : chance(20) ? 100 : 50;
  for (const Names& change : nameChanges_) {
    if (!chance(keep)) continue;
    for (const auto& [name, inode] : change) {
      inode ? void(durableNames_[name] = inode) : void(durableNames_.erase(name));
    }
  }
  nameChanges_.clear();
  names_ = durableNames_;
  for (auto& [name, inode] : names_) {
    // What a mapping refers to must not change: the new process sees another object.
    inode = std::make_shared<SimulatedInode>(*inode);
    if (keep == 0) inode->unsynced.clear();
    if (keep == 0 && inode->isMapped) inode->content = inode->durable;
    if (keep == 100) inode->durable = inode->content;
    if (keep == 50) tear(*inode);
    inode->content = inode->durable;
    inode->unsynced.clear();
    inode->isMapped = false;
  }
  durableNames_ = names_;
}

void SimulatedLogDirectory::tear(SimulatedInode& inode) {
  if (inode.isMapped && inode.durable.size() == inode.content.size()) {
    // One page. Each aligned word of it is old or new.
    for (std::size_t at = 0; at + 8 <= inode.content.size(); at += 8) {
      if (chance(50)) inode.durable.replace(at, 8, inode.content, at, 8);
    }
    return;
  }
  for (const SimulatedInode::Change& change : inode.unsynced) {
    if (change.truncated) {
      if (chance(50)) make(inode.durable, change);
      continue;
    }
    for (std::uint64_t done = 0; done < change.bytes.size();) {
      const std::uint64_t at = change.at + done;
      const std::uint64_t bytes =
          std::min<std::uint64_t>(change.bytes.size() - done, kSectorBytes - at % kSectorBytes);
      if (chance(70)) put(inode.durable, at, std::string_view(change.bytes).substr(done, bytes));
      done += bytes;
    }
  }
}

std::uint64_t SimulatedLogDirectory::usedBytes() const {
  std::uint64_t bytes = 0;
  for (const auto& [name, inode] : names_) bytes += inode->content.size();
  return bytes;
}

std::map<std::string, std::string> SimulatedLogDirectory::copy() const {
  std::map<std::string, std::string> files;
  for (const auto& [name, inode] : names_) files[name] = inode->content;
  return files;
}

void SimulatedLogDirectory::restore(const std::map<std::string, std::string>& files) {
  for (const auto& [name, bytes] : files) {
    const Inode inode = newInode();
    inode->content = inode->durable = bytes;
    names_[name] = durableNames_[name] = inode;
  }
}

std::vector<std::string> SimulatedLogDirectory::names() const {
  std::vector<std::string> names;
  for (const auto& [name, inode] : names_) names.push_back(name);
  return names;
}

std::string SimulatedLogDirectory::content(const std::string& name) const {
  return names_.at(name)->content;
}

void SimulatedLogDirectory::replaceContent(const std::string& name, std::string bytes) {
  SimulatedInode& inode = *names_.at(name);
  inode.unsynced.clear();
  inode.content = inode.durable = std::move(bytes);
}

SimulatedLogDirectory::Inode SimulatedLogDirectory::newInode() {
  auto inode = std::make_shared<SimulatedInode>();
  inode->identity = {.inode = nextInode_++, .bornNs = 1};
  return inode;
}

void SimulatedLogDirectory::changeNames(Names changed) {
  for (const auto& [name, inode] : changed) {
    inode ? void(names_[name] = inode) : void(names_.erase(name));
  }
  nameChanges_.push_back(std::move(changed));
}

Result<std::vector<channel::LogDirectory::Entry>> SimulatedLogDirectory::list() {
  std::vector<Entry> entries;
  for (const auto& [name, inode] : names_) entries.push_back({name, inode->content.size()});
  std::ranges::shuffle(entries, random_);
  return entries;
}

Result<std::shared_ptr<channel::LogFile>> SimulatedLogDirectory::create(const std::string& name) {
  step();
  if (names_.contains(name)) return failure(EEXIST, "create");
  changeNames({{name, newInode()}});
  return open(name);
}

Result<std::shared_ptr<channel::LogFile>> SimulatedLogDirectory::open(const std::string& name) {
  const auto file = names_.find(name);
  if (file == names_.end()) return failure(ENOENT, "open");
  return std::shared_ptr<channel::LogFile>(std::make_shared<SimulatedFile>(*this, file->second));
}

Result<channel::FileContent> SimulatedLogDirectory::read(const std::string& name) {
  const auto file = names_.find(name);
  if (file == names_.end()) return failure(ENOENT, "open");
  const auto copy = std::make_shared<const std::string>(file->second->content);
  return channel::FileContent({copy, copy->data()}, copy->size(), file->second->identity);
}

Result<void> SimulatedLogDirectory::rename(const std::string& from, const std::string& to) {
  step();
  const auto file = names_.find(from);
  if (file == names_.end()) return failure(ENOENT, "rename");
  changeNames({{from, nullptr}, {to, file->second}});
  return {};
}

Result<void> SimulatedLogDirectory::remove(const std::string& name) {
  step();
  if (!names_.contains(name)) return failure(ENOENT, "unlink");
  changeNames({{name, nullptr}});
  return {};
}

Result<void> SimulatedLogDirectory::sync() {
  step();
  syncNames(nameChanges_.size());
  return {};
}

void SimulatedLogDirectory::syncNames(std::size_t changes) {
  changes = std::min(changes, nameChanges_.size());
  for (std::size_t i = 0; i < changes; ++i) {
    for (const auto& [name, inode] : nameChanges_[i]) {
      inode ? void(durableNames_[name] = inode) : void(durableNames_.erase(name));
    }
  }
  nameChanges_.erase(nameChanges_.begin(),
                     nameChanges_.begin() + static_cast<std::ptrdiff_t>(changes));
}

Result<std::size_t> SimulatedLogDirectory::write(SimulatedInode& inode, std::uint64_t at,
                                                 std::string_view bytes) {
  const std::uint64_t used = usedBytes();
  const std::uint64_t end = at + bytes.size();
  const std::uint64_t growth = end > inode.content.size() ? end - inode.content.size() : 0;
  if (used + growth > capacity_) {
    const std::uint64_t missing = used + growth - capacity_;
    if (missing >= bytes.size()) return failure(ENOSPC, "write");
    bytes.remove_suffix(missing);
  }
  const bool dies = !isDead_ && steps_ + 1 == deathStep_;
  if (dies) {  // before, after, or in the middle of it
    const std::size_t missing[] = {0, bytes.size(), random_() % (bytes.size() + 1)};
    bytes.remove_suffix(missing[random_() % 3]);
  }
  if (dies || !isDead_) {
    inode.unsynced.push_back({.at = at, .bytes = std::string(bytes)});
    make(inode.content, inode.unsynced.back());
  }
  step();
  return bytes.size();
}

Result<void> SimulatedLogDirectory::syncFile(SimulatedInode& inode, std::size_t changes,
                                             const std::string& mapped) {
  changes = std::min(changes, inode.unsynced.size());
  const auto end = inode.unsynced.begin() + static_cast<std::ptrdiff_t>(changes);
  const bool fails = failingSyncs_ > 0;
  if (!fails) {
    for (auto change = inode.unsynced.begin(); change != end; ++change) {
      make(inode.durable, *change);
    }
    if (inode.isMapped) inode.durable = mapped;
  }
  inode.unsynced.erase(inode.unsynced.begin(), end);
  if (!fails) return {};
  --failingSyncs_;
  return failure(EIO, "fdatasync");
}

void SimulatedLogDirectory::syncLater(SyncRequest request, std::function<void(Result<void>)> done) {
  PendingSync pending{.files = {},
                      .directory = request.directory,
                      .nameChanges = nameChanges_.size(),
                      .done = std::move(done)};
  for (const auto& file : request.files) {
    const Inode& inode = static_cast<SimulatedFile&>(*file).inode();
    pending.files.push_back({inode, inode->unsynced.size(), inode->content});
  }
  syncs_.push_back(std::move(pending));
}

void SimulatedLogDirectory::completeSync() {
  step();
  const PendingSync pending = std::move(syncs_.front());
  syncs_.erase(syncs_.begin());
  Result<void> result;
  for (const auto& [inode, changes, mapped] : pending.files) {
    if (result) result = syncFile(*inode, changes, mapped);
  }
  if (result && pending.directory) syncNames(pending.nameChanges);
  pending.done(result);
}

void SimulatedLogDirectory::writeApart(const std::string& name,
                                       std::function<void(channel::StateWriter&)> write,
                                       std::function<void(Result<std::uint64_t>)> done) {
  step();
  STORMO_ASSERT(!snapshot_);
  snapshot_ = PendingSnapshot{.name = name, .bytes = {}, .done = std::move(done)};
  channel::writeWithTrailer(write, [this](std::string_view bytes) { snapshot_->bytes += bytes; });
  changeNames({{name, newInode()}});
}

void SimulatedLogDirectory::completeSnapshot() {
  step();
  const PendingSnapshot pending = std::move(*snapshot_);
  snapshot_.reset();
  SimulatedInode& inode = *names_.at(pending.name);
  if (failingSnapshots_ > 0 || usedBytes() + pending.bytes.size() > capacity_) {
    failingSnapshots_ = std::max(0, failingSnapshots_ - 1);
    changeNames({{pending.name, nullptr}});
    pending.done(failure(ENOSPC, "write"));
    return;
  }
  inode.content = inode.durable = pending.bytes;
  pending.done(pending.bytes.size());
}

}  // namespace stormo::test
