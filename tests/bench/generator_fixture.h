#pragma once

#include <gmock/gmock.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "bench/generator.h"
#include "bench/shared_progress.h"
#include "protocol/websocket/handshake.h"
#include "protocol/websocket/wire.h"
#include "support/deadline.h"
#include "support/raw_peer.h"
#include "sys/sockets.h"

namespace stormo::bench {

namespace wire = websocket::wire;
using test::Deadline;

inline void awaitInput(const Deadline& deadline, int fd, const std::string& what) {
  pollfd ready{fd, POLLIN, 0};
  ::poll(&ready, 1, deadline.pollMilliseconds());
  deadline.check(what);
}

/// The server's end of a member's connection. receive(), request() and the other blocking calls
/// throw at the deadline.
class ServedMember {
 public:
  /// `deadline` must outlive this object.
  ServedMember(const Deadline& deadline, UniqueFd fd)
      : deadline_(&deadline), peer_(std::move(fd)) {}

  std::string group;  ///< The group that it has joined.

  /// The handshake's request. To be called first, and only once.
  std::string request() {
    while (peer_.drain().find("\r\n\r\n") == std::string::npos) await("a request");
    return peer_.take();
  }
  static std::string answerTo(const std::string& request) {
    constexpr std::string_view kField = "Sec-WebSocket-Key: ";
    const std::size_t key = request.find(kField) + kField.size();
    return websocket::upgradeResponse(
        websocket::acceptKey(request.substr(key, request.find('\r', key) - key)), "");
  }

  /// The next message or control frame from the member.
  wire::Seen receive() {
    // Reads what is already there before it waits.
    for (bool ended = peer_.ended(); !hasMore(); ended = peer_.ended()) {
      if (ended) throw std::runtime_error("a member has closed its connection");
      await("a frame of a member");
    }
    return reader_.seen()[taken_++];
  }

  void sendBytes(std::string_view bytes) { peer_.send(bytes); }
  void sendText(std::string_view text) { sendBytes(wire::serverFrame(0x81, text)); }
  void close() { peer_.close(); }
  /// True if the member has sent another frame by now.
  [[nodiscard]] bool hasMore() { return reader_.read(peer_.take()).seen().size() > taken_; }

  /// Returns the frames that the member has sent when it has handled everything sent to it. Only
  /// for a member that reads messages.
  std::vector<wire::Seen> settled() {
    std::vector<wire::Seen> frames;
    // A pong may overtake the replies to messages that the member has read together with the ping.
    for (const char* ping : {"one", "two"}) {
      sendBytes(wire::serverFrame(0x89, ping));
      for (wire::Seen next = receive(); next != wire::pong(ping); next = receive())
        frames.push_back(next);
    }
    return frames;
  }
  /// Returns when the member has closed the connection.
  void awaitEnd() {
    while (!peer_.ended()) await("a member to close its connection");
  }

 private:
  void await(const std::string& what) { awaitInput(*deadline_, peer_.fd(), what); }

  const Deadline* deadline_;
  test::RawPeer peer_;
  wire::Reader reader_;
  std::size_t taken_ = 0;
};

/// One process of a generator in a thread. The test is its server and leads it through the phases.
class GeneratorTest : public testing::Test {
 protected:
  ~GeneratorTest() override { end(); }

  /// Starts it, and accepts its members.
  void start(Plan wanted) {
    plan = std::move(wanted);
    plan.server = localAddress(listening_.get());
    plan.host = plan.server.text();
    plan.processes = 1;
    plan.publish = "{message}";
    progress.emplace(1, plan.groups);
    generator_ = std::thread([this] { Generator(plan, 0, *progress).run(); });
    while (members.size() < plan.members) {
      awaitInput(deadline, listening_.get(), "a member to connect");
      UniqueFd fd(::accept4(listening_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (fd.valid()) members.emplace_back(deadline, std::move(fd));
    }
  }
  /// Starts it, completes the handshakes, and sends each member a probe. Each member is in a group
  /// of its own, or all are in one; then members[0] is number 0.
  void startAndProbe(Plan wanted) {
    wanted.join = "{group}";
    start(std::move(wanted));
    for (ServedMember& member : members) {
      member.sendBytes(ServedMember::answerTo(member.request()));
      member.group = member.receive().payload;
    }
    std::ranges::sort(members, {}, &ServedMember::group);
    reach(Phase::Probe);
    progress->setProbeRound(1);
    if (plan.groups == 1) std::swap(members.front(), probingMember());
    for (std::size_t group = 0; group < plan.groups; ++group) {
      const std::string probe = members[group].receive().payload;
      for (ServedMember& member : members) {
        if (member.group == members[group].group) member.sendText(probe);
      }
    }
    await("all members to receive their probes",
          [&] { return own().probesReceived.get() == members.size(); });
  }

  ServedMember& probingMember() {
    auto found = members.end();
    await("a member to send a frame", [&] {
      found = std::ranges::find_if(members, &ServedMember::hasMore);
      return found != members.end();
    });
    return *found;
  }
  void reach(Phase phase) {
    progress->setPhase(phase);
    await("a phase", [&] { return progress->allReached(phase); });
  }
  /// From after the probes until publishers publish.
  void reachWarmUp() {
    reach(Phase::Ready);
    reach(Phase::WarmUp);
  }
  void await(const std::string& what, const std::function<bool()>& condition) const {
    if (!eventually(deadline, condition)) deadline.check(what);
  }
  void end() {
    if (!generator_.joinable()) return;
    progress->setPhase(Phase::End);
    generator_.join();
  }

  /// A message in the format of start()'s plans.
  [[nodiscard]] std::string message(std::uint32_t publisher, std::uint32_t sequence,
                                    std::uint64_t sentNs = 1) const {
    std::string text(plan.messageBytes, 'x');
    writeStamp({.publisher = publisher, .sequence = sequence, .sentNs = sentNs}, text.data());
    return text;
  }
  /// The sequence of a publisher's message.
  static std::uint32_t sequenceOf(const wire::Seen& message) {
    return readStamp(message.payload).value_or(Stamp{}).sequence;
  }

  ProcessProgress& own() { return progress->process(0); }

  const Deadline deadline;
  Plan plan;
  std::optional<SharedProgress> progress;
  std::vector<ServedMember> members;

 private:
  const UniqueFd listening_ = std::move(*listenOn(*Address::ip("127.0.0.1", 0)));
  std::thread generator_;
};

}  // namespace stormo::bench
