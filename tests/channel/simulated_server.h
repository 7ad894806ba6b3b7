#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "channel/log/simulated_log_directory.h"
#include "channel/mortal_log.h"
#include "channel/server/server_process.h"
#include "net/reactor.h"

namespace stormo::channel {

/// A Channel server, its log on a simulated disk, and all that happens to both. Its processes die
/// when the test kills them, and at a change of the log's files that the test chooses; the next one
/// continues from what they have left.
class SimulatedServer final : net::FlushObserver {
 public:
  /// The settings and the listening socket outlive this.
  SimulatedServer(EventLoop& loop, const Server& settings, int listening, std::uint64_t seed);
  ~SimulatedServer();
  SimulatedServer(const SimulatedServer&) = delete;
  SimulatedServer& operator=(const SimulatedServer&) = delete;

  /// Called in the middle of a turn when the process dies there: from now on nothing that it writes
  /// may reach a socket. It is destroyed before the next turn.
  std::function<void()> onDeath;
  /// A process has begun a new epoch on an existing log.
  std::function<void()> onNewEpoch;

  [[nodiscard]] bool isUp() const { return process_.has_value(); }
  [[nodiscard]] bool isBlocked() const { return isUp() && log_->isBlocked(); }
  /// True while something of it waits for the disk.
  [[nodiscard]] bool isWaiting() const;
  /// May fail, with a full disk or by dieAtStep().
  void start();
  void kill();
  /// Kills it; then what the disk has not is lost, kept, or kept in part.
  void failPower();
  /// A clean stop, as ServerProcess::end(): continueStop() is called after each turn, until it
  /// returns true. Then, or before, the process ends by leave().
  void stop();
  [[nodiscard]] bool continueStop();
  void leave();

  /// The process dies in the n-th change of the log's files. 0: it does not. Not together with
  /// failSync() while it starts: it might die between the failure and the note of it.
  void dieAtStep(std::uint64_t step);
  /// The process dies when its next records are written, and before it acts on that.
  void dieAfterAppend();
  /// The process dies once the output of this turn has reached the kernel.
  void dieAfterTurn() { diesAfterTurn_ = true; }

  /// So many bytes can still be written.
  void fillDisk(std::uint64_t left);
  void freeDisk() { directory_.setCapacity(UINT64_MAX); }
  void failSync();
  void failSnapshot() { directory_.failSnapshots(1); }
  /// No failure is left for later.
  void repair();
  /// The oldest sync that has not completed, if there is one, completes in the next turn.
  void completeSync();
  void completeSnapshot();

  /// A description of the first error; empty if there is none.
  [[nodiscard]] const std::string& error() const { return error_; }
  [[nodiscard]] std::size_t snapshotCount() const { return snapshots_; }
  [[nodiscard]] std::size_t newEpochCount() const { return newEpochs_; }

 private:
  void onFlush() override;
  void onFlushed() override;
  void checkEpoch();
  void inNextTurn(std::function<void()> work);

  EventLoop& loop_;
  const Server& settings_;
  const int listening_;
  test::SimulatedLogDirectory directory_;
  std::optional<ServerProcess> process_;
  MortalLog* log_ = nullptr;  // of process_
  std::uint64_t epoch_ = 0;
  bool isPowerLost_ = false;  // since the last start
  bool isDiskSick_ = false;   // it was, since repair()
  bool isDying_ = false;
  bool diesAfterTurn_ = false;
  bool finishes_ = false;
  bool hasEnded_ = false;
  std::size_t snapshots_ = 0;
  std::size_t newEpochs_ = 0;
  std::string error_;
};

}  // namespace stormo::channel
