#include "channel/log/forked_writer.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "base/assert.h"
#include "channel/log/snapshot_file.h"

namespace stormo::channel {
namespace {

constexpr int kFile = 3;

Error systemError(int number, const char* step) {
  return {std::error_code(number, std::system_category()), step};
}

// An exit status has eight bits, which is enough for an errno.
[[noreturn]] void exitWith(int error) { ::_exit(error > 0 && error < 256 ? error : EIO); }

void writeOrExit(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(kFile, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) exitWith(written < 0 ? errno : ENOSPC);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

// Other threads of the process do not exist here, but their locks may be locked: only memory and
// system calls are used.
[[noreturn]] void writeInChild(int file, pid_t parent,
                               const std::function<void(StateWriter&)>& write) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(ECANCELED);
  ::prctl(PR_SET_NAME, "log snapshot");
  // Without the copies of the process's sockets: a peer must see at once that one was closed.
  if (file != kFile && ::dup2(file, kFile) < 0) exitWith(errno);
  ::syscall(SYS_close_range, kFile + 1, ~0U, 0);
  try {
    writeWithTrailer(write, writeOrExit);
  } catch (...) {
    ::_exit(ENOMEM);
  }
  if (::fsync(kFile) != 0) exitWith(errno);
  ::_exit(0);
}

}  // namespace

ForkedWriter::~ForkedWriter() { end(); }

Result<void> ForkedWriter::start(UniqueFd file, std::function<void(StateWriter&)> write,
                                 std::function<void(Result<std::uint64_t>)> done) {
  STORMO_ASSERT(pid_ == 0);
  const pid_t parent = ::getpid();
  // The child must not run this process's signal handlers.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid = ::fork();
  if (pid == 0) writeInChild(file.get(), parent, write);
  const int forkError = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return systemError(forkError, "fork");

  pid_ = pid;
  pidFd_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!pidFd_.valid()) {
    const int error = errno;
    end();
    return systemError(error, "pidfd_open");
  }
  try {
    watch_ =
        EventLoop::current().watch(pidFd_.get(), EPOLLIN, [this](std::uint32_t) { onEnded(); });
  } catch (const std::system_error& thrown) {
    end();
    return Error{thrown.code(), "epoll_ctl"};
  }
  loop_ = EventLoop::currentOrNull();
  file_ = std::move(file);
  done_ = std::move(done);
  return {};
}

void ForkedWriter::onEnded() {
  int status = 0;
  const bool hasStatus = ::waitpid(pid_, &status, 0) == pid_;
  pid_ = 0;
  struct stat about {};
  Result<std::uint64_t> result = systemError(ECANCELED, "the forked process was killed");
  if (hasStatus && WIFEXITED(status) && WEXITSTATUS(status) != 0) {
    result = systemError(WEXITSTATUS(status), "write");
  } else if (hasStatus && WIFEXITED(status) && ::fstat(file_.get(), &about) == 0) {
    result = static_cast<std::uint64_t>(about.st_size);
  }
  end();
  // Last: it may start the next one.
  const auto done = std::exchange(done_, {});
  done(result);
}

void ForkedWriter::end() {
  if (pid_ != 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  if (watch_ != 0 && EventLoop::currentOrNull() == loop_) loop_->unwatch(watch_);
  watch_ = 0;
  pidFd_.reset();
  file_.reset();
}

}  // namespace stormo::channel
