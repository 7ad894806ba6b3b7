#pragma once

#include <stormo/timer.h>
#include <sys/types.h>

#include <memory>
#include <optional>
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

/// Hears what children report.
class SlotOwner {
 public:
  virtual void onChildReady(Slot& slot) = 0;
  virtual void onAcceptingEnded(Slot& slot) = 0;
  /// It answers no more, or again: see Slot::isSilent().
  virtual void onSilenceChanged(Slot& slot) = 0;
  virtual void onConnectionsReport(Slot& slot, const Json& report) = 0;

 protected:
  ~SlotOwner() = default;
};

/// One child's place in a role, and the child that lives in it now. The place keeps the figures,
/// the restart policy and the sockets; children come and go.
class Slot {
 public:
  enum class State {
    Down,      ///< No child, and none is to come.
    Starting,  ///< Forked; its main has not returned.
    Ready,
    Stopping,  ///< Told to end.
    Backoff,   ///< No child; one is to come.
  };

  Slot(const Role& role, int index, const Timeouts& timeouts, SlotOwner& owner);
  ~Slot();
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;

  [[nodiscard]] const Role& role() const { return role_; }
  [[nodiscard]] int index() const { return index_; }
  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] bool hasChild() const { return pid_ != 0; }
  [[nodiscard]] pid_t pid() const { return pid_; }  ///< 0 without a child.
  [[nodiscard]] std::string name() const;

  [[nodiscard]] bool isStoppingForGood() const {
    return state_ == State::Stopping && stopReason_ == StopOrder::Reason::Stop;
  }
  /// It said so, after it was told to end.
  [[nodiscard]] bool hasEndedAccepting() const { return acceptingEnded_; }
  /// What a child that is ready does not have in time: "no link to the Channel: …". Else empty.
  [[nodiscard]] const std::string& missing() const { return missing_; }

  // --- A child's life, in this order ---

  /// Before the fork: readies the counters, which the child shares.
  Counters& prepareCounters();
  /// After it, in the master.
  void begin(EventLoop& loop, pid_t pid, UniqueFd link);
  /// In place of begin(), if there is no child.
  void failToBegin(const std::string& why);
  /// Tells the child to end, and kills it when its time is over: `killAfter` from now, or from the
  /// end of a graceful order's timeout. May be said again, for a sooner end.
  void stop(StopOrder order, std::chrono::milliseconds killAfter);
  void kill();
  /// The child was reaped, with this wait status. Reads its last reports first.
  void end(int waitStatus);

  /// Waits as the restart policy has it, then calls `start`.
  void restartLater(std::function<void()> start);
  /// Ends that wait: the slot is down.
  void cancelRestart();

  // --- The child that lives ---

  void acceptForSibling(int sibling, bool accept);
  /// Lets the child write its log to this file from now on.
  void useLogFile(const UniqueFd& file);
  /// Asks whether it is alive; says so when it was silent for too long. Also samples the message
  /// rate.
  void watchdogTick();
  /// False, having asked nothing, while an earlier question is unanswered.
  bool askConnections(std::uint64_t request);
  [[nodiscard]] bool isSilent() const { return silent_; }
  /// It has not answered since the watchdog's last round: a person would call it busy.
  [[nodiscard]] bool isBusy() const;

  /// In a forked child: closes the link.
  void abandon();

  // --- Figures over all its children ---

  [[nodiscard]] const Counters& counters() const { return *counters_; }
  [[nodiscard]] double messagesPerSecond() const;
  [[nodiscard]] std::uint64_t restarts() const { return restarts_; }  ///< After unexpected ends.
  [[nodiscard]] std::uint64_t reloads() const { return reloads_; }
  /// Of the last unexpected end: as exit() was given it, or 128 + the signal.
  [[nodiscard]] std::optional<int> exitStatus() const { return exitStatus_; }
  /// Of the child that lives now.
  [[nodiscard]] std::chrono::seconds uptime() const;
  /// Why the last child ended: its exception's sentence, else its status in words.
  [[nodiscard]] const std::string& lastWords() const { return lastWords_; }

 private:
  void onReport(const Json& report);
  void onAlive();
  void setTimer(std::chrono::milliseconds after, std::function<void()> what);
  void cancelTimer();

  const Role& role_;
  const int index_;
  const Timeouts& timeouts_;
  SlotOwner& owner_;

  State state_ = State::Down;
  pid_t pid_ = 0;
  std::unique_ptr<JsonPipe> link_;
  TimePoint startedAt_{};
  StopOrder::Reason stopReason_ = StopOrder::Reason::Stop;
  Timer::Id timer_ = 0;  // of the back-off, or of a stop's deadline

  std::optional<TimePoint> aliveAskedAt_;  // while unanswered
  bool silent_ = false;
  bool connectionsAsked_ = false;
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
