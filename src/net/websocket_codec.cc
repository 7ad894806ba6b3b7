#include "net/websocket_codec.h"

#include <cstring>
#include <utility>

#include "net/connection_table.h"
#include "protocol/http/http_request.h"
#include "protocol/http/http_response.h"
#include "protocol/websocket/close.h"
#include "protocol/websocket/handshake.h"
#include "protocol/websocket/origin.h"
#include "sys/log.h"

namespace stormo::net {
namespace {

using websocket::Opcode;

// Of what a client sends while its handshake waits for an answer, this much is read, so that the
// end of its connection is seen; the rest stays in the kernel.
constexpr std::size_t kHeldBackMax = 16 << 10;

/// What a connection keeps between two reads: a handshake that is answered later, part of a
/// message, or a ping that is not answered.
struct WebSocketState final : CodecState {
  std::string response;    // that a PendingHandshake will send; empty: none waits
  bool holdsBack = false;  // receiving was paused for that
  bool opens = false;      // onWebSocketOpen is still to be called
  websocket::Decoder decoder;
  std::uint64_t pongEnd =
      0;  // as ConnectionImpl::bytesWritten counts: then the kernel has our last pong
  bool owesPong = false;
  std::string ping;  // then: the latest

  [[nodiscard]] std::size_t heldBytes() const override { return decoder.heldBytes(); }
  [[nodiscard]] bool pongWaits(const ConnectionImpl& peer) const {
    return peer.bytesWritten < pongEnd;
  }
};

WebSocketState* stateOrNull(ConnectionImpl& peer) {
  return static_cast<WebSocketState*>(peer.codecState.get());
}

WebSocketState& stateOf(ConnectionImpl& peer) {
  if (peer.codecState == nullptr) peer.codecState = std::make_unique<WebSocketState>();
  return *stateOrNull(peer);
}

void dropStateAtRest(ConnectionImpl& peer) {
  const WebSocketState* state = stateOrNull(peer);
  if (state == nullptr || !state->decoder.atRest()) return;
  if (!state->response.empty() || state->opens) return;
  if (!state->owesPong && !state->pongWaits(peer)) peer.codecState.reset();
}

void appendFrame(Opcode opcode, std::string_view payload, Batch& batch, OutputOrder& order) {
  char header[websocket::kServerHeaderBytesMax];
  const std::size_t headerBytes = websocket::encodeHeader(opcode, payload.size(), header);
  char* const place = batch.extend(headerBytes + payload.size(), order);
  std::memcpy(place, header, headerBytes);
  payload.copy(place + headerBytes, payload.size());
}

}  // namespace

std::size_t WebSocketCodec::receive(ConnectionImpl& peer, std::span<char> bytes) const {
  std::size_t taken = 0;
  if (peer.phase == Phase::Handshake) {
    if (peer.codecState != nullptr) return holdBack(peer, bytes.size());
    taken = receiveHead(peer, {bytes.data(), bytes.size()});
    if (peer.phase == Phase::Handshake || peer.receivePaused) return taken;
  }
  return taken + receiveMessages(peer, bytes.subspan(taken));
}

std::size_t WebSocketCodec::receiveHead(ConnectionImpl& peer, std::string_view bytes) const {
  HttpRequest request;
  std::size_t headBytes = 0;
  switch (decodeHead(bytes, options_.headBytesMax, request, headBytes, peer.searchedBytes)) {
    case HeadDecode::NeedMore:
      peer.searchedBytes = bytes.size();
      return 0;
    case HeadDecode::Bad:
      peer.table.counters().badPeers.add();
      respond(peer, 400, "not an HTTP request");
      return bytes.size();
    case HeadDecode::TooLarge:
      peer.table.counters().badPeers.add();
      respond(peer, 431, "the request's head is too long");
      return bytes.size();
    case HeadDecode::Ok:
      break;
  }
  onRequest(peer, request);
  return headBytes;
}

void WebSocketCodec::onRequest(ConnectionImpl& peer, const HttpRequest& request) const {
  const websocket::HandshakeVerdict verdict = websocket::judgeUpgrade(request);
  if (verdict.status == 101) return upgrade(peer, request);
  // An upgrade to something else is ignored (RFC 9110 7.8): HTTP clients offer h2c by default.
  const bool isPlain = !request.hasToken("Upgrade", "websocket");
  if (isPlain && !options_.pages.empty()) return answerPlainRequest(peer, request);
  respond(peer, request, verdict.status, verdict.reason);
}

void WebSocketCodec::upgrade(ConnectionImpl& peer, const HttpRequest& request) const {
  const std::string_view origin = request.header("Origin");
  if (!websocket::originAllowed(origin, options_.origins)) {
    peer.table.counters().originsRefused.add();
    const auto logged = refusedOrigins_.take(origin, peer.table.loop().now);
    if (!logged.empty()) log::warning("pages of this origin may not connect origin=\"{}\"", logged);
    return respond(peer, request, 403, "this origin may not connect");
  }
  WebSocketHandshake handshake(
      request, websocket::chooseSubprotocol(request, options_.subprotocols), peer.id.packed());
  peer.table.call(peer, onConnect_, handshake);
  if (!peer.isUsable()) return;
  if (handshake.refusedWith() != 0) {
    return respond(peer, request, handshake.refusedWith(), handshake.refusalText());
  }
  std::string response;
  peer.table.guard(peer, [&] {  // the subprotocol is the handler's
    response = websocket::upgradeResponse(websocket::acceptKey(request.header("Sec-WebSocket-Key")),
                                          handshake.subprotocol, handshake.headers());
  });
  if (!peer.isUsable()) return;
  if (handshake.isLater()) {
    stateOf(peer).response = std::move(response);
    return;
  }
  open(peer, response);
  peer.table.call(peer, onOpen_);
}

void WebSocketCodec::open(ConnectionImpl& peer, std::string_view response) const {
  // Messages that were sent before the handshake are encoded already, and must follow the response.
  peer.table.sendFirst(peer, response);
  peer.table.open(peer);
}

/// Takes nothing: bytes that come before the answer wait in the stash.
std::size_t WebSocketCodec::holdBack(ConnectionImpl& peer, std::size_t bytes) const {
  if (bytes >= kHeldBackMax && !peer.receivePaused) {
    stateOf(peer).holdsBack = true;
    peer.table.pauseReceiving(peer);
  }
  return 0;
}

ConnectionImpl* WebSocketCodec::awaitingAnswer(ConnectionId id) {
  ConnectionImpl* const peer = ConnectionTable::current().find(id);
  if (peer == nullptr || peer->phase != Phase::Handshake) return nullptr;
  const auto* const state = dynamic_cast<const WebSocketState*>(peer->codecState.get());
  return state == nullptr || state->response.empty() ? nullptr : peer;
}

void WebSocketCodec::accept(ConnectionImpl& peer) {
  const auto& codec = static_cast<const WebSocketCodec&>(*peer.endpoint->codec);
  WebSocketState& state = stateOf(peer);
  const bool pausedByUser = peer.receivePaused && !state.holdsBack;
  codec.open(peer, std::exchange(state.response, {}));
  // Handlers are called in the next turn, onWebSocketOpen first: not from within this call, which a
  // handler makes.
  state.opens = true;
  peer.unfed = peer.stash != nullptr;
  if (!pausedByUser) {
    peer.table.pauseReceiving(peer);
    peer.table.resumeReceiving(peer);
  }
  peer.table.loop().defer([&table = peer.table, id = peer.id.packed()] {
    ConnectionImpl* const opened = table.find(id);
    if (opened == nullptr) return;
    static_cast<const WebSocketCodec*>(opened->endpoint->codec)->reportOpen(*opened);
  });
}

void WebSocketCodec::refuse(ConnectionImpl& peer, int status, std::string_view text) {
  const auto& codec = static_cast<const WebSocketCodec&>(*peer.endpoint->codec);
  codec.respond(peer, status, text);
}

/// After accept(): before the first message, or on its own.
void WebSocketCodec::reportOpen(ConnectionImpl& peer) const {
  WebSocketState* const state = stateOrNull(peer);
  if (state == nullptr || !std::exchange(state->opens, false)) return;
  dropStateAtRest(peer);
  peer.table.call(peer, onOpen_);
}

void WebSocketCodec::answerPlainRequest(ConnectionImpl& peer, const HttpRequest& request) const {
  const bool isHead = request.method == "HEAD";
  if (request.method != "GET" && !isHead) {
    return peer.table.closeWith(
        peer, CloseCode::Normal,
        httpResponse(405, "text/plain", "only GET and HEAD\n", false, {{"Allow", "GET, HEAD"}}));
  }
  const auto page = options_.pages.find(request.path);
  if (page == options_.pages.end()) {
    return peer.table.closeWith(peer, CloseCode::Normal,
                                httpResponse(404, "text/plain", "no such page\n", isHead));
  }
  peer.table.closeWith(
      peer, CloseCode::Normal,
      httpResponse(200, page->second.contentType, page->second.body, isHead, page->second.headers));
}

void WebSocketCodec::respond(ConnectionImpl& peer, const HttpRequest& request, int status,
                             std::string_view text) const {
  respond(peer, status, text, CloseCode::Normal, request.method == "HEAD");
}

void WebSocketCodec::respond(ConnectionImpl& peer, int status, std::string_view text,
                             CloseCode code, bool headOnly) const {
  std::vector<HttpHeader> headers;
  if (status == 426) headers = {{"Upgrade", "websocket"}, {"Sec-WebSocket-Version", "13"}};
  if (status == 405) headers = {{"Allow", "GET"}};
  peer.table.closeWith(
      peer, code, httpResponse(status, "text/plain", std::string(text) + '\n', headOnly, headers));
}

void WebSocketCodec::onHandshakeTimeout(ConnectionImpl& peer) const {
  if (peer.codecState != nullptr) return respond(peer, 503, "the answer took too long");
  respond(peer, 408, "the request took too long");
}

std::size_t WebSocketCodec::receiveMessages(ConnectionImpl& peer, std::span<char> bytes) const {
  reportOpen(peer);
  WebSocketState* const state = stateOrNull(peer);
  websocket::Decoder& decoder = state != nullptr ? state->decoder : atRest_;
  const websocket::Limits limits{.messageBytesMax = peer.endpoint->packageBytesMax};
  std::span<char> rest = bytes;
  bool pinged = false;
  bool going = peer.isUsable() || peer.awaitsCloseFrame;
  while (going && !peer.receivePaused) {
    const websocket::Decoded decoded = decoder.next(rest, limits);
    if (decoded.event == websocket::Event::NeedMore) break;
    if (decoded.event == websocket::Event::Ping) {
      pinged = true;
      lastPing_ = decoded.payload;
    } else {
      onEvent(peer, decoded);
    }
    going = peer.isUsable() || peer.awaitsCloseFrame;
    if (!peer.table.spendOnFrame()) break;
  }
  if (!going) {
    if (state == nullptr) atRest_ = {};
    return bytes.size();
  }
  if (state == nullptr && !decoder.atRest()) {
    stateOf(peer).decoder = std::move(atRest_);
    atRest_ = {};
  }
  if (pinged && peer.isUsable()) answerPing(peer, lastPing_);
  dropStateAtRest(peer);
  return bytes.size() - rest.size();
}

void WebSocketCodec::onEvent(ConnectionImpl& peer, const websocket::Decoded& decoded) const {
  switch (decoded.event) {
    case websocket::Event::NeedMore:
    case websocket::Event::Fragment:
    case websocket::Event::Ping:
      return;
    case websocket::Event::Message:
      return peer.table.deliver(
          peer, Message(decoded.payload, decoded.binary ? MessageType::Binary : MessageType::Text));
    case websocket::Event::Pong:
      return;  // that anything came is the sign of life
    case websocket::Event::Close:
      if (peer.isUsable() && !decoded.payload.empty()) {
        peer.closeReason = std::make_unique<std::string>(decoded.payload);
      }
      return peer.table.goodbyeReceived(peer, decoded.code);
    case websocket::Event::Violation:
      peer.awaitsCloseFrame = false;
      return peer.table.refuse(peer, decoded.code, decoded.reason);
  }
}

/// RFC 6455 5.5.3: the answer carries the same bytes, and of several pings the latest may be
/// answered alone. While a pong waits for a peer that does not read, there is no other.
void WebSocketCodec::answerPing(ConnectionImpl& peer, std::string_view payload) const {
  WebSocketState* const state = stateOrNull(peer);
  const bool waits = state != nullptr && state->pongWaits(peer);
  if (waits || peer.table.isFull(peer, payload.size())) {
    stateOf(peer).owesPong = true;
    stateOf(peer).ping = payload;
    return;
  }
  control(peer, Opcode::Pong, payload);
  if (state != nullptr) state->owesPong = false;
  if (peer.queue == nullptr) return;
  stateOf(peer).pongEnd = peer.bytesWritten + peer.queuedBytes() + peer.own->size();
}

void WebSocketCodec::onDrained(ConnectionImpl& peer) const {
  WebSocketState* const state = stateOrNull(peer);
  if (!std::exchange(state->owesPong, false)) return;
  if (peer.isUsable()) control(peer, Opcode::Pong, state->ping);
  dropStateAtRest(peer);
}

void WebSocketCodec::encode(Message message, Batch& batch, OutputOrder& order) const {
  appendFrame(message.isBinary() ? Opcode::Binary : Opcode::Text, message.data, batch, order);
}

bool WebSocketCodec::sayGoodbye(ConnectionImpl& peer, CloseCode code,
                                std::string_view reason) const {
  if (peer.phase != Phase::Open) {
    const int status = code == CloseCode::InternalError ? 500 : 503;
    respond(peer, status, reason.empty() ? "going away" : reason, code);
    return false;
  }
  control(peer, Opcode::Close, websocket::encodeClosePayload(code, reason));
  return true;
}

bool WebSocketCodec::ping(ConnectionImpl& peer) const {
  // Behind so much output it would come too late, and its answer too: then the silence itself is
  // judged.
  if (!peer.table.isFull(peer, 0)) control(peer, Opcode::Ping, {});
  return true;
}

void WebSocketCodec::control(ConnectionImpl& peer, Opcode opcode, std::string_view payload) const {
  appendFrame(opcode, payload, peer.table.ownBatch(peer), peer.table.order());
}

}  // namespace stormo::net

namespace stormo {

bool PendingHandshake::accept() const {
  net::ConnectionImpl* const peer = net::WebSocketCodec::awaitingAnswer(connection_);
  if (peer == nullptr) return false;
  net::WebSocketCodec::accept(*peer);
  return true;
}

bool PendingHandshake::refuse(int status, std::string_view text) const {
  websocket::requireRefusal(status);
  net::ConnectionImpl* const peer = net::WebSocketCodec::awaitingAnswer(connection_);
  if (peer == nullptr) return false;
  net::WebSocketCodec::refuse(*peer, status, text);
  return true;
}

}  // namespace stormo
