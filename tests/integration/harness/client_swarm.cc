#include "integration/harness/client_swarm.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "base/bytes.h"
#include "protocol/websocket/close.h"
#include "support/websocket_client.h"
#include "sys/address.h"
#include "sys/sockets.h"

namespace stormo::integration {

using State = SwarmClient::State;
using websocket::Opcode;

struct ClientSwarm::Member : SwarmClient {
  Id id = 0;
  UniqueFd fd;
  std::string input;
  std::string output;
  std::string request;  // the handshake's, until it is written
  bool connecting = true;
  bool watchesWritable = true;
};

std::vector<std::string> SwarmClient::texts() const {
  std::vector<std::string> texts;
  for (const Received& message : received) texts.push_back(message.data);
  return texts;
}

ClientSwarm::ClientSwarm(const Deadline& deadline, std::uint16_t port)
    : deadline_(deadline), port_(port), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}

ClientSwarm::~ClientSwarm() = default;

ClientSwarm::Member& ClientSwarm::member(Id id) { return *members_.at(id); }

const SwarmClient& ClientSwarm::operator[](Id id) const { return *members_.at(id); }

void ClientSwarm::clear(Id id) { member(id).received.clear(); }

// --- Connecting ---

ClientSwarm::Id ClientSwarm::begin(const std::string& path, const std::string& headers) {
  return beginAt(port_, path, headers);
}

ClientSwarm::Id ClientSwarm::beginAt(std::uint16_t port, const std::string& path,
                                     const std::string& headers) {
  const Id id = members_.size();
  members_.push_back(std::make_unique<Member>());
  Member& made = *members_.back();
  made.id = id;
  made.request = "GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) +
                 "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
                 headers + "\r\n";
  auto socket = connectTo(Address::ip("127.0.0.1", port).value());
  if (!socket) {
    made.connectError = socket.error().code.value();
    made.state = State::Closed;
    return id;
  }
  made.fd = std::move(*socket);
  setNoDelay(made.fd.get());
  made.localPort = localAddress(made.fd.get()).port();
  epoll_event event{.events = EPOLLIN | EPOLLOUT, .data = {.u64 = id}};
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, made.fd.get(), &event);
  return id;
}

ClientSwarm::Id ClientSwarm::connect(const std::string& path) {
  const Id id = begin(path);
  runUntil("a client to be open", [&] { return member(id).state != State::Opening; });
  if (!member(id).isOpen()) throw std::runtime_error("a client was not let in");
  return id;
}

std::vector<ClientSwarm::Id> ClientSwarm::connect(std::size_t count) {
  std::vector<Id> ids;
  for (std::size_t i = 0; i < count; ++i) ids.push_back(begin());
  runUntil("all clients to be open", [&] {
    return std::all_of(ids.begin(), ids.end(), [&](Id id) { return member(id).isOpen(); });
  });
  return ids;
}

void ClientSwarm::finishConnect(Member& member) {
  const auto outcome = connectOutcome(member.fd.get());
  if (!outcome) {
    member.connectError = outcome.error().code.value();
    return end(member);
  }
  member.connecting = false;
  member.output.insert(0, std::exchange(member.request, {}));
}

void ClientSwarm::takeHandshake(Member& member) {
  const std::size_t headEnd = member.input.find("\r\n\r\n");
  if (headEnd == std::string::npos) return;
  member.httpStatus = std::atoi(member.input.c_str() + std::string_view("HTTP/1.1 ").size());
  if (member.httpStatus != 101) return end(member);
  member.input.erase(0, headEnd + 4);
  member.state = State::Open;
}

// --- Sending ---

void ClientSwarm::append(Member& member, Opcode opcode, std::string_view payload) {
  websocket::appendClientFrame(opcode, payload, websocket::kExampleMask, member.output);
  dirty_.push_back(member.id);
}

void ClientSwarm::send(Id id, std::string_view text) { append(member(id), Opcode::Text, text); }

void ClientSwarm::sendBinary(Id id, std::string_view bytes) {
  append(member(id), Opcode::Binary, bytes);
}

void ClientSwarm::sendRaw(Id id, std::string_view bytes) {
  member(id).output.append(bytes);
  dirty_.push_back(id);
}

void ClientSwarm::close(Id id, CloseCode code) {
  char payload[2];
  storeBigEndian(payload, static_cast<std::uint16_t>(code));
  append(member(id), Opcode::Close, {payload, sizeof payload});
}

void ClientSwarm::drop(Id id, bool reset) {
  if (reset) {
    const linger now{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(member(id).fd.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }
  end(member(id));
}

void ClientSwarm::write(Member& member) {
  if (member.connecting || member.isClosed()) return;
  while (!member.output.empty()) {
    const ssize_t size =
        ::send(member.fd.get(), member.output.data(), member.output.size(), MSG_NOSIGNAL);
    if (size < 0 && errno != EAGAIN) return end(member);
    if (size <= 0) break;
    member.output.erase(0, static_cast<std::size_t>(size));
  }
  const bool wants = !member.output.empty();
  if (wants == member.watchesWritable) return;
  member.watchesWritable = wants;
  epoll_event event{.events = EPOLLIN | (wants ? EPOLLOUT : 0u), .data = {.u64 = member.id}};
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, member.fd.get(), &event);
}

void ClientSwarm::end(Member& member) {
  member.state = State::Closed;
  member.fd.reset();
  member.input = {};
  member.output = {};
}

// --- Receiving ---

void ClientSwarm::onReady(Id id) {
  Member& ready = member(id);
  if (ready.isClosed()) return;
  if (ready.connecting) finishConnect(ready);
  if (!ready.isClosed() && !ready.connecting) read(id, ready);
  write(ready);
}

void ClientSwarm::read(Id id, Member& member) {
  char bytes[65536];
  const ssize_t size = ::recv(member.fd.get(), bytes, sizeof bytes, MSG_DONTWAIT);
  if (size < 0 && errno == EAGAIN) return;
  if (size > 0) {
    member.input.append(bytes, static_cast<std::size_t>(size));
    if (member.state == State::Opening) takeHandshake(member);
    if (member.isOpen()) takeFrames(id, member);
  } else {
    end(member);
  }
}

void ClientSwarm::takeFrames(Id id, Member& member) {
  std::string input = std::exchange(member.input, {});  // callbacks may drop the client
  std::string_view rest = input;
  while (member.isOpen()) {
    const auto frame = test::readServerFrame(rest);
    if (!frame) break;
    rest.remove_prefix(frame->bytes);
    if (websocket::isControl(frame->opcode)) {
      onControl(member, *frame);
    } else {
      member.received.push_back({std::string(frame->payload), frame->opcode == Opcode::Binary});
      if (onMessage) onMessage(id, member.received.back());
    }
  }
  input.erase(0, input.size() - rest.size());
  if (member.isOpen()) member.input = std::move(input);
}

void ClientSwarm::onControl(Member& member, const websocket::ServerFrame& frame) {
  if (frame.opcode == Opcode::Ping) {
    ++member.pingsSeen;
    if (answerPings) append(member, Opcode::Pong, frame.payload);
  } else if (frame.opcode == Opcode::Close) {
    member.closeCode = websocket::decodeClose(frame.payload).code;
    append(member, frame.opcode, frame.payload.substr(0, 2));
  }
}

void ClientSwarm::runUntil(const std::string& what, const Condition& done) {
  constexpr int kPollMilliseconds = 20;
  while (true) {
    for (const Id id : std::exchange(dirty_, {})) write(member(id));
    if (done()) return;
    deadline_.check(what);
    if (!dirty_.empty()) continue;
    epoll_event events[256];
    const int count = ::epoll_wait(epoll_.get(), events, 256, kPollMilliseconds);
    for (int i = 0; i < count; ++i) onReady(events[i].data.u64);
  }
}

void ClientSwarm::waitForMessages(Id id, std::size_t count) {
  runUntil(std::to_string(count) + " messages for a client", [&] {
    if (member(id).isClosed() && member(id).received.size() < count) {
      throw std::runtime_error("a client was closed before its messages came");
    }
    return member(id).received.size() >= count;
  });
}

void ClientSwarm::waitUntilClosed(Id id) {
  runUntil("a client to be closed", [&] { return member(id).isClosed(); });
}

// --- Group commands ---

void ClientSwarm::command(Id id, std::string_view cmd, std::string_view group) {
  send(id, nlohmann::json{{"cmd", cmd}, {"group_id", group}}.dump());
}

void ClientSwarm::sendToGroup(Id id, std::string_view group, std::string_view message) {
  send(id,
       nlohmann::json{{"cmd", "send_to_group"}, {"group_id", group}, {"message", message}}.dump());
}

void ClientSwarm::join(Id id, std::string_view group) {
  command(id, "add_group", group);
  settle({id});
}

void ClientSwarm::joinAll(const std::vector<Id>& ids,
                          const std::function<std::string(std::size_t)>& groupOf) {
  for (std::size_t i = 0; i < ids.size(); ++i) command(ids[i], "add_group", groupOf(i));
  settle(ids);
}

void ClientSwarm::settle(const std::vector<Id>& ids) {
  // Commands have no answer, so each client sends itself a message through a group of its own. When
  // that arrives, all earlier commands of it and of its worker's link to the Channel were executed.
  std::vector<std::string> fences;
  for (const Id id : ids) {
    fences.push_back("fence " + std::to_string(++fences_));
    command(id, "add_group", fences.back());
    sendToGroup(id, fences.back(), fences.back());
  }
  for (std::size_t i = 0; i < ids.size(); ++i) {
    auto& received = member(ids[i]).received;
    const auto fence = [&] {
      return std::find(received.begin(), received.end(), SwarmClient::Received{fences[i]});
    };
    runUntil("a client's message to itself", [&] {
      if (member(ids[i]).isClosed())
        throw std::runtime_error("a client was closed while it waited");
      return fence() != received.end();
    });
    received.erase(fence());
    command(ids[i], "leave_group", fences[i]);
  }
}

}  // namespace stormo::integration
