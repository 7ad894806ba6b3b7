#include "net/codec/websocket_codec.h"

#include <utility>

#include "net/codec/codec_session.h"
#include "net/codec/fixed_answers.h"
#include "net/codec/http_codec.h"
#include "net/codec/websocket_state.h"
#include "net/limits/admission.h"
#include "protocol/http/http_request.h"
#include "protocol/http/http_response.h"
#include "protocol/websocket/deflate_negotiation.h"
#include "protocol/websocket/handshake.h"
#include "protocol/websocket/origin.h"
#include "sys/log.h"

namespace stormo::net {
namespace {

/// A plain request, where there is a handler for it.
bool passesOn(CodecSession& session, const HttpRequest& request) {
  const Endpoint* const other = session.connection().endpoint->other;
  return other != nullptr && static_cast<const HttpCodec&>(*other->codec).handlesRequests() &&
         !request.hasToken("Upgrade", "websocket");
}

}  // namespace

std::size_t WebSocketCodec::receive(CodecSession& session, std::span<char> bytes) const {
  std::size_t taken = 0;
  if (session.isInHandshake()) {
    if (session.state() != nullptr) return holdBack(session, bytes.size());
    taken = receiveHead(session, {bytes.data(), bytes.size()});
    const Codec& codec = *session.connection().endpoint->codec;
    if (&codec != this) return codec.receive(session, bytes);
    if (session.isInHandshake() || session.isPaused()) return taken;
  }
  reportOpen(session);
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
  // Plain requests go to their own codec, which reads them from the start.
  if (passesOn(session, request)) {
    session.passOn(*session.connection().endpoint->other);
    return 0;
  }
  onRequest(session, request);
  return headBytes;
}

void WebSocketCodec::onRequest(CodecSession& session, const HttpRequest& request) const {
  if (!session.takeForwardedClient(request)) {
    session.counters().badPeers.add();
    return respond(session, request, 400, "malformed Forwarded header");
  }
  const Refusal refusal = session.connection().ticket.refusal;
  if (refusal != Refusal::None) return answerRefusal(session, answerTo(refusal));
  const websocket::HandshakeVerdict verdict = websocket::judgeUpgrade(request);
  if (verdict.status == 101) return upgrade(session, request);
  // An upgrade to something else is ignored (RFC 9110 7.8): HTTP clients offer h2c by default.
  const bool isPlain = !request.hasToken("Upgrade", "websocket");
  if (isPlain) return answerPlainRequest(session, request, verdict);
  refuse(session, request, verdict);
}

void WebSocketCodec::beginUpgrade(CodecSession& session, const HttpRequest& request) const {
  const websocket::HandshakeVerdict verdict = websocket::judgeUpgrade(request);
  if (verdict.status == 101) return upgrade(session, request);
  refuse(session, request, verdict);
}

void WebSocketCodec::upgrade(CodecSession& session, const HttpRequest& request) const {
  if (takesNoClients_ && takesNoClients_()) return answerRefusal(session, kStopping);
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

/// The extensions that are agreed on, for the response; nothing if the client's offers do not
/// conform to their grammar (RFC 6455 9.1).
std::optional<std::string> WebSocketCodec::negotiate(CodecSession& session,
                                                     const HttpRequest& request) const {
  if (!deflate_.enabled) return std::string();
  const auto offers = websocket::parseExtensions(request.headers);
  if (!offers) return std::nullopt;
  const auto agreed = websocket::acceptDeflate(*offers, deflate_.contextTakeover);
  if (!agreed) return std::string();
  compress(session, agreed->serverWindowBits.value_or(websocket::kWindowBitsMax),
           !agreed->clientNoContextTakeover, !agreed->serverNoContextTakeover);
  return websocket::deflateHeader(*agreed);
}

void WebSocketCodec::open(CodecSession& session, std::string_view response) {
  // Messages sent during the handshake are encoded already; they follow the response.
  session.sendFirst(response);
  session.open();
}

/// Takes nothing: bytes that come before the answer wait in the stash.
std::size_t WebSocketCodec::holdBack(CodecSession& session, std::size_t bytes) {
  if (session.holdBack(bytes)) stateOf(session).holdsBack = true;
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
  open(session, std::exchange(state.response, {}));
  // Handlers are called in the next turn, onWebSocketOpen first: not inside this call, which a
  // handler makes.
  state.opens = true;
  session.feedHeldBack(state.holdsBack);
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

void WebSocketCodec::answerPlainRequest(CodecSession& session, const HttpRequest& request,
                                        const websocket::HandshakeVerdict& verdict) const {
  auto answer = options_.healthPages ? healthAnswer(request, problem_ ? problem_() : "")
                                     : std::optional<FixedAnswer>();
  if (!answer && !options_.pages.empty()) {
    answer = pageAnswer(options_, request);
    if (!answer) answer = noPageAnswer(request);
  }
  if (!answer) return refuse(session, request, verdict);
  session.closeWith(CloseCode::Normal,
                    httpResponse(answer->status, answer->contentType, answer->body,
                                 request.method == "HEAD", answer->headers));
}

void WebSocketCodec::refuse(CodecSession& session, const HttpRequest& request,
                            const websocket::HandshakeVerdict& verdict) const {
  respond(session, request, verdict.status, verdict.reason);
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

void WebSocketCodec::answerRefusal(CodecSession& session, const RefusalAnswer& answer) const {
  session.closeWith(CloseCode::TryAgainLater,
                    httpResponse(answer.httpStatus, "text/plain", std::string(answer.text) + '\n',
                                 false, {{"Retry-After", std::string(answer.retryAfter)}}));
}

void WebSocketCodec::onHandshakeTimeout(CodecSession& session) const {
  if (session.state() != nullptr) return respond(session, 503, "the answer took too long");
  respond(session, 408, "the request took too long");
}

bool WebSocketCodec::sendClose(CodecSession& session, CloseCode code,
                               std::string_view reason) const {
  if (session.isOpen()) return WebSocketMessages::sendClose(session, code, reason);
  const int status = code == CloseCode::InternalError ? 500 : 503;
  respond(session, status, reason.empty() ? "going away" : reason, code);
  return false;
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
