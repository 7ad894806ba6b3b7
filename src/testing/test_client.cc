#include "testing/test_client.h"

#include <openssl/ssl.h>
#include <sys/socket.h>

#include <array>
#include <limits>
#include <span>
#include <stdexcept>

#include "base/shared_buffer.h"
#include "net/tls/tls_context.h"
#include "protocol/http/http_response_head.h"
#include "protocol/websocket/client_handshake.h"
#include "protocol/websocket/close.h"

namespace stormo::test {
namespace {

using websocket::Opcode;

constexpr std::chrono::seconds kHungAfter{30};
constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();
const std::string kHost = "localhost";  // for TLS
constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";

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

void Client::Impl::speakTls(const TlsClient& settings) {
  const auto context = net::TlsContext::ofClient(settings);
  if (settings.authoritiesFile.empty()) {
    const auto trustAll = [](X509_STORE_CTX* store, void*) {
      ::X509_STORE_CTX_set_error(store, X509_V_OK);
      return 1;
    };
    ::SSL_CTX_set_cert_verify_callback(context->get(), trustAll, nullptr);
  }
  tls_ = std::make_unique<net::TlsSession>(context, kHost);
  takeBytes({});
}

void Client::Impl::openWebSocket(std::string_view path, const std::vector<HttpHeader>& headers) {
  output_ +=
      websocket::UpgradeRequest{.target = std::string(path), .headers = headers}.withKey(kKey);
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
    closeSent_ = true;
    sendFrame(Opcode::Close, websocket::encodeClosePayload(code, reason));
    look();
  } else {
    look();
    if (tls_) {
      SharedBuffer notify;
      tls_->close(notify);
      records_ += notify.view();
      write();
    }
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
  if (tls_ && tls_->isEstablished() && !tls_->isClosed() && !output_.empty()) {
    SharedBuffer records;
    if (!tls_->write(output_, records)) throw std::runtime_error("TLS cannot send");
    records_ += records.view();
    output_.clear();
  }
  std::string& bytes = tls_ ? records_ : output_;
  while (!bytes.empty() && !isClosed) {
    const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.erase(0, static_cast<std::size_t>(sent));
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
    takeBytes(std::span(chunk).first(static_cast<std::size_t>(got)));
  }
}

void Client::Impl::takeBytes(std::span<const char> bytes) {
  if (!tls_) {
    input_.append(bytes.data(), bytes.size());
    return;
  }
  using Read = net::TlsSession::Read;
  std::array<char, 16384> plaintext;
  SharedBuffer records;
  tls_->receive(bytes);
  auto result = tls_->read(plaintext, records);
  for (; result.what == Read::Plaintext; result = tls_->read(plaintext, records)) {
    input_.append(plaintext.data(), result.bytes);
  }
  records_ += records.view();
  if (result.what == Read::Closed) isClosed = true;
  if (result.what == Read::Failed) {
    throw std::runtime_error("TLS with the Worker failed: " + tls_->error().message());
  }
}

void Client::Impl::takeHead() {
  HttpResponseHead head;
  std::size_t headBytes = 0;
  switch (decodeResponseHead(input_, kNoLimit, head, headBytes)) {
    case HeadDecode::NeedMore:
      return;
    case HeadDecode::Ok:
      status = head.status;
      input_.erase(0, headBytes);
      return;
    case HeadDecode::Bad:
    case HeadDecode::TooLarge:
      throw std::runtime_error("the server did not answer with HTTP");
  }
}

void Client::Impl::takeFrames() {
  const websocket::Limits limits{.messageBytesMax = kNoLimit, .sender = websocket::Sender::Server};
  std::span<char> rest(input_);
  while (!rest.empty() && !closeReceived_) takeEvent(decoder_.next(rest, limits));
  input_.clear();
}

void Client::Impl::takeEvent(const websocket::Decoded& decoded) {
  switch (decoded.event) {
    case websocket::Event::NeedMore:
    case websocket::Event::Fragment:
    case websocket::Event::Pong:
      return;
    case websocket::Event::Message:
      messages.emplace_back(decoded.payload);
      return;
    case websocket::Event::Ping:
      return sendFrame(Opcode::Pong, decoded.payload);
    case websocket::Event::Close:
      closeReceived_ = true;
      closeCode = decoded.code;
      closeReason = decoded.payload;
      if (std::exchange(closeSent_, true)) return;
      return sendFrame(Opcode::Close, websocket::encodeClosePayload(closeCode, closeReason));
    case websocket::Event::Violation:
      throw std::runtime_error(std::string("the server sent an invalid frame: ") + decoded.reason);
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
