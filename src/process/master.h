#pragma once

#include <stormo/event_loop.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "process/control_server.h"
#include "process/image.h"
#include "process/instance.h"
#include "process/own_program.h"
#include "process/passed_sockets.h"
#include "process/program.h"
#include "process/reload.h"
#include "process/role_group.h"
#include "process/rows_query.h"
#include "process/service_manager.h"
#include "process/signals.h"
#include "process/start_record.h"
#include "process/start_report.h"
#include "process/status_report.h"

namespace stormo::process {

/// How long a paced order may last, in multiples of StopOrder::over: while other processes do not
/// accept the clients that were closed, no more are closed.
inline constexpr int kPaceStretch = 2;

/// What a `stop` or a `reload` asks for; see StopOrder.
struct StopManner {
  bool graceful = false;
  /// Not graceful: until the process is killed; zero: Timeouts::stopTimeout.
  std::chrono::milliseconds timeout{0};
  std::chrono::milliseconds over{0};

  [[nodiscard]] StopOrder order(StopOrder::Reason reason) const {
    return {.reason = reason, .graceful = graceful, .timeout = timeout, .over = over};
  }
};

/// The parts of a master.
struct MasterSetup {
  std::string programName;
  const Instance& instance;
  StartRecord record;     ///< Saved in the instance's directory when all processes have started.
  UniqueFd lock;          ///< The instance's lock.
  UniqueFd childrenLock;  ///< Children inherit it.
  Program program;
  StartReport& report;
  OwnProgram ownProgram;
  const std::map<std::string, std::string>* files = nullptr;  ///< See CommandLine::fileAtStart().
  ServiceManager serviceManager;
  PassedSockets passedSockets;
  /// SIGHUP means that the terminal was closed: stop. If false, it means reload-tls.
  bool stopsOnHangup = false;
  /// Makes the text to print when all processes have started.
  std::function<std::string(const Program&)> screen;
};

/// The process that supervises: owns the listening sockets, starts, restarts and stops the
/// children, and answers the control socket. It has no clients.
class Master final : private SlotOwner {
 public:
  /// Checks users and opens all sockets, without a fork. Throws std::runtime_error.
  explicit Master(MasterSetup setup);
  ~Master();

  /// Starts all processes, reports that, and returns the exit status when all have ended. If one
  /// did not start, throws std::runtime_error when all have ended.
  int run();

 private:
  enum class Phase { Starting, Running, Stopping };

  // Starting
  void startNextRole();
  void startChild(RoleGroup& group, Slot& slot);
  [[noreturn]] void becomeChild(RoleGroup& group, Slot& slot, Counters& counters, UniqueFd link);
  void finishStart();
  void startReports();
  [[nodiscard]] std::string statusLine() const;

  // Events
  void onSignal(int signal);
  void reapChildren();
  void onChildEnded(RoleGroup& group, Slot& slot);
  void reportExit(const Role& role, int slot, int status);
  void onRequest(const Json& request, const ControlServer::Reply& reply);
  /// The manner that a request states; `timeout` is the default of one that is not graceful.
  [[nodiscard]] StopManner mannerIn(const Json& request, std::chrono::milliseconds timeout) const;
  void onChildReady(Slot& slot) override;
  void onAcceptingEnded(Slot& slot) override;
  static void refuseWhereNobodyAccepts(RoleGroup& group);
  void onSilenceChanged(Slot& slot) override;
  void onRows(Slot& slot, const Json& report) override;
  void listNodes(const ControlServer::Reply& reply);

  /// Creates the files again that commands need to find this master, if somebody deleted them or
  /// the instance's directory (a clean-up of /tmp, a logout).
  void restoreFiles();
  [[nodiscard]] bool areFilesThere() const;

  // Actions
  void updateCover(RoleGroup& group);
  void reload(const StopManner& manner, const ControlServer::Reply& reply);
  /// False if the file of the program is the one that runs.
  [[nodiscard]] bool hasNewProgram() const;
  /// Starts it; the reload begins when it is declared.
  void startNewProgram();
  [[nodiscard]] Json forNewProgram() const;
  [[nodiscard]] std::vector<int> inheritedFds() const;
  /// The one that forks the slot's child. Null: the master itself.
  [[nodiscard]] Image* imageFor(const Slot& slot) const;
  pid_t startInImage(const Image& image, RoleGroup& group, const Slot& slot, const UniqueFd& link,
                     std::string& why) const;
  [[nodiscard]] std::size_t numberOf(const RoleGroup& group) const;
  /// Its child has ended: tells the images, as the master's own roles know it.
  void freeSlot(const Slot& slot) const;
  bool reapImage(pid_t pid, int waitStatus);
  /// Opens the log file again, here and in all children, after it was renamed.
  void reopenLog(const ControlServer::Reply& reply);
  /// Reads the credentials of all roles again, for all children. Closes no connection. Returns what
  /// is wrong; then those roles keep the old ones.
  std::string reloadCredentials();
  void reloadTls(const ControlServer::Reply& reply);
  void rotateCredentials();
  void shareCredentials(const RoleGroup& group) const;
  /// Logs what is wrong with the credentials of the roles, or will soon be.
  void checkCredentials() const;
  void stop(const StopManner& manner);
  void failStart(std::string why);
  void killAll();
  /// Orders the next children to stop. Those that have an order get another one if `repeatOrder`.
  void stopNext(bool repeatOrder = false);
  [[nodiscard]] std::vector<Slot*> nextToStop() const;

  [[nodiscard]] RoleGroup& groupOf(const Slot& slot) const;
  [[nodiscard]] std::vector<Slot*> allSlots() const;
  /// Those that there are: the one of the last reload, and the one of a reload that runs.
  [[nodiscard]] std::vector<Image*> images() const;
  [[nodiscard]] std::vector<const RoleGroup*> groupsWithCredentials() const;

  MasterSetup setup_;
  const StartTime startTime_;
  std::unique_ptr<EventLoop> loop_;
  std::vector<std::unique_ptr<RoleGroup>> roles_;
  SignalWatch signals_;
  ControlServer control_;
  RowsQuery connections_{"connections"};
  RowsQuery nodes_{"nodes"};
  std::unique_ptr<Reload> reload_;

  const std::optional<ProgramFile> ownFile_;
  std::unique_ptr<Json> declared_;    // the roles, as they were before their sockets were opened
  std::unique_ptr<Image> image_;      // of the last successful reload with a new program
  std::unique_ptr<Image> nextImage_;  // of the reload that has not replaced the workers yet

  Phase phase_ = Phase::Starting;
  std::size_t rolesStarted_ = 0;
  std::string startFailure_;
  bool isRecorded_ = false;  // the start record was saved
  bool filesLost_ = false;   // files could not be created again, and this was logged
  StopManner stopManner_;
  TimePoint stopDeadline_{};  // for a graceful stop; zero: none
};

}  // namespace stormo::process
