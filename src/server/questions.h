#pragma once

#include <stormo/value.h>

#include "server/command_clients.h"
#include "server/server_context.h"
#include "server/v1_clients.h"

namespace stormo::server {

/// Answers what the backend asks about the clients of this worker: the event kQuestionEvent.
/// docs/control.md describes the fields.
class Questions {
 public:
  Questions(const ServerContext& context, const CommandClients& commandClients,
            const V1Clients& v1Clients)
      : context_(context), commandClients_(commandClients), v1Clients_(v1Clients) {}

  /// A malformed question gets {error: a sentence}.
  [[nodiscard]] Value answer(const Value& question) const;

 private:
  [[nodiscard]] Value groups(const Value& question) const;
  [[nodiscard]] Value users(const Value& question) const;
  [[nodiscard]] Value clients(const Value& question) const;
  [[nodiscard]] Value totals() const;

  [[nodiscard]] Value describe(Connection& client) const;
  /// Calls `visit(name, members)` for each group that has members in this worker.
  template <typename Visit>
  void forEachGroup(const Visit& visit) const;

  const ServerContext& context_;
  const CommandClients& commandClients_;
  const V1Clients& v1Clients_;
};

}  // namespace stormo::server
