#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "process/child.h"
#include "process/credentials.h"
#include "sys/address.h"
#include "sys/log.h"

namespace stormo::process {

/// An address on which the children of a role listen.
struct Listening {
  std::string label;  ///< As the user wrote it: "websocket://0.0.0.0:1234".
  Address address;
  bool v6Only = false;  ///< IPv6: takes no IPv4 clients.
  /// The second address of a host name that has two. It gets the port of the address before it, and
  /// is left out if this machine lacks it.
  bool isSecond = false;
  // For the file of a unix socket:
  std::string owner =
      {};  ///< User that owns it (needs root). Empty: the user who started the program.
  std::string group = {};  ///< Group that owns it. Empty: that of the user who started it.
  mode_t mode = 0;         ///< Its permissions. 0: what the umask allows.
  /// Only children of this program connect, through an inherited descriptor. The file is removed at
  /// once, so that nobody can delete it later.
  bool isPrivate = false;
  /// For commands of this program that its user calls. It is not shown.
  bool isHidden = false;
};

/// Channels start before workers and stop after them; `reload` replaces only workers.
enum class RoleKind { Channel, Worker };

/// As `status --json`, the log and messages show it: "channel", "worker".
constexpr const char* kindText(RoleKind kind) {
  return kind == RoleKind::Channel ? "channel" : "worker";
}

/// One role of child processes, and their number.
struct Role {
  RoleKind kind = RoleKind::Worker;
  std::string name;  ///< "none" by default, as in Workerman.
  int count = 1;
  std::string user = {};  ///< User that the children become. Empty: the master's.
  std::string group = {};
  std::vector<Listening> listen = {};
  /// False: `reload` leaves its children alone.
  bool isReloadable = true;
  /// A child that answers nothing for this time is killed, and another one is started. Zero: never.
  std::chrono::milliseconds hangTimeout{0};
  /// Called on the master's loop after a child of this role has ended and its restart is arranged.
  /// `status`: as given to exit(), or 128 + the signal. What it throws is logged.
  std::function<void(int slot, int status)> onChildEnded = {};
  /// Called in the master when the process with this part (see Child::part()) has ended, before
  /// another one is started there: gives back what the process had of what the processes share.
  /// Calls no code of the user.
  std::function<void(int part)> onSlotFree = {};
  /// Path of a directory in which a child keeps what outlives it. The master creates it with its
  /// own rights, for the child's user alone. Empty: none.
  std::string stateDirectory = {};
  /// Its child is a node of a cluster, and can list the others: Child::onNodes.
  bool isInCluster = false;
  /// What its children use and cannot read themselves. Null: nothing.
  std::shared_ptr<Credentials> credentials = {};
  /// Runs in the child, once, before its loop runs: sets the child's callbacks and creates what
  /// lives on the loop. An exception ends the child, and its text is logged. The result owns what
  /// was created, and is destroyed after the loop has ended.
  std::function<std::shared_ptr<void>(Child&)> main = {};
};

/// The addresses that people see. A private one, which nobody else can use, only if it is alone.
inline std::vector<std::string> shownAddresses(const Role& role) {
  std::vector<std::string> labels;
  for (const Listening& each : role.listen) {
    if (!each.isPrivate && !each.isHidden) labels.push_back(each.label);
  }
  if (!labels.empty()) return labels;
  for (const Listening& each : role.listen) {
    if (each.isPrivate) labels.push_back(each.label);
  }
  return labels;
}

/// How long the master waits before it considers something broken.
struct Timeouts {
  std::chrono::milliseconds aliveEvery{2000};  ///< Interval of the "alive" requests to each child.
  std::chrono::milliseconds silentAfter{
      10000};  ///< Without an answer for this time a child is an error.
  /// From a stop order that is not graceful to SIGKILL.
  std::chrono::milliseconds stopTimeout{5000};
  /// The same for one worker that leaves in a reload.
  std::chrono::milliseconds reloadTimeout{10000};
  /// For the clients to disconnect in a graceful stop or reload.
  std::chrono::milliseconds gracefulTimeout{60000};
  /// For a child to connect to a Channel of this program, counted from the child's start.
  std::chrono::milliseconds linkedWithin{10000};
};

/// The processes to run.
struct Program {
  /// Started in this order. Workers stop first, then the other roles in reverse order.
  std::vector<Role> roles;
  Timeouts timeouts = {};
  // Unless the command line has other values:
  log::Level logLevel = log::Level::Info;
  log::Format logFormat = log::Format::Text;
};

}  // namespace stormo::process
