#pragma once

#include <stormo/timer.h>
#include <sys/types.h>

#include <memory>
#include <optional>
#include <set>
#include <string>

#include "process/json_pipe.h"
#include "process/program.h"
#include "process/rate_window.h"
#include "process/restart_policy.h"
#include "process/shared_counters.h"

namespace stormo::process {

class Slot;

/// A wait status as a shell has it: as given to exit(), or 128 + the signal.
int shellStatus(int waitStatus);
/// "ended by signal 9 (Killed)".
std::string waitText(int waitStatus);

/// Receives what children report.
class SlotOwner {
 public:
  virtual void onChildReady(Slot& slot) = 0;
  virtual void onAcceptingEnded(Slot& slot) = 0;
  /// Slot::isSilent() has changed.
  virtual void onSilenceChanged(Slot& slot) = 0;
  /// Rows that were requested: see RowsQuery.
  virtual void onRows(Slot& slot, const Json& report) = 0;

 protected:
  ~SlotOwner() = default;
};

/// One worker's place in a role, and the child that runs in it now. The place keeps counters,
/// restart policy and sockets over restarts of the child. Each place has a spare slot, too: in it
/// runs the successor before a reload has promoted it, or the former child while its clients leave.
class Slot {
 public:
  enum class State {
    Down,      ///< No child, and no restart is planned.
    Starting,  ///< Forked, not ready.
    Ready,
    Stopping,  ///< It has a stop order.
    Backoff,   ///< No child; a restart is planned.
  };

  Slot(const Role& role, int index, bool isSpare, const Timeouts& timeouts, SlotOwner& owner);
  ~Slot();
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;

  [[nodiscard]] const Role& role() const { return role_; }
  [[nodiscard]] int index() const { return index_; }
  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] bool hasChild() const { return pid_ != 0; }
  [[nodiscard]] pid_t pid() const { return pid_; }  ///< 0 without a child.
  [[nodiscard]] std::string name() const;
  /// A number below twice the role's count that no other slot of the role has, spare ones included.
  /// It stays with the slot when it is promoted.
  [[nodiscard]] int part() const { return part_; }
  /// The end of its child is not a crash, and it is not restarted.
  [[nodiscard]] bool isSpare() const { return isSpare_; }

  [[nodiscard]] bool isStoppingForGood() const {
    return state_ == State::Stopping && stopReason_ == StopOrder::Reason::Stop;
  }
  /// True once the child has reported it, after a stop order.
  [[nodiscard]] bool hasEndedAccepting() const { return acceptingEnded_; }
  /// What a ready child did not get in time: "no link to its Channel: …". Empty: nothing.
  [[nodiscard]] const std::string& missing() const { return missing_; }

  // --- The lifetime of a child, in this order ---

  /// Before the fork: prepares the counters, which the child shares.
  Counters& prepareCounters();
  /// After the fork, in the master.
  void begin(EventLoop& loop, pid_t pid, UniqueFd link);
  /// Instead of begin(), if the fork failed.
  void failToBegin(const std::string& why);
  /// Orders the child to stop, and kills it when its time is over: `killAfter` from now, or from
  /// the end of a graceful order's timeout. May be called again for an earlier end.
  void stop(StopOrder order, std::chrono::milliseconds killAfter);
  void kill();
  /// The child was reaped, with this wait status. Reads its last reports.
  void end(int waitStatus);

  /// Exchanges the parts of this spare slot, whose child is ready, and the one that it replaces:
  /// takes over its counts, and cancels its restart.
  void promote(Slot& former);

  /// Waits as long as the restart policy states, then calls `start`.
  void restartLater(std::function<void()> start);
  /// Cancels that wait: the slot is Down.
  void cancelRestart();

  // --- The running child ---

  void acceptForSibling(int sibling, bool accept);
  /// Orders the child to write its log to this file.
  void useLogFile(const UniqueFd& file);
  /// Tells the child that the credentials of its role have changed.
  void useCredentials(const UniqueFd& file);
  /// To be called every Timeouts::aliveEvery. Sends an "alive" request; reports a child that has
  /// not answered for too long, and kills it after Role::hangTimeout. Also samples the message
  /// rate.
  void watchdogTick();
  /// False, without a request, while an earlier request of that kind is unanswered.
  bool askRows(const std::string& kind, std::uint64_t request);
  [[nodiscard]] bool isSilent() const { return silent_; }
  /// True if the child has not answered the last "alive" request for half an interval.
  [[nodiscard]] bool isBusy() const;

  /// In a forked child: closes the link.
  void abandon();

  // --- Counts over all children of this slot ---

  [[nodiscard]] const Counters& counters() const { return *counters_; }
  [[nodiscard]] int countersFd() const { return counters_.fd(); }
  [[nodiscard]] double messagesPerSecond() const;
  [[nodiscard]] std::uint64_t restarts() const { return restarts_; }  ///< After unexpected exits.
  /// Children that a reload has replaced.
  [[nodiscard]] std::uint64_t reloads() const { return reloads_; }
  /// shellStatus() of the last unexpected exit.
  [[nodiscard]] std::optional<int> exitStatus() const { return exitStatus_; }
  /// Of the running child; zero without one.
  [[nodiscard]] std::chrono::seconds uptime() const;
  /// Why the last child ended: the text of its exception, else a text for its status.
  [[nodiscard]] const std::string& lastWords() const { return lastWords_; }

 private:
  void onReport(const Json& report);
  void onAlive();
  [[nodiscard]] std::chrono::milliseconds hangTimeout() const;
  void reportSilence(Clock::duration silence);
  void setTimer(std::chrono::milliseconds after, std::function<void()> what);
  void cancelTimer();

  const Role& role_;
  const int index_;
  const int part_;
  const Timeouts& timeouts_;
  SlotOwner& owner_;
  bool isSpare_;

  State state_ = State::Down;
  pid_t pid_ = 0;
  std::unique_ptr<JsonPipe> link_;
  TimePoint startedAt_{};
  StopOrder::Reason stopReason_ = StopOrder::Reason::Stop;
  Timer::Id timer_ = 0;  // for the back-off, or for the deadline of a stop

  std::optional<TimePoint> aliveAskedAt_;  // while unanswered
  int ticksUnanswered_ = 0;
  bool silent_ = false;
  std::set<std::string> rowsAsked_;  // the kinds with an unanswered request
  bool acceptingEnded_ = false;
  std::string missing_;

  SharedCounters counters_;
  RateWindow messageRate_;
  RestartPolicy policy_;
  std::uint64_t restarts_ = 0;
  std::uint64_t reloads_ = 0;
  std::optional<int> exitStatus_;
  std::string lastWords_;
};

}  // namespace stormo::process
