#include "testing/test_client.h"

#include <sys/socket.h>

#include <array>
#include <charconv>
#include <limits>
#include <stdexcept>

#include "base/bytes.h"

namespace stormo::test {
namespace {

using websocket::Opcode;

constexpr std::chrono::seconds kHungAfter{30};

}  // namespace

void turnUntil(EventLoop& loop, const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + kHungAfter;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) {
      throw std::runtime_error("a test waited 30 s for what does not happen");
    }
    loop.turn(std::chrono::milliseconds(5));
  }
}

void turnUntilIdle(EventLoop& loop) {
  // A message crosses at most this number of sockets between two clients, one in each turn.
  for (int turns = 0; turns < 10; ++turns) loop.turn(std::chrono::milliseconds(0));
}

Client::Impl::Impl(EventLoop& eventLoop, UniqueFd socket, Protocol protocol)
    : loop(eventLoop), socket_(std::move(socket)), protocol_(std::move(protocol)) {}

void Client::Impl::openWebSocket(std::string_view path, const std::vector<HttpHeader>& headers) {
  output_.append("GET ").append(path).append(
      " HTTP/1.1\r\n"
      "Host: localhost\r\n"
      "Upgrade: websocket\r\n"
      "Connection: Upgrade\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
      "Sec-WebSocket-Version: 13\r\n");
  for (const HttpHeader& each : headers) {
    output_.append(each.name).append(": ").append(each.value).append("\r\n");
  }
  output_.append("\r\n");
}

void Client::Impl::send(Message message) {
  if (isWebSocket()) {
    sendFrame(message.isBinary() ? Opcode::Binary : Opcode::Text, message.data);
  } else {
    protocol_.encode(message.data, output_);
  }
  look();
}

void Client::Impl::sendClose(CloseCode code, std::string_view reason) {
  if (isWebSocket()) {
    std::string payload(2, '\0');
    storeBigEndian(payload.data(), static_cast<std::uint16_t>(code));
    closeSent_ = true;
    sendFrame(Opcode::Close, payload.append(reason));
    look();
  } else {
    look();
    ::shutdown(socket_.get(), SHUT_WR);
  }
}

void Client::Impl::sendFrame(Opcode opcode, std::string_view payload) {
  websocket::appendClientFrame(opcode, payload, websocket::kExampleMask, output_);
}

void Client::Impl::look() {
  write();
  read();
  if (isWebSocket()) {
    if (status == 0) takeHead();
    if (status == 101) takeFrames();
  } else {
    takePackages();
  }
  write();
}

void Client::Impl::write() {
  while (!output_.empty() && !isClosed) {
    const ssize_t sent = ::send(socket_.get(), output_.data(), output_.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    output_.erase(0, static_cast<std::size_t>(sent));
  }
}

void Client::Impl::read() {
  std::array<char, 65536> chunk;
  while (!isClosed) {
    const ssize_t got = ::recv(socket_.get(), chunk.data(), chunk.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
      isClosed = true;
      return;
    }
    input_.append(chunk.data(), static_cast<std::size_t>(got));
  }
}

void Client::Impl::takeHead() {
  const std::size_t end = input_.find("\r\n\r\n");
  if (end == std::string::npos) return;
  if (input_.starts_with("HTTP/1.1 ")) {
    std::from_chars(input_.data() + 9, input_.data() + end, status);
  }
  input_.erase(0, end + 4);
}

void Client::Impl::takeFrames() {
  websocket::ServerFrame frame;
  for (;;) {
    const auto verdict =
        websocket::decodeServerFrame(input_, std::numeric_limits<std::uint64_t>::max(), frame);
    if (verdict == websocket::Decode::NeedMore) return;
    if (verdict != websocket::Decode::Ok) {
      throw std::runtime_error(std::string("the server sent an invalid frame: ") +
                               websocket::explainServerProtocolError(input_));
    }
    takeFrame(frame);
    input_.erase(0, frame.bytes);
  }
}

void Client::Impl::takeFrame(const websocket::ServerFrame& frame) {
  switch (frame.opcode) {
    case Opcode::Ping:
      return sendFrame(Opcode::Pong, frame.payload);
    case Opcode::Pong:
      return;
    case Opcode::Close:
      if (frame.payload.size() >= 2) {
        closeCode = static_cast<CloseCode>(loadBigEndian<std::uint16_t>(frame.payload.data()));
        closeReason = frame.payload.substr(2);
      }
      if (!std::exchange(closeSent_, true)) sendFrame(Opcode::Close, frame.payload);
      return;
    case Opcode::Continuation:
    case Opcode::Text:
    case Opcode::Binary:
      fragments_ += frame.payload;
      if (frame.fin) messages.push_back(std::exchange(fragments_, {}));
      return;
  }
}

void Client::Impl::takePackages() {
  while (!input_.empty()) {
    const std::ptrdiff_t bytes = protocol_.input(input_, 0);
    if (bytes == Protocol::kInvalid) {
      throw std::runtime_error("the server sent what is no package of its protocol");
    }
    if (bytes == Protocol::kNeedMore || static_cast<std::size_t>(bytes) > input_.size()) return;
    const auto size = static_cast<std::size_t>(bytes);
    messages.emplace_back(protocol_.decode(std::string_view(input_).substr(0, size)));
    input_.erase(0, size);
  }
}

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::Client(Client&& other) noexcept = default;
Client& Client::operator=(Client&& other) noexcept = default;
Client::~Client() = default;

int Client::status() const { return impl_->status; }
void Client::send(Message message) { impl_->send(message); }

std::string Client::receive() {
  turnUntil(impl_->loop, [&] {
    impl_->look();
    if (impl_->messages.empty() && impl_->isClosed) {
      throw std::runtime_error("the connection ended before a message came");
    }
    return !impl_->messages.empty();
  });
  std::string message = std::move(impl_->messages.front());
  impl_->messages.pop_front();
  return message;
}

std::vector<std::string> Client::receiveAll() {
  turnUntilIdle(impl_->loop);
  impl_->look();
  std::vector<std::string> all(std::make_move_iterator(impl_->messages.begin()),
                               std::make_move_iterator(impl_->messages.end()));
  impl_->messages.clear();
  return all;
}

void Client::close(CloseCode code, std::string_view reason) {
  impl_->sendClose(code, reason);
  waitForClose();
}

void Client::waitForClose() {
  turnUntil(impl_->loop, [&] {
    impl_->look();
    return impl_->isClosed;
  });
}

bool Client::isClosed() const { return impl_->isClosed; }
CloseCode Client::closeCode() const { return impl_->closeCode; }
const std::string& Client::closeReason() const { return impl_->closeReason; }

}  // namespace stormo::test
