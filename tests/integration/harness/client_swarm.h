#pragma once

#include <stormo/close_code.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/websocket/frame.h"
#include "support/deadline.h"
#include "sys/unique_fd.h"

namespace stormo::integration {

using test::Deadline;

/// What one client of a swarm has received so far.
struct SwarmClient {
  enum class State {
    Opening,  ///< Connecting, or waiting for the answer to its handshake.
    Open,
    Closed,
  };
  struct Received {
    std::string data;
    bool binary = false;
    bool operator==(const Received&) const = default;
  };

  State state = State::Opening;
  std::vector<Received> received;
  std::uint16_t localPort = 0;
  int connectError = 0;  ///< errno of connect(2), if it failed.
  int httpStatus = 0;    ///< Of the answer to the handshake.
  /// How it was closed: the code in the server's close frame; Abnormal (1006) if none came.
  CloseCode closeCode = CloseCode::Abnormal;
  std::size_t pingsSeen = 0;

  [[nodiscard]] bool isOpen() const { return state == State::Open; }
  [[nodiscard]] bool isClosed() const { return state == State::Closed; }
  /// The data alone.
  [[nodiscard]] std::vector<std::string> texts() const;
};

/// Any number of WebSocket clients in one thread, none of which waits for another. All reading and
/// writing happens in runUntil() and in functions that call it.
class ClientSwarm {
 public:
  using Id = std::size_t;
  using Condition = std::function<bool()>;

  ClientSwarm(const Deadline& deadline, std::uint16_t port);
  ~ClientSwarm();
  ClientSwarm(const ClientSwarm&) = delete;
  ClientSwarm& operator=(const ClientSwarm&) = delete;

  /// Starts to connect. `path` and `headers` ("Name: value\r\n" each) are the handshake's.
  Id begin(const std::string& path = "/", const std::string& headers = {});
  /// The same, to another server than the others.
  Id beginAt(std::uint16_t port, const std::string& path, const std::string& headers);
  /// Connects, and waits until they are open.
  Id connect(const std::string& path = "/");
  std::vector<Id> connect(std::size_t count);

  // Queued, and written in runUntil().
  void send(Id id, std::string_view text);
  void sendBinary(Id id, std::string_view bytes);
  void sendRaw(Id id, std::string_view bytes);
  void close(Id id, CloseCode code = CloseCode::Normal);
  /// Closes the socket at once, without a closing handshake; `reset`: with an RST.
  void drop(Id id, bool reset = false);

  /// Sends {"cmd":"…","group_id":"…"}.
  void command(Id id, std::string_view cmd, std::string_view group);
  void sendToGroup(Id id, std::string_view group, std::string_view message);
  /// Joins, and waits until every message sent from now on will reach the client. Other clients
  /// receive nothing.
  void join(Id id, std::string_view group);
  void joinAll(const std::vector<Id>& ids, const std::function<std::string(std::size_t)>& groupOf);
  /// Waits until all commands of these clients were executed, and all messages that were in flight
  /// to them have arrived.
  void settle(const std::vector<Id>& ids);

  const SwarmClient& operator[](Id id) const;
  /// Drops all received messages.
  void clear(Id id);
  /// Also called for each message, after it was recorded.
  std::function<void(Id id, const SwarmClient::Received& message)> onMessage;
  bool answerPings = true;

  /// Reads and writes until `done()` returns true; it is called after each turn, and at least 50
  /// times per second. Throws at the deadline.
  void runUntil(const std::string& what, const Condition& done);
  void waitForMessages(Id id, std::size_t count);
  void waitUntilClosed(Id id);

 private:
  struct Member;

  Member& member(Id id);
  void onReady(Id id);
  void finishConnect(Member& member);
  void read(Id id, Member& member);
  void takeHandshake(Member& member);
  void takeFrames(Id id, Member& member);
  void onControl(Member& member, const websocket::ServerFrame& frame);
  void append(Member& member, websocket::Opcode opcode, std::string_view payload);
  void write(Member& member);
  void end(Member& member);

  const Deadline& deadline_;
  const std::uint16_t port_;
  UniqueFd epoll_;
  std::vector<std::unique_ptr<Member>> members_;
  std::vector<Id> dirty_;                   // with something to write
  static inline std::uint64_t fences_ = 0;  // shared by all swarms, which may share groups
};

}  // namespace stormo::integration
