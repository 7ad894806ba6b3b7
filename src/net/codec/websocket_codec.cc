#include "net/codec/websocket_codec.h"

#include <utility>

#include "net/codec/codec_session.h"
#include "net/codec/health_pages.h"
#include "net/codec/websocket_state.h"
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

void dropStateAtRest(CodecSession& session) {
  const WebSocketState* state = stateOrNull(session);
  if (state == nullptr || !state->decoder.atRest()) return;
  if (!state->response.empty() || state->opens || state->keepsContext()) return;
  if (!state->owesPong && !state->pongWaits(session)) session.state().reset();
}

}  // namespace

std::size_t WebSocketCodec::receive(CodecSession& session, std::span<char> bytes) const {
  std::size_t taken = 0;
  if (session.isInHandshake()) {
    if (session.state() != nullptr) return holdBack(session, bytes.size());
    taken = receiveHead(session, {bytes.data(), bytes.size()});
    if (session.isInHandshake() || session.isPaused()) return taken;
  }
  return taken + receiveMessages(session, bytes.subspan(taken));
}

std::size_t WebSocketCodec::receiveHead(CodecSession& session, std::string_view bytes) const {
  HttpRequest request;
  std::size_t headBytes = 0;
  switch (
      decodeHead(bytes, options_.headBytesMax, request, headBytes, session.scan().searchedBytes)) {
    case HeadDecode::NeedMore:
      session.scan().searchedBytes = bytes.size();
      return 0;
    case HeadDecode::Bad:
      session.counters().badPeers.add();
      respond(session, 400, "not an HTTP request");
      return bytes.size();
    case HeadDecode::TooLarge:
      session.counters().badPeers.add();
      respond(session, 431, "the request's head is too long");
      return bytes.size();
    case HeadDecode::Ok:
      break;
  }
  onRequest(session, request);
  return headBytes;
}

void WebSocketCodec::onRequest(CodecSession& session, const HttpRequest& request) const {
  if (!session.takeForwardedClient(request)) {
    session.counters().badPeers.add();
    return respond(session, request, 400, "malformed Forwarded header");
  }
  const websocket::HandshakeVerdict verdict = websocket::judgeUpgrade(request);
  if (verdict.status == 101) return upgrade(session, request);
  // An upgrade to something else is ignored (RFC 9110 7.8): HTTP clients offer h2c by default.
  const bool isPlain = !request.hasToken("Upgrade", "websocket");
  if (isPlain && options_.healthPages) {
    const auto answer = healthAnswer(request, problem_ ? problem_() : "");
    if (answer) return session.closeWith(CloseCode::Normal, *answer);
  }
  if (isPlain && !options_.pages.empty()) return answerPlainRequest(session, request);
  respond(session, request, verdict.status, verdict.reason);
}

void WebSocketCodec::upgrade(CodecSession& session, const HttpRequest& request) const {
  const std::string_view origin = request.header("Origin");
  if (!websocket::originAllowed(origin, options_.origins)) {
    session.counters().originsRefused.add();
    const auto logged = refusedOrigins_.take(origin, session.now());
    if (!logged.empty()) log::warning("pages of this origin may not connect origin=\"{}\"", logged);
    return respond(session, request, 403, "this origin may not connect");
  }
  const auto extensions = negotiate(session, request);
  if (!extensions) return respond(session, request, 400, "malformed Sec-WebSocket-Extensions");
  WebSocketHandshake handshake(request,
                               websocket::chooseSubprotocol(request, options_.subprotocols),
                               session.connection().id.packed());
  session.call(onConnect_, handshake);
  if (!session.isUsable()) return;
  if (handshake.refusedWith() != 0) {
    return respond(session, request, handshake.refusedWith(), handshake.refusalText());
  }
  std::string response;
  session.guard([&] {  // the subprotocol is the handler's
    response = websocket::upgradeResponse(websocket::acceptKey(request.header("Sec-WebSocket-Key")),
                                          handshake.subprotocol, handshake.headers(), *extensions);
  });
  if (!session.isUsable()) return;
  if (handshake.isLater()) {
    stateOf(session).response = std::move(response);
    return;
  }
  open(session, response);
  session.call(onOpen_);
}

void WebSocketCodec::open(CodecSession& session, std::string_view response) {
  // Messages sent during the handshake are encoded already; they follow the response.
  session.sendFirst(response);
  session.open();
}

/// Takes nothing: bytes that come before the answer wait in the stash.
std::size_t WebSocketCodec::holdBack(CodecSession& session, std::size_t bytes) {
  if (bytes >= kHeldBackMax && !session.isPaused()) {
    stateOf(session).holdsBack = true;
    session.pause();
  }
  return 0;
}

ConnectionImpl* WebSocketCodec::awaitingAnswer(ConnectionId id) {
  ConnectionImpl* const connection = ConnectionTable::current().find(id);
  if (connection == nullptr || connection->phase != Phase::Handshake) return nullptr;
  const auto* const state = dynamic_cast<const WebSocketState*>(connection->codecState.get());
  return state == nullptr || state->response.empty() ? nullptr : connection;
}

void WebSocketCodec::accept(ConnectionImpl& connection) {
  CodecSession session(connection);
  WebSocketState& state = stateOf(session);
  const bool pausedByUser = session.isPaused() && !state.holdsBack;
  open(session, std::exchange(state.response, {}));
  // Handlers are called in the next turn, onWebSocketOpen first: not inside this call, which a
  // handler makes.
  state.opens = true;
  session.feedAgain();
  if (!pausedByUser) {
    session.pause();
    session.resume();
  }
  ConnectionTable& table = connection.reactor.connections;
  connection.reactor.loop().defer([&table, id = connection.id.packed()] {
    ConnectionImpl* const opened = table.find(id);
    if (opened == nullptr) return;
    CodecSession later(*opened);
    static_cast<const WebSocketCodec*>(opened->endpoint->codec)->reportOpen(later);
  });
}

void WebSocketCodec::refuse(ConnectionImpl& connection, int status, std::string_view text) {
  CodecSession session(connection);
  static_cast<const WebSocketCodec&>(*connection.endpoint->codec).respond(session, status, text);
}

/// After accept(): before the first message, or alone.
void WebSocketCodec::reportOpen(CodecSession& session) const {
  WebSocketState* const state = stateOrNull(session);
  if (state == nullptr || !std::exchange(state->opens, false)) return;
  dropStateAtRest(session);
  session.call(onOpen_);
}

void WebSocketCodec::answerPlainRequest(CodecSession& session, const HttpRequest& request) const {
  const bool isHead = request.method == "HEAD";
  if (request.method != "GET" && !isHead) {
    return session.closeWith(
        CloseCode::Normal,
        httpResponse(405, "text/plain", "only GET and HEAD\n", false, {{"Allow", "GET, HEAD"}}));
  }
  const auto page = options_.pages.find(request.path);
  if (page == options_.pages.end()) {
    return session.closeWith(CloseCode::Normal,
                             httpResponse(404, "text/plain", "no such page\n", isHead));
  }
  session.closeWith(
      CloseCode::Normal,
      httpResponse(200, page->second.contentType, page->second.body, isHead, page->second.headers));
}

void WebSocketCodec::respond(CodecSession& session, const HttpRequest& request, int status,
                             std::string_view text) const {
  respond(session, status, text, CloseCode::Normal, request.method == "HEAD");
}

void WebSocketCodec::respond(CodecSession& session, int status, std::string_view text,
                             CloseCode code, bool headOnly) const {
  std::vector<HttpHeader> headers;
  if (status == 426) headers = {{"Upgrade", "websocket"}, {"Sec-WebSocket-Version", "13"}};
  if (status == 405) headers = {{"Allow", "GET"}};
  session.closeWith(
      code, httpResponse(status, "text/plain", std::string(text) + '\n', headOnly, headers));
}

void WebSocketCodec::onHandshakeTimeout(CodecSession& session) const {
  if (session.state() != nullptr) return respond(session, 503, "the answer took too long");
  respond(session, 408, "the request took too long");
}

std::size_t WebSocketCodec::receiveMessages(CodecSession& session, std::span<char> bytes) const {
  reportOpen(session);
  WebSocketState* const state = stateOrNull(session);
  websocket::Decoder& decoder = state != nullptr ? state->decoder : atRest_;
  const websocket::Limits limits = limitsOf(session);
  std::span<char> rest = bytes;
  bool pinged = false;
  bool going = session.takesInput();
  while (going && !session.isPaused()) {
    const websocket::Decoded decoded = decoder.next(rest, limits);
    if (decoded.event == websocket::Event::NeedMore) break;
    if (decoded.event == websocket::Event::Ping) {
      pinged = true;
      lastPing_ = decoded.payload;
    } else {
      onEvent(session, decoded);
    }
    going = session.takesInput();
    if (!session.spendOnFrame()) break;
  }
  if (!going) {
    if (state == nullptr) atRest_ = {};
    return bytes.size();
  }
  if (state == nullptr && !decoder.atRest()) {
    stateOf(session).decoder = std::move(atRest_);
    atRest_ = {};
  }
  if (pinged && session.isUsable()) answerPing(session, lastPing_);
  dropStateAtRest(session);
  return bytes.size() - rest.size();
}

void WebSocketCodec::onEvent(CodecSession& session, const websocket::Decoded& decoded) const {
  switch (decoded.event) {
    case websocket::Event::NeedMore:
    case websocket::Event::Fragment:
    case websocket::Event::Ping:
      return;
    case websocket::Event::Message:
      if (decoded.compressed) return onCompressed(session, decoded);
      return session.deliver(
          Message(decoded.payload, decoded.binary ? MessageType::Binary : MessageType::Text));
    case websocket::Event::Pong:
      return;  // any input counts as an answer, see Keepalive
    case websocket::Event::Close:
      if (session.isUsable() && !decoded.payload.empty()) {
        session.connection().closeReason = std::make_unique<std::string>(decoded.payload);
      }
      return session.onCloseFrame(decoded.code);
    case websocket::Event::Violation:
      return session.refuse(decoded.code, decoded.reason);
  }
}

/// RFC 6455 5.5.3: the pong carries the same bytes, and only the latest of several pings needs an
/// answer. While a pong waits for a peer that does not read, no other is queued.
void WebSocketCodec::answerPing(CodecSession& session, std::string_view payload) const {
  WebSocketState* const state = stateOrNull(session);
  const bool waits = state != nullptr && state->pongWaits(session);
  if (waits || session.isFull(payload.size())) {
    stateOf(session).owesPong = true;
    stateOf(session).ping = payload;
    return;
  }
  control(session, Opcode::Pong, payload);
  if (state != nullptr) state->owesPong = false;
  if (!session.hasQueue()) return;
  stateOf(session).pongEnd = session.bytesWrittenAtEnd();
}

void WebSocketCodec::onDrained(CodecSession& session) const {
  WebSocketState* const state = stateOrNull(session);
  if (!std::exchange(state->owesPong, false)) return;
  if (session.isUsable()) control(session, Opcode::Pong, state->ping);
  dropStateAtRest(session);
}

bool WebSocketCodec::sendClose(CodecSession& session, CloseCode code,
                               std::string_view reason) const {
  if (!session.isOpen()) {
    const int status = code == CloseCode::InternalError ? 500 : 503;
    respond(session, status, reason.empty() ? "going away" : reason, code);
    return false;
  }
  control(session, Opcode::Close, websocket::encodeClosePayload(code, reason));
  return true;
}

bool WebSocketCodec::ping(CodecSession& session) const {
  // After a full queue the ping would arrive too late. The time-out runs all the same: any input
  // counts as an answer.
  if (!session.isFull(0)) control(session, Opcode::Ping, {});
  return true;
}

void WebSocketCodec::control(CodecSession& session, Opcode opcode, std::string_view payload) const {
  appendFrame(opcode, payload, session.batch(), session.order());
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
