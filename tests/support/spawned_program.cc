#include "support/spawned_program.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <csignal>
#include <stdexcept>
#include <utility>

#include "support/watched_process.h"

namespace stormo::test {
namespace {

/// The non-blocking end for reading, and the end for writing.
std::pair<UniqueFd, UniqueFd> makePipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) throw std::runtime_error("pipe failed");
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

/// In the child of a process with threads, nothing between fork and exec may allocate or lock.
[[noreturn]] void becomeProgram(char* const* words, int output, int errors) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);  // a killed test ends its programs
  ::dup2(::open("/dev/null", O_RDONLY), STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(errors, STDERR_FILENO);
  ::execvp(words[0], words);  // glibc's uses only the stack
  ::_exit(127);
}

pid_t spawn(const Words& words, int output, int errors) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid < 0) throw std::runtime_error("fork failed");
  if (pid == 0) becomeProgram(arguments.data(), output, errors);
  ::setpgid(pid, pid);  // the child may not have done it yet when its group is signalled
  return pid;
}

}  // namespace

SpawnedProgram::SpawnedProgram(const Deadline& deadline, Words words)
    : deadline_(deadline), words_(std::move(words)) {
  auto [outputReading, outputWriting] = makePipe();
  auto [errorsReading, errorsWriting] = makePipe();
  auto [wakeReading, wakeWriting] = makePipe();
  output_.fd = std::move(outputReading);
  errors_.fd = std::move(errorsReading);
  wakeReading_ = std::move(wakeReading);
  wakeWriting_ = std::move(wakeWriting);
  pid_ = spawn(words_, outputWriting.get(), errorsWriting.get());
  reader_ = std::thread([this] { readUntilClosed(); });
}

SpawnedProgram::~SpawnedProgram() {
  if (!statusIfEnded()) {
    signal(SIGKILL);
    int ignored = 0;
    ::waitpid(pid_, &ignored, 0);
  }
  wakeWriting_.reset();
  reader_.join();
}

ssize_t SpawnedProgram::readMore(Stream& stream) {
  char bytes[4096];
  const ssize_t size = ::read(stream.fd.get(), bytes, sizeof bytes);
  if (size > 0) stream.text.append(bytes, static_cast<std::size_t>(size));
  return size;
}

void SpawnedProgram::readUntilClosed() {
  pollfd fds[3] = {
      {output_.fd.get(), POLLIN, 0}, {errors_.fd.get(), POLLIN, 0}, {wakeReading_.get(), 0, 0}};
  Stream* const streams[2] = {&output_, &errors_};
  while (fds[2].revents == 0 && (fds[0].fd >= 0 || fds[1].fd >= 0)) {
    if (::poll(fds, 3, -1) < 0) continue;
    const std::lock_guard lock(mutex_);
    for (int i = 0; i < 2; ++i) {
      // Negative, which is not the end, if waitForOwnEnd() has read it first.
      const bool isAtEnd = fds[i].revents != 0 && readMore(*streams[i]) == 0;
      if (isAtEnd) fds[i].fd = -1;  // poll() ignores it
    }
    changed_.notify_all();
  }
  const std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

std::string SpawnedProgram::output() const {
  const std::lock_guard lock(mutex_);
  return output_.text;
}

std::string SpawnedProgram::errors() const {
  const std::lock_guard lock(mutex_);
  return errors_.text;
}

std::optional<int> SpawnedProgram::statusIfEnded() {
  int status = 0;
  if (!status_ && ::waitpid(pid_, &status, WNOHANG) == pid_) {
    status_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }
  return status_;
}

void SpawnedProgram::signal(int number) const { ::kill(pid_, number); }

void SpawnedProgram::signalGroup(int number) const { ::kill(-pid_, number); }

void SpawnedProgram::waitForOutput(std::string_view text) {
  std::unique_lock lock(mutex_);
  const auto isThere = [&] { return output_.text.find(text) != std::string::npos; };
  changed_.wait_until(lock, deadline_.end(), [&] { return isThere() || closed_; });
  if (isThere()) return;
  throw std::runtime_error((closed_ ? "ended" : "hung") + (" without '" + std::string(text)) +
                           "': " + description());
}

Outcome SpawnedProgram::waitForOwnEnd() {
  if (!statusIfEnded() && !WatchedProcess(pid_).ends(deadline_)) {
    const std::lock_guard lock(mutex_);
    throw std::runtime_error("timed out waiting for the end of " + description());
  }
  const std::lock_guard lock(mutex_);
  for (Stream* stream : {&output_, &errors_}) {
    while (readMore(*stream) > 0) continue;  // the last output, if the reader does not have it yet
  }
  changed_.notify_all();
  return {statusIfEnded().value(), output_.text, errors_.text};
}

Outcome SpawnedProgram::waitForEnd() {
  const int status = waitForOwnEnd().status;
  std::unique_lock lock(mutex_);
  if (!changed_.wait_until(lock, deadline_.end(), [&] { return closed_; })) {
    throw std::runtime_error("ended, but its children still run: " + description());
  }
  return {status, output_.text, errors_.text};
}

std::string SpawnedProgram::description() const {
  std::string text;
  for (const std::string& word : words_) text += (text.empty() ? "" : " ") + word;
  return text + "\n" + output_.text + errors_.text;
}

}  // namespace stormo::test
