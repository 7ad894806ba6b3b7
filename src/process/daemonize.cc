#include "process/daemonize.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <stdexcept>

#include "sys/error_text.h"
#include "sys/log.h"
#include "sys/open_files.h"
#include "sys/unique_fd.h"

namespace stormo::process {
namespace {

// The report is one byte, then a text up to the end of the pipe.
constexpr char kStarted = '+';
constexpr char kFailed = '-';

class PipeReport final : public StartReport {
 public:
  explicit PipeReport(UniqueFd fd) : fd_(std::move(fd)) {}

  void started(const std::string& screen) override { write(kStarted, screen); }
  void failed(const std::string& why) { write(kFailed, why); }
  void abandon() override { fd_.reset(); }

 private:
  void write(char outcome, const std::string& text) {
    if (!fd_.valid()) return;
    const std::string all = outcome + text;
    if (::write(fd_.get(), all.data(), all.size()) < 0) {
      log::warning("cannot report the start: the starting process has ended");
    }
    fd_.reset();
  }

  UniqueFd fd_;
};

void detach() {
  ::setsid();
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  for (int standard = 0; standard <= 2; ++standard) ::dup2(null.get(), standard);
}

int runDetached(UniqueFd pipe, const std::function<int(StartReport&)>& body) {
  detach();
  PipeReport report(std::move(pipe));
  try {
    return body(report);
  } catch (const std::exception& thrown) {
    log::error("cannot run what=\"{}\"", thrown.what());
    report.failed(thrown.what());
    return 1;
  }
}

std::string readAll(int fd) {
  std::string all;
  char bytes[4096];
  while (true) {
    const ssize_t size = ::read(fd, bytes, sizeof bytes);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return all;
    all.append(bytes, static_cast<std::size_t>(size));
  }
}

}  // namespace

int runAsDaemon(const std::string& programName, const std::function<int(StartReport&)>& body) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) {
    throw std::runtime_error(fmt::format("cannot become a daemon: pipe: {}", errorText(errno)));
  }
  UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  std::fflush(nullptr);
  const pid_t pid = ::fork();
  if (pid < 0)
    throw std::runtime_error(fmt::format("cannot become a daemon: fork: {}", errorText(errno)));
  if (pid == 0) {
    reading.reset();
    const int status = runDetached(std::move(writing), body);
    std::fflush(nullptr);
    ::_exit(status);
  }
  writing.reset();
  const std::string report = readAll(reading.get());
  if (!report.empty() && report.front() == kStarted) {
    std::fputs(report.c_str() + 1, stdout);
    return 0;
  }
  const std::string why = report.empty() ? "the daemon ended while it started" : report.substr(1);
  std::fprintf(stderr, "%s: %s\n", programName.c_str(), why.c_str());
  return 1;
}

void leaveStarter() {
  if (::chdir("/") < 0) log::warning("cannot leave the working directory: {}", errorText(errno));
  closeInheritedDescriptors();
}

}  // namespace stormo::process
