// The attacks of hostile clients, one small function each.
#include "hostile_attacks.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <stdexcept>

#include "bench/client_frames.h"
#include "protocol/websocket/deflate.h"
#include "protocol/websocket/deflate_negotiation.h"
#include "protocol/websocket/frame.h"
#include "sys/sockets.h"

namespace stormo::bench {
namespace {

using websocket::Opcode;

constexpr std::size_t kMiB = std::size_t{1} << 20;

std::string text(std::string_view payload) { return clientFrame(Opcode::Text, payload); }

std::string join(std::string_view group) {
  return text(fmt::format(R"({{"cmd":"add_group","group_id":"{}"}})", group));
}

std::string publishCommand(std::string_view group, std::string_view message) {
  return fmt::format(R"({{"cmd":"send_to_group","group_id":"{}","message":"{}"}})", group, message);
}

std::string publish(std::string_view group, std::string_view message) {
  return text(publishCommand(group, message));
}

/// The whole command must fit into 1 MiB.
std::string publishLarge(std::string_view group) {
  return publish(group, std::string(kMiB - 128, 'x'));
}

std::string repeatTo(std::string_view unit, std::size_t bytes) {
  std::string all;
  while (all.size() + unit.size() <= bytes) all += unit;
  return all;
}

std::function<std::string(std::size_t)> always(std::string opening) {
  return [opening = std::move(opening)](std::size_t) { return opening; };
}

std::function<std::string(std::size_t)> upgraded(std::string_view then = {}) {
  return always(upgradeRequest() + std::string(then));
}

/// A frame's header, masked with zeros: without FIN, or of a length that is not sent.
std::string header(unsigned char first, std::uint64_t payloadBytes) {
  std::string bytes(1, static_cast<char>(first));
  if (payloadBytes < 126) {
    bytes += static_cast<char>(0x80 | payloadBytes);
  } else {
    bytes += static_cast<char>(0x80 | 127);
    for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(payloadBytes >> shift);
  }
  return bytes + std::string(4, '\0');
}

std::vector<HostileScript> zeroLengthFragments(const Address&) {
  return {
      {.clients = 100, .opening = upgraded(header(0x01, 0)), .repeated = always(header(0x00, 0))}};
}

std::vector<HostileScript> largeMessages(const Address&) {
  return {{.clients = 100, .opening = upgraded(), .repeated = always(publishLarge("empty-group"))}};
}

std::vector<HostileScript> largeFanout(const Address&) {
  return {{.clients = 100, .opening = upgraded(join("wide"))},
          {.clients = 10,
           .opening = upgraded(),
           .repeated = always(publishLarge("wide")),
           .repeatsMax = 100}};
}

std::vector<HostileScript> smallMessages(std::size_t clients) {
  // Each client is the only member of its group, because more members would be a fan-out.
  const auto group = [](std::size_t client) { return fmt::format("small-{}", client); };
  return {{.clients = clients,
           .opening = [=](std::size_t client) { return upgradeRequest() + join(group(client)); },
           .repeated =
               [=](std::size_t client) { return publish(group(client), std::string(64, 'x')); }}};
}

std::vector<HostileScript> smallMessages10(const Address&) { return smallMessages(10); }
std::vector<HostileScript> smallMessages500(const Address&) { return smallMessages(500); }

std::vector<HostileScript> pings(bool reads) {
  return {{.clients = 100,
           .opening = upgraded(),
           .repeated = always(clientFrame(Opcode::Ping, std::string(125, 'p'))),
           .reads = reads}};
}

std::vector<HostileScript> pingFlood(const Address&) { return pings(true); }
std::vector<HostileScript> pingFloodUnread(const Address&) { return pings(false); }

std::vector<HostileScript> incompleteMessages(const Address&) {
  return {{.clients = 1000, .opening = upgraded(header(0x81, kMiB) + std::string(kMiB - 1, 'x'))}};
}

std::vector<HostileScript> slowHeads(const Address&) {
  std::string head = "GET / HTTP/1.1\r\nHost: h\r\nX-Long: ";
  head.append(16'000 - head.size(), 'x');
  return {
      {.clients = 50, .opening = always(head), .repeated = always("x"), .repeatsPerSecond = 5000}};
}

/// 5,000 handshakes that never end, each with one more byte in five seconds.
std::vector<HostileScript> slowLoris(const Address&) {
  return {{.clients = 5000,
           .opening = always("GET / HTTP/1.1\r\nX-Slow: "),
           .repeated = always("x"),
           .repeatsPerSecond = 1000}};
}

/// Each connection ends with its answer, and the next one begins.
std::vector<HostileScript> connectionFlood(const Address&) {
  return {{.clients = 100, .opening = always("GET /none HTTP/1.1\r\nHost: h\r\n\r\n")}};
}

std::vector<HostileScript> neverReadingMembers(const Address&) {
  return {{.clients = 500, .opening = upgraded(join("deaf")), .reads = false},
          {.clients = 5,
           .opening = upgraded(),
           .repeated = always(publish("deaf", std::string(4096, 'x'))),
           .repeatsPerSecond = 500}};
}

std::vector<HostileScript> slowReaders(const Address&) {
  std::vector<HostileScript> scripts = neverReadingMembers({});
  scripts.front().reads = true;
  scripts.front().bytesReadPerSecond = 1;
  return scripts;
}

std::vector<HostileScript> emptyMessagesUnread(const Address&) {
  return {{.clients = 100, .opening = upgraded(join("deaf")), .reads = false},
          {.clients = 5,
           .opening = upgraded(),
           .repeated = always(publish("deaf", "")),
           .repeatsPerSecond = 20'000}};
}

std::string withIgnoredField(std::string_view unit, std::string_view before,
                             std::string_view after) {
  const std::string begin =
      R"({"cmd":"send_to_group","group_id":"empty-group","message":"m",)" + std::string(before);
  return text(begin + repeatTo(unit, kMiB - 512) + std::string(after));
}

std::vector<HostileScript> bigIntegers(const Address&) {
  return {{.clients = 20,
           .opening = upgraded(),
           .repeated = always(withIgnoredField(std::string(40, '9') + ",", "\"junk\":[", "1]}"))}};
}

std::vector<HostileScript> equalKeys(const Address&) {
  return {{.clients = 20,
           .opening = upgraded(),
           .repeated = always(withIgnoredField("\"a\":1,", "", "\"a\":1}"))}};
}

/// A connection that waits for each response.
class PatientClient {
 public:
  PatientClient(const Address& server, std::string_view request) {
    auto socket = connectTo(server);
    if (!socket) throw std::runtime_error(socket.error().message());
    fd_ = std::move(*socket);
    send(request);
    answer_ = readUntil("\r\n\r\n");
  }

  /// To the request.
  [[nodiscard]] const std::string& answer() const { return answer_; }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      wait(POLLOUT);
      const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  std::string readUntil(std::string_view mark) {
    std::string seen;
    char buffer[4096];
    while (seen.find(mark) == seen.npos) {
      wait(POLLIN);
      const ssize_t count = ::recv(fd_.get(), buffer, sizeof buffer, 0);
      if (count <= 0)
        throw std::runtime_error("the server closed the first connection of an attack");
      seen.append(buffer, static_cast<std::size_t>(count));
    }
    return seen;
  }

 private:
  void wait(short events) {
    pollfd poll{.fd = fd_.get(), .events = events, .revents = 0};
    if (::poll(&poll, 1, 5000) <= 0) throw std::runtime_error("the server does not answer");
  }

  UniqueFd fd_;
  std::string answer_;
};

/// Resets after each byte of a client's life, without waiting for the server; after the response to
/// the request, also within a frame; and while the server waits for the answer to its close frame.
std::vector<HostileScript> resets(const Address& server) {
  const std::string request = upgradeRequest();
  const std::string close = clientFrame(Opcode::Close, "\x03\xe8");
  const std::string life = request + join("reset") + publish("empty-group", "m") + close;
  const std::size_t answerBytes = PatientClient(server, request).answer().size();
  const std::vector<std::string> answered = {request, request + join("reset").substr(0, 10),
                                             request + join("reset")};
  const std::vector<std::string> closed = {request + close, request + header(0x83, 0),
                                           request + header(0x81, 2 * kMiB)};
  const auto oneOf = [](const std::vector<std::string>& openings) {
    return [openings](std::size_t client) { return openings[client % openings.size()]; };
  };
  constexpr std::size_t kCloseFrameBytes = 4;
  return {
      {.clients = life.size() + 1,
       .opening = [life](std::size_t client) { return life.substr(0, client); },
       .resets = true},
      {.clients = 60, .opening = oneOf(answered), .resets = true, .resetsAfterBytes = answerBytes},
      {.clients = 60,
       .opening = oneOf(closed),
       .resets = true,
       .resetsAfterBytes = answerBytes + kCloseFrameBytes}};
}

std::string deflatingRequest() {
  std::string request = upgradeRequest();
  return request.insert(request.size() - 2, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
}

/// A compressed frame.
std::string deflated(std::string_view message) {
  constexpr char kRsv1 = 0x40;
  websocket::Deflater deflater(websocket::kWindowBitsMax);
  std::string frame = text(deflater.deflate(message));
  frame[0] = static_cast<char>(frame[0] | kRsv1);
  return frame;
}

/// 2 KiB that inflate to 2 MiB, twice the limit; each client begins again after its close frame.
std::vector<HostileScript> compressionBombs(const Address& server) {
  const std::string bomb = deflated(publishCommand("empty-group", std::string(2 * kMiB, 'x')));
  const std::size_t answerBytes = PatientClient(server, deflatingRequest()).answer().size();
  return {{.clients = 100,
           .opening = always(deflatingRequest() + bomb),
           .resets = true,
           .resetsAfterBytes = answerBytes + 1}};
}

std::vector<HostileScript> compressedMessages(const Address&) {
  const std::string message = publishCommand("empty-group", std::string(kMiB - 128, 'x'));
  return {{.clients = 100,
           .opening = always(deflatingRequest()),
           .repeated = always(deflated(message))}};
}

std::vector<HostileScript> replay(const Address& server) {
  PatientClient first(server, upgradeRequest("stormo.v1"));
  const auto joined = [](std::string_view after) {
    return text(fmt::format(R"({{"id":1,"cmd":"join","group":"old"{}}})", after));
  };
  first.send(joined({}));
  const std::string reply = first.readUntil("}");
  const std::size_t at = reply.find("\"epoch\":");
  const std::string position = reply.substr(at, reply.find('}', at) - at);
  for (int i = 0; i < 90; ++i) {
    first.send(text(fmt::format(R"({{"id":{},"cmd":"send","group":"old","message":"{}"}})", i + 2,
                                std::string(8192, 'h'))));
  }
  first.readUntil("{\"id\":91,\"ok\":true}");
  return {{.clients = 200,
           .opening = always(upgradeRequest("stormo.v1")),
           .repeated =
               always(joined("," + position) + text(R"({"id":2,"cmd":"leave","group":"old"})"))}};
}

}  // namespace

std::string upgradeRequest(std::string_view subprotocol) {
  std::string request =
      "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
  if (!subprotocol.empty()) request += fmt::format("Sec-WebSocket-Protocol: {}\r\n", subprotocol);
  return request + "\r\n";
}

const std::vector<HostileAttack>& hostileAttacks() {
  static const std::vector<HostileAttack> kAttacks = {
      {"none",
       "no attack, for comparison",
       {},
       [](const Address&) { return std::vector<HostileScript>{}; }},
      {"zero-length-fragments", "100 clients, endless empty fragments", {}, zeroLengthFragments},
      {"large-messages", "100 clients, 1 MiB back to back, no members", {}, largeMessages},
      {"large-fanout", "100 messages of 1 MiB to 100 members", {}, largeFanout},
      {"small-messages-10", "10 clients, 64 bytes as fast as they can", {}, smallMessages10},
      {"small-messages-500", "500 clients, 64 bytes as fast as they can", {}, smallMessages500},
      {"ping-flood", "100 clients, pings of 125 bytes", {}, pingFlood},
      {"ping-flood-unread", "the same, and no pong is read", {}, pingFloodUnread},
      {"incomplete-messages", "1,000 clients that stop within 1 MiB", {}, incompleteMessages},
      {"slow-heads", "50 clients, byte by byte after 16,000 bytes", {}, slowHeads},
      {"slow-loris", "5,000 clients, a byte of their heads in 5 s each", {}, slowLoris},
      {"connection-flood", "100 clients that connect again and again", {}, connectionFlood},
      {"resets", "a reset at each stage of a client's life", {}, resets},
      {"compression-bombs",
       "100 clients, 2 KiB that inflate to 2 MiB",
       {"--deflate", "true"},
       compressionBombs},
      {"compressed-messages",
       "100 clients, 1 MiB in 1 KiB back to back",
       {"--deflate", "true"},
       compressedMessages},
      {"never-reading-members", "500 members, 500 messages/s of 4 KiB", {}, neverReadingMembers},
      {"slow-readers", "the same, a byte per second and member", {}, slowReaders},
      {"empty-messages-unread", "100 members, 20,000 empty messages/s", {}, emptyMessagesUnread},
      {"big-integers", "20 clients, JSON of 1 MiB of big integers", {}, bigIntegers},
      {"equal-keys", "20 clients, JSON of 1 MiB of equal keys", {}, equalKeys},
      {"replay", "200 clients join again and again", {"--history-groups", "*"}, replay},
  };
  return kAttacks;
}

}  // namespace stormo::bench
