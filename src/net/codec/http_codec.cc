#include "net/codec/http_codec.h"

#include <algorithm>
#include <stdexcept>

#include "net/codec/fixed_answers.h"
#include "net/codec/http_exchange.h"
#include "net/codec/websocket_codec.h"
#include "net/limits/admission.h"
#include "protocol/http/http_response.h"
#include "protocol/http/response_head.h"
#include "sys/log.h"

namespace stormo::net {
namespace {

using Step = HttpState::Step;

// Of a body that was read, this much stays in memory for the next one.
constexpr std::size_t kKeptBodyBytes = 64 << 10;
// States of answered requests that are kept for the next ones.
constexpr std::size_t kSparesMax = 64;

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

HttpState* stateOrNull(CodecSession& session) {
  return static_cast<HttpState*>(session.state().get());
}

/// The status that states why this side closes.
int statusOf(CloseCode code, bool isReading) {
  switch (code) {
    case CloseCode::PolicyViolation:  // it is too slow, or sends too much
      return isReading ? 408 : 429;
    case CloseCode::TooBig:
      return 413;
    case CloseCode::InternalError:
      return 500;
    default:
      return 503;
  }
}

}  // namespace

std::size_t HttpCodec::receive(CodecSession& session, std::span<char> bytes) const {
  std::string_view rest(bytes.data(), bytes.size());
  feeding_ = &session.connection();
  while (takeNext(session, rest)) {
  }
  feeding_ = nullptr;
  if (!atRest_.isAtRest()) atRest_ = {};  // of a connection that was closed, or passed on
  const std::size_t taken = bytes.size() - rest.size();
  const Codec& codec = *session.connection().endpoint->codec;
  return &codec == this ? taken : taken + codec.receive(session, bytes.subspan(taken));
}

/// Takes the next part of a request. False if no more can be taken now.
bool HttpCodec::takeNext(CodecSession& session, std::string_view& rest) const {
  if (!session.isUsable() || session.isPaused()) return false;
  HttpState* state = stateOrNull(session);
  // A client that sends requests and reads no answers gets no more of them than its queue holds.
  if (state == nullptr && atRest_.isAtRest() && session.isFull(0)) {
    state = &makeState(session);
    state->step = Step::Draining;
  }
  if (state != nullptr && state->step != Step::Reading) {
    if (session.holdBack(rest.size())) state->hasStoppedReading = true;
    return false;
  }
  RequestReader& reader = state == nullptr ? atRest_ : state->reader;
  if (rest.empty() && reader.isAtRest()) return false;
  const RequestReader::Limits limits{.headBytesMax = pages_.headBytesMax,
                                     .bodyBytesMax = session.messageBytesMax()};
  switch (reader.next(rest, limits, session.scan().searchedBytes)) {
    case RequestReader::Event::NeedMore:
      onIncomplete(session, rest.size());
      return false;
    case RequestReader::Event::Head:
      return onHead(session, rest);
    case RequestReader::Event::Request:
      break;
    case RequestReader::Event::Refused:
      refuse(session, reader.refusal().status, reader.refusal().reason);
      return false;
  }
  // The handler may end the request, and with it the state, while it still reads it.
  if (state != nullptr) atRest_ = std::move(state->reader);
  onRequest(session, atRest_.request());
  if (atRest_.request().body.capacity() > kKeptBodyBytes) atRest_ = {};
  return session.spendOnFrame();
}

void HttpCodec::onIncomplete(CodecSession& session, std::size_t bytesLeft) const {
  if (stateOrNull(session) != nullptr) return;
  if (atRest_.isInBody()) {  // its time is limited by Endpoint::messageTimeout
    makeState(session).reader = std::exchange(atRest_, {});
    return;
  }
  const bool isFirstPart = session.scan().searchedBytes == 0;
  session.scan().searchedBytes = bytesLeft;
  if (!isFirstPart || !session.isOpen()) return;
  session.setDeadline(session.now() + session.connection().endpoint->handshakeTimeout);
}

/// False if the request is not read on by this codec.
bool HttpCodec::onHead(CodecSession& session, std::string_view rest) const {
  session.scan() = {};
  const HttpRequest& request = atRest_.request();
  if (!session.takeForwardedClient(request)) {
    refuse(session, 400, "malformed Forwarded header");
    return false;
  }
  const Refusal refusal = session.connection().ticket.refusal;
  if (refusal != Refusal::None) {
    answerRefusal(session, answerTo(refusal));
    return false;
  }
  if (!session.isOpen()) session.open();
  const Endpoint* const webSocket = session.connection().endpoint->other;
  if (webSocket != nullptr && request.hasToken("Upgrade", "websocket")) {
    if (atRest_.isInBody()) {
      refuse(session, 400, "an upgrade has no body");
      return false;
    }
    const RequestReader taken = std::exchange(atRest_, {});
    session.passOnToHandshake(*webSocket);
    static_cast<const WebSocketCodec&>(*webSocket->codec).beginUpgrade(session, taken.request());
    return false;
  }
  if (atRest_.framing().expectsContinue && rest.empty()) {
    session.batch().append(kContinue, session.order());
  }
  return true;
}

void HttpCodec::onRequest(CodecSession& session, const HttpRequest& request) const {
  HttpState& state = stateOrNull(session) == nullptr ? makeState(session) : *stateOrNull(session);
  const std::uint64_t number = ++lastNumber_;
  state.step = Step::Answering;
  state.number = number;
  state.isHead = request.method == "HEAD";
  state.isHttp10 = request.versionMinor == 0;
  state.keepsAlive = !state.closesAfter && !isStopping() && options_.keepAliveTimeout.count() > 0 &&
                     wantsKeepAlive(request);
  if (!session.countMessage() || answerWithoutHandler(session, request)) return;
  callHandler(session, request, number);
}

bool HttpCodec::answerWithoutHandler(CodecSession& session, const HttpRequest& request) const {
  std::optional<FixedAnswer> answer;
  if (pages_.healthPages) answer = healthAnswer(request, problem_ ? problem_() : "");
  if (!answer && isStopping()) {
    answerRefusal(session, kStopping);
    return true;
  }
  if (!answer && !pages_.pages.empty()) answer = pageAnswer(pages_, request);
  if (!answer && !handlesRequests()) answer = noPageAnswer(request);
  if (!answer) return false;
  HttpExchange(session, *stateOrNull(session)).answer(*answer);
  return true;
}

void HttpCodec::callHandler(CodecSession& session, const HttpRequest& request,
                            std::uint64_t number) const {
  ConnectionImpl& connection = session.connection();
  HttpResponse response(connection, PendingResponse(connection.id.packed(), number));
  session.guard([&] { handler_(request, response); });
  if (!session.isUsable()) return;
  const HttpState* const state = stateOrNull(session);
  if (state == nullptr || state->number != number) return;  // answered
  if (response.isLater()) {
    const bool isTimed = state->step == Step::Answering && options_.answerTimeout.count() > 0;
    if (isTimed) session.setDeadline(session.now() + options_.answerTimeout);
    return;
  }
  session.counters().handlerErrors.add();
  log::error("onRequest returned without an answer, and without later() method={} path=\"{}\"",
             request.method, request.path);
  connection.close(CloseCode::InternalError, "internal error");
}

void HttpCodec::onAnswered(CodecSession& session) const {
  const HttpState& state = *stateOrNull(session);
  const bool keepsAlive = state.keepsAlive;
  const bool hasStoppedReading = state.hasStoppedReading;
  giveBackState(session);
  session.counters().messagesOut.add();
  if (!keepsAlive) return session.closeQuietly(CloseCode::Normal);
  session.setDeadline(idleDeadline(session));
  if (feeding_ != &session.connection()) session.feedHeldBack(hasStoppedReading);
}

void HttpCodec::onDrained(CodecSession& session) const {
  const HttpState& state = *stateOrNull(session);
  if (state.step != Step::Draining) return;
  const bool hasStoppedReading = state.hasStoppedReading;
  giveBackState(session);
  session.feedHeldBack(hasStoppedReading);
}

void HttpCodec::onHandshakeTimeout(CodecSession& session) const {
  if (session.scan().searchedBytes > 0) respond(session, 408, "the request took too long");
}

void HttpCodec::onDeadline(CodecSession& session) const {
  HttpState* const state = stateOrNull(session);
  if (state == nullptr && session.scan().searchedBytes == 0) {
    return session.closeQuietly(CloseCode::Normal);
  }
  if (state == nullptr) return refuse(session, 408, "the request took too long");
  if (state->step == Step::Answering && options_.answerTimeout.count() > 0) {
    respond(session, 503, "the answer took too long");
    return session.closeQuietly(CloseCode::InternalError);
  }
  if (!state->isEvents) return session.setDeadline(idleDeadline(session));
  if (session.now() - state->lastWritten >= options_.commentInterval && !session.isFull(0)) {
    HttpExchange(session, *state).comment();
  }
  watchEvents(session, *state);
}

void HttpCodec::watchEvents(CodecSession& session, const HttpState& state) const {
  const bool comments = options_.commentInterval.count() > 0;
  const TimePoint due = state.lastWritten + options_.commentInterval;
  session.setDeadline(comments && due > session.now() ? due : idleDeadline(session));
}

/// Also the time after which a deadline that is no longer due is looked at again.
TimePoint HttpCodec::idleDeadline(const CodecSession& session) const {
  return session.now() + std::max(options_.keepAliveTimeout, std::chrono::milliseconds(1000));
}

bool HttpCodec::closeWhenAnswered(CodecSession& session, bool endsStreams) const {
  HttpState* const state = stateOrNull(session);
  const bool isStream = state != nullptr && state->step == Step::Streaming;
  if (state == nullptr || state->step == Step::Draining || (isStream && endsStreams)) return false;
  state->closesAfter = true;
  state->keepsAlive = false;
  return true;
}

bool HttpCodec::sendClose(CodecSession& session, CloseCode code, std::string_view reason) const {
  const HttpState* const state = stateOrNull(session);
  const bool isReading =
      state == nullptr ? session.scan().searchedBytes > 0 : state->step == Step::Reading;
  const bool owesAnswer = state != nullptr && state->step == Step::Answering;
  if (isReading || owesAnswer) {
    respond(session, statusOf(code, isReading), reason.empty() ? "going away" : reason);
  }
  return false;
}

void HttpCodec::answerRefusal(CodecSession& session, const RefusalAnswer& answer) const {
  respond(session, answer.httpStatus, answer.text,
          {{"Retry-After", std::string(answer.retryAfter)}});
  session.closeQuietly(CloseCode::TryAgainLater);
}

/// Queues an answer of the library, after which the connection must be closed.
void HttpCodec::respond(CodecSession& session, int status, std::string_view text,
                        const std::vector<HttpHeader>& headers) {
  const HttpState* const state = stateOrNull(session);
  session.batch().append(httpResponse(status, "text/plain", std::string(text) + '\n',
                                      state != nullptr && state->isHead, headers),
                         session.order());
}

/// The peer broke the protocol.
void HttpCodec::refuse(CodecSession& session, int status, std::string_view text) {
  session.counters().badPeers.add();
  log::debug("a request is refused remote={} status={} reason=\"{}\"",
             session.connection().remoteAddress(), status, text);
  respond(session, status, text);
  session.closeQuietly(CloseCode::ProtocolError);
}

HttpState& HttpCodec::makeState(CodecSession& session) const {
  session.state() = spares_.take();
  return *stateOrNull(session);
}

void HttpCodec::giveBackState(CodecSession& session) const {
  std::unique_ptr<HttpState> state(static_cast<HttpState*>(session.state().release()));
  if (spares_.size() >= kSparesMax) return;
  state->reset();
  spares_.give(std::move(state));
}

std::string_view HttpCodec::date(TimePoint now) const {
  if (date_.empty() || now != dateRead_) {
    dateRead_ = now;
    const std::time_t seconds = std::time(nullptr);
    if (date_.empty() || seconds != dateSeconds_) date_ = httpDate(seconds);
    dateSeconds_ = seconds;
  }
  return date_;
}

void HttpCodec::encode(Message /*message*/, Variant /*variant*/, Batch& /*batch*/,
                       OutputOrder& /*order*/) const {
  throw std::logic_error("a connection of HTTP has no messages: answer its requests");
}

}  // namespace stormo::net
