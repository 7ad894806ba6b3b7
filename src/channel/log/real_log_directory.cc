#include "channel/log/real_log_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "sys/log.h"

namespace stormo::channel {
namespace {

constexpr mode_t kMode = 0600;

Error lastError(const char* step) { return {std::error_code(errno, std::system_category()), step}; }

Result<FileIdentity> identityOf(const UniqueFd& fd) {
  struct statx about {};
  if (::statx(fd.get(), "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &about) != 0) {
    return lastError("statx");
  }
  FileIdentity identity{.inode = about.stx_ino};
  if ((about.stx_mask & STATX_BTIME) != 0) {
    identity.bornNs = static_cast<std::uint64_t>(about.stx_btime.tv_sec) * 1'000'000'000 +
                      about.stx_btime.tv_nsec;
  }
  return identity;
}

/// Owns a mapping.
struct Unmap {
  std::size_t bytes;
  void operator()(const char* begin) const { ::munmap(const_cast<char*>(begin), bytes); }
};

class RealFile final : public LogFile {
 public:
  explicit RealFile(UniqueFd fd) : fd_(std::move(fd)) {}

  [[nodiscard]] Result<FileIdentity> identity() const override { return identityOf(fd_); }
  [[nodiscard]] Result<std::uint64_t> size() const override {
    struct stat about {};
    if (::fstat(fd_.get(), &about) != 0) return lastError("fstat");
    return static_cast<std::uint64_t>(about.st_size);
  }
  [[nodiscard]] Result<std::size_t> write(std::uint64_t at, std::string_view bytes) override {
    while (true) {
      const ssize_t written =
          ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(at));
      if (written > 0) return static_cast<std::size_t>(written);
      if (written == 0) errno = ENOSPC;
      if (errno != EINTR) return lastError("write");
    }
  }
  [[nodiscard]] Result<void> truncate(std::uint64_t bytes) override {
    if (::ftruncate(fd_.get(), static_cast<off_t>(bytes)) != 0) return lastError("ftruncate");
    return {};
  }
  [[nodiscard]] Result<void> sync() override {
    if (::fdatasync(fd_.get()) != 0) return lastError("fdatasync");
    return {};
  }
  [[nodiscard]] Result<std::shared_ptr<char>> map(std::size_t bytes) override {
    void* const begin = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0);
    if (begin == MAP_FAILED) return lastError("mmap");
    return std::shared_ptr<char>(static_cast<char*>(begin), Unmap{bytes});
  }

 private:
  const UniqueFd fd_;
};

}  // namespace

Result<std::unique_ptr<RealLogDirectory>> RealLogDirectory::at(const std::string& path) {
  UniqueFd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) return lastError("open");
  return std::make_unique<RealLogDirectory>(std::move(directory), path);
}

RealLogDirectory::RealLogDirectory(UniqueFd directory, std::string path)
    : directory_(std::move(directory)), path_(std::move(path)) {
  ::signal(SIGXFSZ, SIG_IGN);
}

Result<std::vector<LogDirectory::Entry>> RealLogDirectory::list() {
  // A descriptor of its own, because the position of the listing belongs to the open file.
  UniqueFd again(::openat(directory_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!again.valid()) return lastError("open");
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(::fdopendir(again.get()), &::closedir);
  if (!listing) return lastError("fdopendir");
  static_cast<void>(again.release());  // closedir() closes it
  std::vector<Entry> entries;
  while (true) {
    errno = 0;
    const dirent* const next = ::readdir(listing.get());
    if (next == nullptr) break;
    struct stat about {};
    const bool isThere =
        ::fstatat(directory_.get(), next->d_name, &about, AT_SYMLINK_NOFOLLOW) == 0;
    if (isThere && S_ISREG(about.st_mode)) {
      entries.push_back({next->d_name, static_cast<std::uint64_t>(about.st_size)});
    }
  }
  if (errno != 0) return lastError("readdir");
  return entries;
}

Result<std::shared_ptr<LogFile>> RealLogDirectory::create(const std::string& name) {
  UniqueFd fd(::openat(directory_.get(), name.c_str(),
                       O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kMode));
  if (!fd.valid()) return lastError("create");
  return std::shared_ptr<LogFile>(std::make_shared<RealFile>(std::move(fd)));
}

Result<std::shared_ptr<LogFile>> RealLogDirectory::open(const std::string& name) {
  UniqueFd fd(::openat(directory_.get(), name.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid()) return lastError("open");
  return std::shared_ptr<LogFile>(std::make_shared<RealFile>(std::move(fd)));
}

Result<FileContent> RealLogDirectory::read(const std::string& name) {
  const UniqueFd fd(::openat(directory_.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid()) return lastError("open");
  struct stat about {};
  if (::fstat(fd.get(), &about) != 0) return lastError("fstat");
  const auto identity = identityOf(fd);
  if (!identity) return identity.error();
  const auto bytes = static_cast<std::size_t>(about.st_size);
  if (bytes == 0) return FileContent({}, 0, identity.value());
  void* const begin = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, fd.get(), 0);
  if (begin == MAP_FAILED) return lastError("mmap");
  ::madvise(begin, bytes, MADV_SEQUENTIAL);
  return FileContent({static_cast<const char*>(begin), Unmap{bytes}}, bytes, identity.value());
}

Result<void> RealLogDirectory::rename(const std::string& from, const std::string& to) {
  if (::renameat(directory_.get(), from.c_str(), directory_.get(), to.c_str()) != 0) {
    return lastError("rename");
  }
  return {};
}

Result<void> RealLogDirectory::remove(const std::string& name) {
  if (::unlinkat(directory_.get(), name.c_str(), 0) != 0) return lastError("unlink");
  return {};
}

Result<void> RealLogDirectory::sync() {
  if (::fsync(directory_.get()) != 0) return lastError("fsync");
  return {};
}

Result<BootId> RealLogDirectory::bootId() {
  const UniqueFd file(::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
  char text[64];
  const ssize_t bytes = file.valid() ? ::read(file.get(), text, sizeof text) : -1;
  if (bytes < 0) return lastError("read the boot id");
  // 32 hexadecimal digits, with dashes between them.
  BootId id{};
  std::size_t digits = 0;
  for (const char c : std::string_view(text, static_cast<std::size_t>(bytes))) {
    const bool isLetter = c >= 'a' && c <= 'f';
    if ((!isLetter && (c < '0' || c > '9')) || digits == 2 * id.size()) continue;
    char& byte = id[digits++ / 2];
    byte = static_cast<char>((byte << 4) | (isLetter ? c - 'a' + 10 : c - '0'));
  }
  return id;
}

void RealLogDirectory::removeLater(const std::string& name) {
  syncThread_.add([this, name] { return remove(name); },
                  [this, name](Result<void> removed) {
                    if (removed) return;
                    log::warning(
                        "a file of the log could not be removed directory=\"{}\" file={} "
                        "why=\"{}\"",
                        path_, name, removed.error().message());
                  });
}

void RealLogDirectory::syncLater(SyncRequest request, std::function<void(Result<void>)> done) {
  syncThread_.add(
      [this, request = std::move(request)]() -> Result<void> {
        for (const auto& file : request.files) {
          if (const auto synced = file->sync(); !synced) return synced;
        }
        return request.directory ? sync() : Result<void>();
      },
      std::move(done));
}

void RealLogDirectory::writeApart(const std::string& name, std::function<void(StateWriter&)> write,
                                  std::function<void(Result<std::uint64_t>)> done) {
  UniqueFd file(::openat(directory_.get(), name.c_str(),
                         O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, kMode));
  if (!file.valid()) return report(lastError("create"), std::move(done));
  const auto started = writer_.start(std::move(file), std::move(write),
                                     [this, name, done](Result<std::uint64_t> bytes) {
                                       if (!bytes) (void)remove(name);
                                       done(bytes);
                                     });
  if (started) return;
  (void)remove(name);
  report(started.error(), std::move(done));
}

void RealLogDirectory::report(Error error, std::function<void(Result<std::uint64_t>)> done) {
  EventLoop::current().defer([alive = std::weak_ptr(lifetime_), error, done = std::move(done)] {
    if (!alive.expired()) done(error);
  });
}

}  // namespace stormo::channel
