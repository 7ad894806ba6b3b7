#pragma once

#include <stormo/event_loop.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "process/connections_query.h"
#include "process/control_server.h"
#include "process/instance.h"
#include "process/program.h"
#include "process/reload.h"
#include "process/role_group.h"
#include "process/signals.h"
#include "process/start_record.h"
#include "process/start_report.h"
#include "process/status_report.h"

namespace stormo::process {

/// What a master is made of.
struct MasterSetup {
  std::string programName;
  const Instance& instance;
  StartRecord record;     ///< Kept in the instance's folder once all is up.
  UniqueFd lock;          ///< Of the instance.
  UniqueFd childrenLock;  ///< Children inherit it.
  Program program;
  StartReport& report;
  /// SIGHUP means reload; else that the terminal has hung up.
  bool hangupReloads = false;
  /// The start screen, once all is up.
  std::function<std::string(const Program&)> screen;
};

/// The process that clients never talk to: owns the listening sockets, starts the children and
/// starts them again, tells them to end, answers the control socket.
class Master final : private SlotOwner {
 public:
  /// Checks users and opens all sockets; nothing is forked yet. Throws std::runtime_error.
  explicit Master(MasterSetup setup);
  ~Master();

  /// Starts all, reports that, and returns the exit status after all is stopped. Throws
  /// std::runtime_error, after all is stopped too, if something did not start.
  int run();

 private:
  enum class Phase { Starting, Running, Stopping };

  // Starting
  void startNextKind();
  void startChild(RoleGroup& group, Slot& slot);
  [[noreturn]] void becomeChild(RoleGroup& group, Slot& slot, Counters& counters, UniqueFd link);
  void finishStart();

  // What happens
  void onSignal(int signal);
  void reapChildren();
  void onChildEnded(RoleGroup& group, Slot& slot);
  void reportExit(const Role& role, int slot, int status);
  void onRequest(const Json& request, const ControlServer::Reply& reply);
  void onChildReady(Slot& slot) override;
  void onAcceptingEnded(Slot& slot) override;
  void onSilenceChanged(Slot& slot) override;
  void onConnectionsReport(Slot& slot, const Json& report) override;

  /// Somebody may delete the instance's folder, or files in it (a clean-up of /tmp, a logout):
  /// makes again what commands need to find this master.
  void restoreFiles();
  [[nodiscard]] bool areFilesThere() const;

  // What is done
  void updateCover(RoleGroup& group);
  void reload(bool graceful, std::chrono::milliseconds timeout, const ControlServer::Reply& reply);
  /// Opens the log's file again, here and in all children: for who has renamed it.
  void reopenLog(const ControlServer::Reply& reply);
  void stop(bool graceful, std::chrono::milliseconds timeout);
  void failStart(std::string why);
  void stopAtOnce();
  /// To whom it was said already it is only said `again` if the order has changed.
  void stopNext(bool sayAgain = false);
  [[nodiscard]] std::vector<Slot*> nextToStop() const;

  [[nodiscard]] RoleGroup& groupOf(const Slot& slot) const;
  [[nodiscard]] std::vector<Slot*> allSlots() const;

  MasterSetup setup_;
  const StartTime startTime_;
  std::unique_ptr<EventLoop> loop_;
  std::vector<std::unique_ptr<RoleGroup>> roles_;
  SignalWatch signals_;
  ControlServer control_;
  ConnectionsQuery connections_;
  std::unique_ptr<Reload> reload_;

  Phase phase_ = Phase::Starting;
  std::size_t kindsStarted_ = 0;
  std::string startFailure_;
  bool isRecorded_ = false;  // the start, in the instance's folder
  bool filesLost_ = false;   // and could not be made again; it is in the log
  bool stopGraceful_ = false;
  TimePoint stopDeadline_{};  // of a graceful stop; zero: none
};

}  // namespace stormo::process
