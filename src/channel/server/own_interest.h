#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "base/keyed_hash.h"
#include "channel/server/channel_state.h"
#include "channel/server/journal.h"
#include "channel/server/router.h"

namespace stormo::channel {

/// Writes to a log that nodes share how many subscribers each event has at this node, at the end of
/// each turn that has changed one of these numbers. What a former process of this node has written
/// is replaced in the first turn.
class OwnInterest {
 public:
  /// All outlive this. `state` has applied what this node has written before.
  OwnInterest(NodeId node, const ChannelState& state, const Router& router, Journal& journal);

  /// A link has subscribed to the event, or has unsubscribed.
  void changed(std::string_view event) { changed_.emplace(event); }
  /// A link with any subscriptions has closed.
  void linkClosed();
  /// The state has forgotten what this node has written.
  void forgotten();
  /// Writes what has changed.
  void flush();

 private:
  void write(std::string_view event, std::uint64_t count);

  const Router& router_;
  Journal& journal_;
  KeyedMap<std::string, std::uint64_t> written_;  // of the events with subscribers
  std::set<std::string, std::less<>> changed_;
  std::string scratch_;
};

}  // namespace stormo::channel
