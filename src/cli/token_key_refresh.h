#pragma once

#include <stormo/event_loop.h>
#include <stormo/group_server.h>
#include <stormo/timer.h>

#include <string>

#include "cli/token_key_file.h"

namespace stormo::cli {

/// Keeps the keys of one worker's GroupServer those of a URL: at the start, when they are no longer
/// fresh, and when a token states one that is not known. A failure leaves the earlier keys.
class TokenKeyRefresh {
 public:
  /// `server` outlives this.
  TokenKeyRefresh(TokenKeyFetch fetch, GroupServer& server);

  /// In the worker process.
  void start() { look(false); }

 private:
  void look(bool isUrgent);
  void onFound(const FoundKeys& found);
  /// Uses them, if they are not those in use.
  void use(const FetchedKeys& keys);
  void report(const FoundKeys& found);
  void lookAfter(std::int64_t seconds);
  bool onUnknownKey();

  const TokenKeyFetch fetch_;
  GroupServer& server_;
  std::string keySet_;  // in use; empty: none is
  bool isLooking_ = false;
  std::string lastProblem_;  // empty: the latest attempt has succeeded
  EventLoop::TimePoint lastLook_{};
  Timer::Id next_ = 0;
};

}  // namespace stormo::cli
