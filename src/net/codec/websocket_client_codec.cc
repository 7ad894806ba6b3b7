#include "net/codec/websocket_client_codec.h"

#include <utility>

#include "net/codec/codec_session.h"
#include "net/codec/websocket_state.h"
#include "protocol/websocket/handshake.h"
#include "protocol/websocket/handshake_error.h"

namespace stormo::net {
namespace {

using websocket::DeflateParameters;
using websocket::HandshakeError;

/// An offer of client_max_window_bits permits the server to limit the window of what it receives
/// (RFC 7692 7.1.2.2).
std::optional<DeflateParameters> offerOf(const DeflateOptions& deflate) {
  if (!deflate.enabled) return std::nullopt;
  return DeflateParameters{.serverNoContextTakeover = !deflate.contextTakeover,
                           .clientNoContextTakeover = !deflate.contextTakeover,
                           .clientWindowBits = websocket::kWindowBitsMax};
}

}  // namespace

WebSocketClientCodec::WebSocketClientCodec(std::string host, std::string target)
    : WebSocketMessages(websocket::Sender::Server, {}),
      request_{.target = std::move(target), .host = std::move(host)},
      headBytesMax_(WebSocketClientOptions().headBytesMax) {}

void WebSocketClientCodec::use(const WebSocketClientOptions& options) {
  websocket::UpgradeRequest request{.target = request_.target,
                                    .host = request_.host,
                                    .headers = options.headers,
                                    .subprotocols = options.subprotocols,
                                    .deflate = offerOf(options.deflate)};
  websocket::requireValid(request);
  request_ = std::move(request);
  deflate_ = options.deflate;
  headBytesMax_ = options.headBytesMax;
}

void WebSocketClientCodec::begin(CodecSession& session) const {
  try {
    const std::string key = randomHandshakeKey();
    stateOf(session).acceptKey = websocket::acceptKey(key);
    session.sendNow(request_.withKey(key));
  } catch (const std::system_error& noRandomBytes) {
    fail(session, noRandomBytes.code());
  }
}

std::size_t WebSocketClientCodec::receive(CodecSession& session, std::span<char> bytes) const {
  std::size_t taken = 0;
  while (session.isInHandshake()) {
    const std::string_view rest(bytes.data() + taken, bytes.size() - taken);
    const std::size_t headBytes = receiveHead(session, rest);
    if (headBytes == 0) return taken;
    taken += headBytes;
  }
  return taken + receiveMessages(session, bytes.subspan(taken));
}

/// Returns the length of the head at the front, or 0 while it is not whole.
std::size_t WebSocketClientCodec::receiveHead(CodecSession& session, std::string_view bytes) const {
  HttpResponseHead answer;
  std::size_t headBytes = 0;
  std::size_t& judged = session.scan().searchedBytes;
  switch (decodeResponseHead(bytes, headBytesMax_, answer, headBytes, judged)) {
    case HeadDecode::NeedMore:
      judged = bytes.size();
      return 0;
    case HeadDecode::Bad:
      fail(session, HandshakeError::NotHttp);
      return bytes.size();
    case HeadDecode::TooLarge:
      fail(session, HandshakeError::HeadTooLong);
      return bytes.size();
    case HeadDecode::Ok:
      break;
  }
  judged = 0;
  // Interim responses, such as 103, come before the answer (RFC 9110 15.2).
  const bool isInterim = answer.status < 200 && answer.status != 101;
  if (!isInterim) onAnswer(session, answer);
  return headBytes;
}

void WebSocketClientCodec::onAnswer(CodecSession& session, const HttpResponseHead& answer) const {
  auto accepted = websocket::judgeAnswer(answer, request_, stateOf(session).acceptKey);
  if (accepted.error) return fail(session, accepted.error);
  session.state().reset();
  subprotocol_ = std::move(accepted.subprotocol);
  if (const auto& agreed = accepted.deflate) {
    // A client that offers client_no_context_takeover keeps to it, also if the server does not
    // repeat it (RFC 7692 7.1.1.2).
    compress(session, agreed->clientWindowBits.value_or(websocket::kWindowBitsMax),
             !agreed->serverNoContextTakeover,
             deflate_.contextTakeover && !agreed->clientNoContextTakeover);
  }
  session.open();
  session.announce();
}

void WebSocketClientCodec::onHandshakeTimeout(CodecSession& session) const {
  fail(session, std::make_error_code(std::errc::timed_out));
}

void WebSocketClientCodec::onHandshakeEnd(CodecSession& session) const {
  fail(session, HandshakeError::Ended);
}

void WebSocketClientCodec::fail(CodecSession& session, std::error_code error) {
  session.fail({error, "WebSocket handshake"});
}

}  // namespace stormo::net
