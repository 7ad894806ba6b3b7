#pragma once

#include <string>
#include <vector>

#include "channel/channel_fixture.h"

namespace stormo::channel {

class StormoDialectTest : public ChannelTest {
 protected:
  /// A server that sends only what the test sends.
  struct Dummy {
    Dummy() : listener(std::move(*listenOn(*Address::ip("127.0.0.1", 0)))) {}
    std::string url() const {
      return "stormo://127.0.0.1:" + std::to_string(localAddress(listener.get()).port());
    }
    bool accept() {
      UniqueFd fd(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!fd.valid()) return false;
      link = Link{.peer = test::RawPeer(std::move(fd)), .payloads = {}};
      return true;
    }
    UniqueFd listener;
    Link link;
  };

  /// Waits for `count` publishes on the dummy's link. Returns sequence and payload of each.
  std::vector<std::string> publishesOnThisLink(std::size_t count) {
    std::vector<std::string> publishes;
    EXPECT_TRUE(turnUntil([&] {
      for (const std::string& payload : dummy.link.take()) {
        Packet packet;
        EXPECT_EQ(decode(payload, packet), Decode::Ok);
        if (packet.sequence == 0) continue;
        publishes.push_back(std::to_string(packet.sequence) + ' ' + std::string(packet.payload));
      }
      return publishes.size() >= count;
    }));
    return publishes;
  }

  Dummy dummy;
  std::vector<std::string> calls;
};

}  // namespace stormo::channel
