#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "process/child.h"
#include "sys/address.h"
#include "sys/log.h"

namespace stormo::process {

/// An address that a role of child listens on.
struct Listening {
  std::string label;  ///< As the user wrote it: "websocket://0.0.0.0:1234".
  Address address;
  bool v6Only = false;  ///< IPv6: takes no IPv4 clients.
  /// The second address of a host that has two: gets the port of the one before it, and is left out
  /// if this machine lacks it.
  bool isSecond = false;
  // Of a unix socket's file only:
  std::string owner =
      {};           ///< The user who shall own it (needs root); empty: who started the program.
  mode_t mode = 0;  ///< Its permissions; 0: as the umask has it.
  /// Only for children of this program, which do not need the file: it is removed at once, so that
  /// nobody can delete it later.
  bool isPrivate = false;
};

/// One role of child process, and how many of them.
struct Role {
  std::string
      role;  ///< "worker", "channel": what `status --json` calls it. `reload` means workers.
  std::string name;  ///< "none" if the user gave none, as in Workerman.
  int count = 1;
  std::string user = {};  ///< To become after start, as is `group`; empty: stay who we are.
  std::string group = {};
  std::vector<Listening> listen = {};
  /// False: `reload` leaves its children alone.
  bool isReloadable = true;
  /// Called on the master's loop after a child of this role has ended and its restart is arranged.
  /// `status`: as given to exit(), or 128 + the signal. What it throws is logged.
  std::function<void(int slot, int status)> onChildEnded = {};
  /// A file in which a child may leave something to the one that comes after it: opened by the
  /// master, with its rights, for its owner only. Empty: none.
  std::string stateFile = {};
  /// Runs in the child, once, before its loop turns: sets the child's callbacks and whatever lives
  /// on the loop. What it throws ends the child, with the sentence in the log. Returns a keeper of
  /// what it made, destroyed after the loop ended.
  std::function<std::shared_ptr<void>(Child&)> main = {};
};

/// The addresses that people see. A private one, which nobody else can use, only if it is alone.
inline std::vector<std::string> shownAddresses(const Role& role) {
  std::vector<std::string> labels;
  for (const Listening& each : role.listen) {
    if (!each.isPrivate || role.listen.size() == 1) labels.push_back(each.label);
  }
  return labels;
}

/// How long the master waits before it takes something for broken.
struct Timeouts {
  std::chrono::milliseconds aliveEvery{2000};    ///< Between two "are you alive?" to each child.
  std::chrono::milliseconds silentAfter{10000};  ///< No answer for so long is an error.
  std::chrono::milliseconds stopTimeout{
      5000};  ///< From a stop order that is not graceful to SIGKILL.
  std::chrono::milliseconds reloadTimeout{10000};  ///< The same for one worker of a reload.
  /// For the clients of a graceful stop, or of one worker of a graceful reload.
  std::chrono::milliseconds gracefulTimeout{60000};
  /// For a child's link to a Channel of this program, from its start on.
  std::chrono::milliseconds linkedWithin{10000};
};

/// What there is to run.
struct Program {
  std::vector<Role>
      roles;  ///< Started in this order; workers stop first, then the others backwards.
  Timeouts timeouts = {};
  // Unless the command line has others:
  log::Level logLevel = log::Level::Info;
  log::Format logFormat = log::Format::Text;
};

}  // namespace stormo::process
