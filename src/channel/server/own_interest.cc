#include "channel/server/own_interest.h"

#include <utility>

#include "protocol/package/frame.h"

namespace stormo::channel {

OwnInterest::OwnInterest(NodeId node, const ChannelState& state, const Router& router,
                         Journal& journal)
    : router_(router), journal_(journal) {
  state.interests().forEachOf(node, [this](std::string_view event, std::uint64_t count) {
    written_.emplace(std::string(event), count);
    changed(event);
  });
}

void OwnInterest::linkClosed() {
  for (const auto& [event, count] : written_) changed(event);
}

void OwnInterest::forgotten() {
  linkClosed();
  written_.clear();
}

void OwnInterest::flush() {
  if (changed_.empty()) return;
  for (const std::string& event : std::exchange(changed_, {})) {
    const std::uint64_t count = router_.subscriberCount(event);
    const auto written = written_.find(event);
    if (count == (written == written_.end() ? 0 : written->second)) continue;
    write(event, count);
    if (count > 0) {
      written_.insert_or_assign(event, count);
    } else {
      written_.erase(written);
    }
  }
}

void OwnInterest::write(std::string_view event, std::uint64_t count) {
  scratch_.clear();
  encode({.kind = Kind::Interest, .receivers = count, .channel = event}, scratch_);
  journal_.add(0, framePayload(scratch_));
}

}  // namespace stormo::channel
