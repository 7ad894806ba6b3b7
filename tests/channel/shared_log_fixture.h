#pragma once

#include <memory>
#include <string_view>

#include "channel/channel_fixture.h"
#include "channel/shared_log.h"

namespace stormo::channel {

inline constexpr NodeId kOwn = 1;
inline constexpr NodeId kOther = 2;

/// The Channel server of the node kOwn. The test is the other nodes.
class SharedLogTest : public ChannelTest {
 protected:
  void startNode(bool opensAtOnce = true) {
    makeLog = [this, opensAtOnce] {
      auto made = std::make_unique<SharedLog>(shared, kOwn, opensAtOnce);
      log = made.get();
      return made;
    };
    start();
  }
  /// Starts it again, with all that was appended before.
  void restartNode() {
    startNode(false);
    log->applyAll();
    log->becomeOpen();
  }
  static Packet message(std::string_view group, std::string_view text) {
    return {.kind = Kind::Publish,
            .payloadKind = PayloadKind::Text,
            .space = Space::Groups,
            .channel = group,
            .payload = text};
  }
  /// The packet of the record that was appended last, which is the only one of its batch.
  [[nodiscard]] Packet lastAppended() const {
    Packet packet;
    EXPECT_EQ(decode(trustedRecord(shared.batches.back().records).packet, packet), Decode::Ok);
    return packet;
  }

  SharedRecords shared;
  SharedLog* log = nullptr;  // of process
};

}  // namespace stormo::channel
