#pragma once

#include <stormo/backend.h>
#include <stormo/channel.h>
#include <stormo/http.h>
#include <stormo/timer.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/api/command.h"
#include "server/api/problem.h"
#include "server/api/send_ids.h"

namespace stormo::server::api {

/// Executes the commands of one request in their order, and answers it when the Channel has
/// acknowledged all of them. Lives as long as something of it is on its way.
class CommandRun : public std::enable_shared_from_this<CommandRun> {
 public:
  /// What all requests of a process share, and what outlives them.
  struct Context {
    Channel& channel;
    Backend& backend;
    std::size_t unackedBytesMax;
    std::chrono::milliseconds acknowledgeTimeout;
  };

  CommandRun(const Context& context, PendingResponse response, std::vector<Command> commands,
             bool isBatch, SendIds ids);

  /// First finds the groups of all patterns, then sends.
  void start();

 private:
  /// What became of a command for one of its targets.
  struct Outcome {
    std::size_t command = 0;
    std::string group = {};  // of a list
    std::optional<Receipt> receipt = {};
    std::optional<Problem> problem = {};
  };

  void findGroups(std::size_t command, std::string after);
  void onGroups(std::size_t command, const Result<Backend::Counts>& counts);
  void sendAll();
  void send(std::size_t command);
  PublishStatus sendTo(const Command& command, const Audience& to, SendId id,
                       Backend::DoneHandler onDone);
  [[nodiscard]] std::optional<Problem> roomProblem() const;
  void onDone(std::size_t outcome, const Result<Receipt>& receipt);
  void onTimeout();
  void answerAll();
  void refuse(const Problem& problem);
  [[nodiscard]] Value valueOf(const Outcome& outcome) const;
  [[nodiscard]] Value resultOf(std::size_t command, std::size_t& outcome) const;

  const Context& context_;
  const PendingResponse response_;
  std::vector<Command> commands_;
  const bool isBatch_;
  SendIds ids_;
  bool areGroupsComplete_ = true;
  std::vector<Outcome> outcomes_;  // in the order of the commands, and of their targets
  std::size_t waiting_ = 0;        // outcomes that are not known yet
  Timer::Id timer_ = 0;
};

/// {"epoch", "offset"}, where they are known, and "duplicate".
[[nodiscard]] Value receiptValue(const Receipt& receipt);

/// As stormo.v1 writes it: 16 hexadecimal digits.
[[nodiscard]] std::string epochText(std::uint64_t epoch);

}  // namespace stormo::server::api
