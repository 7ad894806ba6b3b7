#include "net/codec/http_exchange.h"

#include <stdexcept>
#include <string>

#include "protocol/http/server_sent_event.h"
#include "protocol/text/ascii.h"

namespace stormo::net {
namespace {

constexpr std::string_view kContentType = "Content-Type";

}  // namespace

std::optional<HttpExchange> HttpExchange::find(ConnectionId connection, std::uint64_t request) {
  ConnectionImpl* const found = ConnectionTable::current().find(connection);
  if (found == nullptr || request == 0) return std::nullopt;
  HttpState* const state = HttpState::of(found->codecState.get());
  if (state == nullptr || state->number != request) return std::nullopt;
  return HttpExchange(CodecSession(*found), *state);
}

bool HttpExchange::setStatus(int status) {
  if (status < 200 || status > 599) {
    throw std::invalid_argument("a request is answered with a status from 200 to 599, not " +
                                std::to_string(status));
  }
  if (!hasBegun()) state_.status = status;
  return !hasBegun();
}

bool HttpExchange::addHeader(std::string_view name, std::string_view value) {
  if (const char* const complaint = complaintOfResponseHeader(name, value)) {
    throw std::invalid_argument("the header '" + std::string(name) + "' " + complaint);
  }
  if (hasBegun()) return false;
  if (equalsIgnoringCase(name, kContentType)) state_.hasContentType = true;
  appendHeaderLine(name, value, state_.headers);
  return true;
}

SendStatus HttpExchange::write(std::string_view part) {
  if (session_.isFull(part.size())) {
    session_.noteFull();
    return SendStatus::Full;
  }
  std::string& out = codec().scratch();
  if (!hasBegun()) {
    state_.hasBody = !isBodiless(state_.status) && !state_.isHead;
    if (state_.isHttp10)
      state_.keepsAlive = false;  // the end of the body is that of the connection
    const auto framing = isBodiless(state_.status) ? ResponseFraming::None
                         : state_.isHttp10         ? ResponseFraming::Close
                                                   : ResponseFraming::Chunked;
    appendHead(framing, 0, out);
    state_.step = HttpState::Step::Streaming;
  }
  sendPart(part, out);
  return SendStatus::Queued;
}

void HttpExchange::end(std::string_view last) {
  std::string& out = codec().scratch();
  if (hasBegun()) {
    sendPart(last, out);
    if (state_.hasBody && !state_.isHttp10) send(kLastChunk);
  } else {
    const bool hasNone = isBodiless(state_.status);
    if (last.empty()) state_.hasContentType = true;  // none is needed
    appendHead(hasNone ? ResponseFraming::None : ResponseFraming::Length, last.size(), out);
    send(out);
    if (!hasNone && !state_.isHead) send(last);
  }
  codec().onAnswered(session_);
}

void HttpExchange::answer(const FixedAnswer& answer) {
  state_.status = answer.status;
  state_.hasContentType = !answer.contentType.empty();
  if (state_.hasContentType) appendHeaderLine(kContentType, answer.contentType, state_.headers);
  for (const HttpHeader& header : answer.headers) {
    if (complaintOfResponseHeader(header.name, header.value) != nullptr) continue;
    appendHeaderLine(header.name, header.value, state_.headers);
  }
  end(answer.body);
}

void HttpExchange::beginEvents() {
  if (hasBegun()) return;
  state_.status = 200;
  state_.hasContentType = true;
  appendHeaderLine(kContentType, "text/event-stream", state_.headers);
  appendHeaderLine("Cache-Control", "no-store", state_.headers);
  state_.isEvents = true;
  static_cast<void>(write({}));  // the head: a queue that is full is not read from
  codec().watchEvents(session_, state_);
}

void HttpExchange::comment() {
  std::string text;
  appendEventComment({}, text);
  static_cast<void>(write(text));
}

void HttpExchange::appendHead(ResponseFraming framing, std::uint64_t bodyBytes, std::string& out) {
  const bool namesType = framing != ResponseFraming::None && !state_.hasContentType;
  std::string_view connection;
  if (!state_.keepsAlive) connection = "close";
  if (state_.keepsAlive && state_.isHttp10) connection = "keep-alive";
  appendResponseHead({.status = state_.status,
                      .framing = framing,
                      .bodyBytes = bodyBytes,
                      .contentType = namesType ? "text/plain; charset=utf-8" : "",
                      .connection = connection,
                      .date = codec().date(session_.now()),
                      .headers = state_.headers},
                     out);
}

/// Behind what is in `out`.
void HttpExchange::sendPart(std::string_view part, std::string& out) {
  if (!state_.hasBody) part = {};
  const bool isChunk = !part.empty() && !state_.isHttp10;
  if (isChunk) appendChunkSize(part.size(), out);
  send(out);
  send(part);
  if (isChunk) send(kChunkEnd);
}

void HttpExchange::send(std::string_view bytes) {
  if (bytes.empty()) return;
  session_.batch().append(bytes, session_.order());
  state_.lastWritten = session_.now();
}

}  // namespace stormo::net
