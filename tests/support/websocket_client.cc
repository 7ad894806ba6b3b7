#include "support/websocket_client.h"

#include <poll.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <stdexcept>

#include "base/bytes.h"

namespace stormo::test {

using websocket::Opcode;

std::optional<websocket::ServerFrame> readServerFrame(std::string_view in,
                                                      websocket::Compression compression) {
  websocket::ServerFrame frame;
  const auto verdict = websocket::decodeServerFrame(in, std::numeric_limits<std::uint64_t>::max(),
                                                    frame, compression);
  if (verdict == websocket::Decode::NeedMore) return std::nullopt;
  if (verdict != websocket::Decode::Ok) {
    throw std::runtime_error(std::string("the server sent an invalid frame: ") +
                             websocket::explainServerProtocolError(in, compression));
  }
  if (!frame.fin || frame.opcode == Opcode::Continuation) {
    throw std::runtime_error("the server sent a message in fragments");
  }
  return frame;
}

WebSocketClient WebSocketClient::open(std::uint16_t port, std::string_view path,
                                      std::string_view extra) {
  WebSocketClient client(RawPeer::connect(port));
  if (!client.peer_.valid()) return client;
  client.sendHandshake(path, extra);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!client.answered() && client.waitForMore(deadline)) {
  }
  return client;
}

std::string WebSocketClient::request(std::string_view path, std::string_view extra) {
  std::string request = "GET ";
  request.append(path).append(
      " HTTP/1.1\r\n"
      "Host: localhost\r\n"
      "Upgrade: websocket\r\n"
      "Connection: Upgrade\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
      "Sec-WebSocket-Version: 13\r\n");
  return request.append(extra).append("\r\n");
}

bool WebSocketClient::answered() {
  if (!head_.empty()) return true;
  const std::string& in = peer_.drain();
  const std::size_t end = in.find("\r\n\r\n");
  if (end == std::string::npos) return false;
  head_ = in.substr(0, end + 4);
  peer_.received().erase(0, end + 4);
  return true;
}

int WebSocketClient::status() {
  int status = 0;
  if (answered() && head_.starts_with("HTTP/1.1 ")) {
    std::from_chars(head_.data() + 9, head_.data() + head_.size(), status);
  }
  return status;
}

std::string WebSocketClient::header(std::string_view name) {
  if (!answered()) return {};
  const std::string line = "\r\n" + std::string(name) + ": ";
  const std::size_t begin = head_.find(line);
  if (begin == std::string::npos) return {};
  const std::size_t value = begin + line.size();
  return head_.substr(value, head_.find("\r\n", value) - value);
}

std::string WebSocketClient::body() {
  answered();
  return peer_.drain();
}

std::string WebSocketClient::frame(int first, std::string_view payload) {
  std::string out;
  websocket::appendClientFrame(Opcode::Text, payload, websocket::kExampleMask, out);
  out[0] = static_cast<char>(first);
  return out;
}

void WebSocketClient::sendClose(CloseCode code, std::string_view reason) {
  std::string payload(2, '\0');
  storeBigEndian(payload.data(), static_cast<std::uint16_t>(code));
  peer_.send(frame(0x88, payload.append(reason)));
}

std::optional<WebSocketClient::Frame> WebSocketClient::next() {
  if (!isOpen()) return std::nullopt;
  const std::string extensions = header("Sec-WebSocket-Extensions");
  const auto frame =
      readServerFrame(peer_.drain(), extensions.empty() ? websocket::Compression::Off
                                                        : websocket::Compression::Negotiated);
  if (!frame) return std::nullopt;
  Frame taken{.opcode = frame->opcode, .payload = std::string(frame->payload)};
  if (frame->compressed) {
    if (!inflater_) inflater_.emplace();
    if (extensions.find("server_no_context_takeover") != std::string::npos) inflater_->reset();
    const auto inflated = inflater_->inflate(frame->payload, std::uint64_t{1} << 30);
    if (inflated.verdict != websocket::Inflated::Verdict::Ok) {
      throw std::runtime_error("the server sent a message that cannot be inflated");
    }
    taken.payload = inflated.message;
    taken.deflatedBytes = frame->payload.size();
  }
  peer_.received().erase(0, frame->bytes);
  return taken;
}

std::vector<WebSocketClient::Frame> WebSocketClient::all() {
  std::vector<Frame> frames;
  while (auto frame = next()) frames.push_back(std::move(*frame));
  return frames;
}

std::vector<std::string> WebSocketClient::messages() {
  std::vector<std::string> payloads;
  for (Frame& frame : all()) {
    if (!websocket::isControl(frame.opcode)) payloads.push_back(std::move(frame.payload));
  }
  return payloads;
}

std::optional<WebSocketClient::Frame> WebSocketClient::await(std::chrono::milliseconds longest) {
  const auto deadline = std::chrono::steady_clock::now() + longest;
  for (;;) {
    if (auto frame = next()) return frame;
    if (!waitForMore(deadline)) return next();
  }
}

bool WebSocketClient::waitForMore(std::chrono::steady_clock::time_point deadline) {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  pollfd ready{.fd = peer_.fd(), .events = POLLIN, .revents = 0};
  if (left.count() <= 0 || ::poll(&ready, 1, static_cast<int>(left.count())) <= 0) return false;
  peer_.receive();
  return !peer_.ended();
}

CloseCode WebSocketClient::closeCode(const Frame& frame) {
  if (frame.payload.size() < 2) return CloseCode::NoStatus;
  return static_cast<CloseCode>(loadBigEndian<std::uint16_t>(frame.payload.data()));
}

std::string WebSocketClient::closeReason(const Frame& frame) {
  return frame.payload.size() < 2 ? "" : frame.payload.substr(2);
}

}  // namespace stormo::test
