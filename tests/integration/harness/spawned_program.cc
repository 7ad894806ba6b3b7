#include "integration/harness/spawned_program.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <csignal>
#include <stdexcept>
#include <utility>

namespace stormo::integration {
namespace {

std::pair<UniqueFd, UniqueFd> makePipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) throw std::runtime_error("pipe failed");
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

/// In the child of a process with threads: between fork and exec nothing may allocate or lock.
[[noreturn]] void becomeProgram(char* const* words, int output, int errors) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);  // a test that is killed takes its programs with it
  ::dup2(::open("/dev/null", O_RDONLY), STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(errors, STDERR_FILENO);
  ::execv(words[0], words);
  ::_exit(127);
}

pid_t spawn(const std::vector<std::string>& words, int output, int errors) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid < 0) throw std::runtime_error("fork failed");
  if (pid == 0) becomeProgram(arguments.data(), output, errors);
  return pid;
}

}  // namespace

SpawnedProgram::SpawnedProgram(const Deadline& deadline, const std::vector<std::string>& words)
    : deadline_(deadline), words_(words) {
  auto [outputReading, outputWriting] = makePipe();
  auto [errorsReading, errorsWriting] = makePipe();
  auto [wakeReading, wakeWriting] = makePipe();
  outputFd_ = std::move(outputReading);
  errorsFd_ = std::move(errorsReading);
  wakeReading_ = std::move(wakeReading);
  wakeWriting_ = std::move(wakeWriting);
  pid_ = spawn(words_, outputWriting.get(), errorsWriting.get());
  reader_ = std::thread([this] { readUntilClosed(); });
}

SpawnedProgram::~SpawnedProgram() {
  if (!statusIfEnded()) {
    ::kill(pid_, SIGKILL);
    int ignored = 0;
    ::waitpid(pid_, &ignored, 0);
  }
  wakeWriting_.reset();
  reader_.join();
}

void SpawnedProgram::readUntilClosed() {
  pollfd fds[3] = {
      {outputFd_.get(), POLLIN, 0}, {errorsFd_.get(), POLLIN, 0}, {wakeReading_.get(), 0, 0}};
  std::string* const texts[2] = {&output_, &errors_};
  while (fds[2].revents == 0 && (fds[0].fd >= 0 || fds[1].fd >= 0)) {
    if (::poll(fds, 3, -1) < 0) continue;
    for (int i = 0; i < 2; ++i) {
      if (fds[i].fd < 0 || fds[i].revents == 0) continue;
      char bytes[4096];
      const ssize_t size = ::read(fds[i].fd, bytes, sizeof bytes);
      if (size <= 0) {
        fds[i].fd = -1;  // poll() passes over it
        continue;
      }
      const std::lock_guard lock(mutex_);
      texts[i]->append(bytes, static_cast<std::size_t>(size));
      changed_.notify_all();
    }
  }
  const std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

std::string SpawnedProgram::output() const {
  const std::lock_guard lock(mutex_);
  return output_;
}

std::string SpawnedProgram::errors() const {
  const std::lock_guard lock(mutex_);
  return errors_;
}

std::optional<int> SpawnedProgram::statusIfEnded() {
  int status = 0;
  if (!status_ && ::waitpid(pid_, &status, WNOHANG) == pid_) {
    status_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }
  return status_;
}

void SpawnedProgram::waitForOutput(std::string_view text) {
  std::unique_lock lock(mutex_);
  const auto isThere = [&] { return output_.find(text) != std::string::npos; };
  changed_.wait_until(lock, deadline_.end(), [&] { return isThere() || closed_; });
  if (isThere()) return;
  throw std::runtime_error((closed_ ? "ended" : "hung") + (" without '" + std::string(text)) +
                           "': " + command() + "\n" + output_ + errors_);
}

void SpawnedProgram::signal(int number) const { ::kill(pid_, number); }

Outcome SpawnedProgram::waitForEnd() {
  const UniqueFd process(status_ ? -1 : static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  while (!statusIfEnded()) {
    deadline_.check("the end of " + command() + "\n" + output() + errors());
    pollfd ended{process.get(), POLLIN, 0};
    ::poll(&ended, 1, deadline_.pollMilliseconds());
  }
  std::unique_lock lock(mutex_);
  if (!changed_.wait_until(lock, deadline_.end(), [&] { return closed_; })) {
    throw std::runtime_error("ended, but something of it lives on: " + command());
  }
  return {*status_, output_, errors_};
}

std::string SpawnedProgram::command() const {
  std::string text;
  for (const std::string& word : words_) text += (text.empty() ? "" : " ") + word;
  return text;
}

Outcome runCommand(const Deadline& deadline, const std::vector<std::string>& words) {
  return SpawnedProgram(deadline, words).waitForEnd();
}

}  // namespace stormo::integration
