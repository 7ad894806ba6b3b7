#include "bench/load_test.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "bench/generator.h"
#include "bench/server_usage.h"
#include "bench/shared_progress.h"
#include "sys/clock.h"
#include "sys/open_files.h"

namespace stormo::bench {
namespace {

using std::chrono::milliseconds;

// Interval at which the progress is polled.
constexpr milliseconds kPollInterval{1};
// The test fails after this time without progress while members join or wait for a probe.
constexpr milliseconds kProgressTimeout{10'000};
// Interval between rounds of probes: a server may have joined a member after the previous round.
constexpr milliseconds kProbeAgain{500};
// How long all members must stay complete, because duplicates arrive last.
constexpr milliseconds kAfterwards{50};

double secondsOf(Clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

/// The generator's processes.
class GeneratorProcesses {
 public:
  GeneratorProcesses(const Plan& plan, SharedProgress& progress) {
    for (std::size_t i = 0; i < plan.processes; ++i) pids_.push_back(fork(plan, i, progress));
  }
  ~GeneratorProcesses() {
    for (const pid_t pid : pids_) ::kill(pid, SIGKILL);
    waitForAll();
  }
  GeneratorProcesses(const GeneratorProcesses&) = delete;
  GeneratorProcesses& operator=(const GeneratorProcesses&) = delete;

  [[nodiscard]] bool allAlive() const {
    return std::ranges::none_of(pids_, [](pid_t pid) {
      siginfo_t info{};
      return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
             info.si_pid == pid;
    });
  }
  void waitForAll() {
    for (const pid_t pid : pids_) ::waitpid(pid, nullptr, 0);
    pids_.clear();
  }

 private:
  static pid_t fork(const Plan& plan, std::size_t index, SharedProgress& progress) {
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid < 0) throw std::runtime_error("cannot fork a process of the generator");
    if (pid > 0) return pid;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) std::_Exit(1);
    try {
      Generator(plan, index, progress).run();
      std::_Exit(0);
    } catch (const std::exception& failed) {
      progress.process(index).firstFault.set(failed.what());
      std::_Exit(1);
    }
  }

  std::vector<pid_t> pids_;
};

class LoadTest {
 public:
  LoadTest(const Plan& plan, ServerUsage server)
      : plan_(plan), server_(std::move(server)), progress_(plan.processes, plan.groups) {}

  Report run() {
    report_.serverProcesses = server_.pids().size();
    report_.memoryBytesBefore = server_.memoryBytes();
    GeneratorProcesses processes(plan_, progress_);
    processes_ = &processes;
    connect();
    if (!plan_.publish.empty()) probe();
    report_.memoryBytes = server_.memoryBytes();
    if (!plan_.isIdle()) {
      enter(Phase::Ready);
      go(Phase::WarmUp, plan_.warmUp);
    }
    const auto cpuBefore = server_.cpuTime();
    const TimePoint began = Clock::now();
    go(Phase::Measure, plan_.duration);
    report_.serverCpuSeconds = secondsOf(server_.cpuTime() - cpuBefore);
    report_.seconds = secondsOf(Clock::now() - began);
    if (!plan_.isIdle()) drain();
    progress_.setPhase(Phase::End);
    processes.waitForAll();
    collect();
    return std::move(report_);
  }

 private:
  void connect() {
    const TimePoint began = Clock::now();
    const auto cpuBefore = server_.cpuTime();
    const auto open = [this] { return progress_.sum(&ProcessProgress::open); };
    waitFor([&] { return open() == plan_.members || anyClosed(); }, open, kProgressTimeout);
    if (open() != plan_.members) {
      throw std::runtime_error(
          fmt::format("{} of {} members could join{}", open(), plan_.members, firstFault()));
    }
    report_.connectSeconds = secondsOf(Clock::now() - began);
    report_.connectCpuSeconds = secondsOf(server_.cpuTime() - cpuBefore);
  }

  void probe() {
    enter(Phase::Probe);
    const auto received = [this] { return progress_.sum(&ProcessProgress::probesReceived); };
    const TimePoint deadline = Clock::now() + kProgressTimeout;
    for (std::uint32_t round = 1; Clock::now() < deadline && !anyClosed(); ++round) {
      progress_.setProbeRound(round);
      const auto allReceived = [&] {
        return progress_.allProbed(round) && received() == plan_.members;
      };
      waitFor([&] { return allReceived() || anyClosed(); }, received, kProbeAgain);
      if (allReceived()) return;
    }
    throw std::runtime_error(
        fmt::format("{} of {} members receive messages of their group{}; check the join and "
                    "publish texts",
                    received(), plan_.members, firstFault()));
  }

  /// Returns when all processes have reached the phase, so none skips one.
  void enter(Phase phase) {
    progress_.setPhase(phase);
    while (!progress_.allReached(phase)) pause();
  }

  void go(Phase phase, milliseconds duration) {
    enter(phase);
    for (const TimePoint end = Clock::now() + duration; Clock::now() < end;) pause();
  }

  void drain() {
    enter(Phase::Stop);
    enter(Phase::Drain);
    TimePoint lastIncomplete = Clock::now();
    const auto staysComplete = [&] {
      const TimePoint now = Clock::now();
      if (progress_.sum(&ProcessProgress::complete) != plan_.members) lastIncomplete = now;
      return now - lastIncomplete > kAfterwards;
    };
    waitFor(
        staysComplete, [&] { return progress_.sum(&ProcessProgress::delivered); }, plan_.timeout);
  }

  [[nodiscard]] bool anyClosed() const { return progress_.sum(&ProcessProgress::closed) > 0; }

  /// Waits until `done`, or until there was no progress for `timeout`.
  template <typename Done, typename Progress>
  void waitFor(Done done, Progress progress, milliseconds timeout) {
    auto reached = progress();
    for (TimePoint since = Clock::now(); !done();) {
      if (Clock::now() - since > timeout) return;
      if (const auto now = progress(); now != reached) {
        reached = now;
        since = Clock::now();
      }
      pause();
    }
  }

  void pause() const {
    std::this_thread::sleep_for(kPollInterval);
    if (!processes_->allAlive()) {
      throw std::runtime_error("a process of the generator has ended" + firstFault());
    }
  }

  void collect() {
    // Adds rates, not counts, because the processes' measured parts differ slightly in length.
    double deliveredPerSecond = 0;
    double publishedPerSecond = 0;
    for (std::size_t i = 0; i < progress_.processCount(); ++i) {
      const ProcessProgress& process = progress_.process(i);
      report_.latency.merge(process.latency);
      const double seconds = static_cast<double>(process.measuredNs.get()) / 1e9;
      if (seconds <= 0) continue;
      deliveredPerSecond += static_cast<double>(process.measuredDelivered.get()) / seconds;
      publishedPerSecond += static_cast<double>(process.measuredPublished.get()) / seconds;
    }
    report_.delivered = static_cast<std::uint64_t>(deliveredPerSecond * report_.seconds);
    report_.published = static_cast<std::uint64_t>(publishedPerSecond * report_.seconds);
    report_.returned = progress_.sum(&ProcessProgress::returned);
    report_.refused = progress_.sum(&ProcessProgress::refused);
    const auto seconds = static_cast<std::size_t>(report_.seconds);
    for (std::size_t second = 0; plan_.isV1 && second < seconds; ++second) {
      std::uint64_t& count = report_.returnedInSecond.emplace_back(0);
      for (std::size_t i = 0; i < progress_.processCount(); ++i) {
        const auto& counters = progress_.process(i).returnedInSecond;
        if (second < counters.size()) count += counters[second].get();
      }
    }
    report_.closed = progress_.sum(&ProcessProgress::closed);
    report_.missing = progress_.sum(&ProcessProgress::missing);
    report_.surplus = progress_.sum(&ProcessProgress::surplus);
    report_.disordered = progress_.sum(&ProcessProgress::disordered);
    report_.firstFault = progress_.firstFault();
  }

  [[nodiscard]] std::string firstFault() const {
    const std::string fault = progress_.firstFault();
    return fault.empty() ? "" : " (" + fault + ")";
  }

  const Plan& plan_;
  const ServerUsage server_;
  SharedProgress progress_;
  GeneratorProcesses* processes_ = nullptr;
  Report report_;
};

}  // namespace

Report runLoadTest(const Plan& plan, pid_t serverPid) {
  raiseOpenFilesLimit();
  ServerUsage server =
      serverPid == 0 ? ServerUsage::listeningOn(plan.server) : ServerUsage::of(serverPid);
  return LoadTest(plan, std::move(server)).run();
}

}  // namespace stormo::bench
