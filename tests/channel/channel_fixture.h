#pragma once

#include <gmock/gmock.h>

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/counters.h"
#include "channel/kept_log.h"
#include "channel/server/server_process.h"
#include "event/loop_impl.h"
#include "protocol/channel/packet.h"
#include "protocol/channel/proof.h"
#include "protocol/channel/workerman_command.h"
#include "protocol/package/frame.h"
#include "support/loop_fixture.h"
#include "support/raw_peer.h"
#include "sys/sockets.h"

namespace stormo::channel {

/// A frame with this payload.
inline std::string framed(std::string_view payload) {
  std::string frame;
  appendFrame(payload, frame);
  return frame;
}

/// Removes the whole frames at the front of `bytes`, and returns their payloads.
inline std::vector<std::string> takeFrames(std::string& bytes) {
  std::vector<std::string> payloads;
  while (true) {
    const PackageLength length = frameLength(bytes, kFramePayloadBytesMax);
    if (length.verdict != PackageLength::Verdict::Complete) return payloads;
    payloads.emplace_back(framePayload(std::string_view(bytes).substr(0, length.bytes)));
    bytes.erase(0, length.bytes);
  }
}

/// A client's frame in Workerman's dialect. `data` is serialized.
inline std::string command(CommandType type, std::vector<std::string_view> channels = {},
                           std::string_view data = {}) {
  std::string payload;
  encodeWorkerman(type, channels, data, payload);
  return framed(payload);
}

/// A server's payload in Workerman's dialect.
inline std::string eventPayload(std::string_view channel, std::string_view data) {
  return command(CommandType::Event, {channel}, data).substr(kFrameHeaderBytes);
}
inline std::string jobPayload(std::string_view queue, std::string_view data) {
  return command(CommandType::Queue, {queue}, data).substr(kFrameHeaderBytes);
}

/// A client's frames in Stormo's dialect. Producer 0 does not number its publishes, so it may
/// publish a sequence again.
inline std::string hello(std::uint64_t producerId = 0) {
  return encode({.kind = Kind::Hello, .version = kProtocolVersion, .producerId = producerId});
}
/// The reply to the Challenge of this payload.
inline std::string proof(std::string_view secret, std::string_view challenge,
                         std::uint64_t producerId = 0) {
  Packet packet;
  EXPECT_EQ(decode(challenge, packet), Decode::Ok);
  EXPECT_EQ(packet.kind, Kind::Challenge);
  return encode({.kind = Kind::Proof, .payload = proofOf(secret, packet.payload, producerId)});
}
/// The server's reply.
inline std::string welcome(std::uint64_t epoch = 1,
                           std::uint64_t frameBytesMax = kDefaultFrameBytesMax) {
  return encode({.kind = Kind::Welcome,
                 .version = kProtocolVersion,
                 .epoch = epoch,
                 .frameBytesMax = frameBytesMax});
}
/// `again`: it was also subscribed on the previous link.
inline std::string subscribeGroup(std::string_view name, bool again = false) {
  return encode({.kind = Kind::Subscribe, .again = again, .space = Space::Groups, .channel = name});
}
inline std::string subscribeEvent(std::string_view name) {
  return encode({.kind = Kind::Subscribe, .channel = name});
}
/// Greater than all before, of all producers.
inline std::uint64_t nextSequence() {
  static std::uint64_t last = 0;
  return ++last;
}
inline std::string publishGroup(std::string_view name, std::string_view text,
                                std::uint64_t sequence = nextSequence(),
                                PayloadKind kind = PayloadKind::Text) {
  return encode({.kind = Kind::Publish,
                 .payloadKind = kind,
                 .space = Space::Groups,
                 .sequence = sequence,
                 .channel = name,
                 .payload = text});
}
inline std::string publishEvent(std::string_view name, std::string_view data,
                                std::uint64_t sequence = nextSequence(), bool loop = false) {
  return encode({.kind = Kind::Publish,
                 .loop = loop,
                 .sequence = sequence,
                 .channel = name,
                 .payload = data});
}

inline std::string resume(std::uint64_t epoch, std::uint64_t offset) {
  return encode({.kind = Kind::Resume, .epoch = epoch, .offset = offset});
}
inline std::string ack(std::uint64_t sequence) {
  return encode({.kind = Kind::Ack, .sequence = sequence});
}
inline std::string job(std::string_view queue, std::string_view data, std::uint64_t number = 1) {
  return encode({.kind = Kind::Job, .job = number, .channel = queue, .payload = data});
}
inline std::string rejected(std::uint64_t sequence, std::string_view reason, bool cut = false) {
  return encode({.kind = Kind::Rejected, .cut = cut, .sequence = sequence, .payload = reason});
}

/// An event's packet as "group 123: ciao" or "event news: i:1;", others as "job …", "pong", ….
inline std::string textOf(std::string_view payload) {
  Packet packet;
  if (decode(payload, packet) != Decode::Ok) return "invalid";
  const std::string rest = std::string(packet.channel) + ": " + std::string(packet.payload);
  switch (packet.kind) {
    case Kind::Event:
      return (packet.space == Space::Groups ? "group " : "event ") + rest;
    case Kind::Job:
      return "job " + rest;
    case Kind::Welcome:
      return "welcome";
    case Kind::Challenge:
      return "challenge";
    case Kind::Refused:
      return "refused: " + std::string(packet.payload);
    case Kind::Rejected:
      return (packet.cut ? "cut at " : "rejected ") + std::to_string(packet.sequence) + ": " +
             std::string(packet.payload);
    case Kind::Pong:
      return packet.blocked ? "pong: blocked" : "pong";
    case Kind::Gap:
      return "gap";
    default:
      return "kind " + std::to_string(static_cast<int>(packet.kind));
  }
}

/// A Channel server on a loopback port, and bare links to it, on one loop.
class ChannelTest : public test::LoopTest {
 protected:
  /// The client's end of a link, and the payloads received.
  struct Link {
    test::RawPeer peer;
    std::vector<std::string> payloads;  ///< Without acknowledgements.
    bool isStormo = false;
    std::uint64_t acknowledged = 0;  ///< Latest sequence acknowledged.

    void send(std::string_view bytes) { EXPECT_EQ(peer.send(bytes), bytes.size()); }
    std::vector<std::string>& received() {
      peer.receive();
      for (std::string& payload : takeFrames(peer.received())) {
        Packet packet;
        if (decode(payload, packet) == Decode::Ok && packet.kind == Kind::Ack) {
          EXPECT_GT(packet.sequence, acknowledged);
          acknowledged = packet.sequence;
        } else {
          payloads.push_back(std::move(payload));
        }
      }
      return payloads;
    }
    std::vector<std::string> take() {
      received();
      return std::exchange(payloads, {});
    }
  };

  /// With the current settings of `server`.
  void start(std::uint16_t onPort = 0) {
    process.reset();
    listening.reset();
    listening = std::move(*listenOn(*Address::ip("127.0.0.1", onPort)));
    process.emplace(loop, server, makeLog());
    process->listen(listening.get());
  }
  /// As if the server's process were killed.
  void kill() {
    process.reset();
    listening.reset();
    settle();
  }
  [[nodiscard]] std::uint16_t port() const { return localAddress(listening.get()).port(); }
  [[nodiscard]] std::string url(std::string_view scheme) const {
    return std::string(scheme) + "://127.0.0.1:" + std::to_string(port());
  }

  Link link() {
    Link made{.peer = test::RawPeer::connect(port()), .payloads = {}};
    EXPECT_TRUE(made.peer.valid());
    setNoDelay(made.peer.fd());
    return made;
  }
  /// A link after the handshake.
  Link stormoLink(std::uint64_t producerId = 0) {
    Link made = link();
    made.isStormo = true;
    made.send(hello(producerId));
    if (!server.secret.empty()) {
      EXPECT_TRUE(turnUntil([&] { return made.received().size() == 1; }));
      made.send(proof(server.secret, made.take().at(0), producerId));
    }
    EXPECT_THAT(await(made, 1), testing::ElementsAre("welcome"));
    return made;
  }
  /// A link whose frames have been handled by the server.
  Link workermanLink(std::string_view frames = {}) {
    Link made = link();
    made.send(frames);
    sync(made);
    return made;
  }

  /// Waits for `count` payloads, and returns all as texts.
  std::vector<std::string> await(Link& link, std::size_t count) {
    EXPECT_TRUE(turnUntil([&] { return link.received().size() >= count; }));
    std::vector<std::string> payloads = link.take();
    return textsOf(std::move(payloads));
  }

  /// Returns when the server has handled everything sent on this link, and its replies have
  /// arrived.
  void sync(Link& link) {
    if (link.isStormo) {
      link.send(encode({.kind = Kind::Ping}));
    } else {
      link.send(command(CommandType::Subscribe, {"sync"}) +
                command(CommandType::Publish, {"sync"}, "N;"));
    }
    const std::string answer = link.isStormo
                                   ? encode({.kind = Kind::Pong}).substr(kFrameHeaderBytes)
                                   : eventPayload("sync", "N;");
    EXPECT_TRUE(turnUntil([&] { return std::ranges::count(link.received(), answer) > 0; }));
    std::erase(link.payloads, answer);
    if (!link.isStormo) link.send(command(CommandType::Unsubscribe, {"sync"}));
    settle();
  }

  bool ended(Link& link) {
    return turnUntil([&] { return link.peer.ended(); });
  }

  /// All payloads of this link as texts; nothing more is on the way.
  std::vector<std::string> receivedOn(Link& link) {
    sync(link);
    return textsOf(link.take());
  }

  Counters& counters() { return LoopImpl::of(loop).counters(); }

  /// Packets of Stormo's dialect as texts, other payloads unchanged.
  static std::vector<std::string> textsOf(std::vector<std::string> payloads) {
    for (std::string& payload : payloads) {
      if (payload.starts_with(kStormoMagic)) payload = textOf(payload);
    }
    return payloads;
  }

  /// The log of the next server: it goes on from what the former one has recorded.
  std::function<std::unique_ptr<Log>()> makeLog = [this] {
    return std::make_unique<KeptLog>(records);
  };

  Server server{"127.0.0.1", 0};
  KeptLog::Records records;
  UniqueFd listening;
  std::optional<ServerProcess> process;
};

}  // namespace stormo::channel
