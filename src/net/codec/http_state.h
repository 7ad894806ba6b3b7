#pragma once

#include <cstdint>
#include <string>

#include "net/codec/codec_session.h"
#include "protocol/http/request_reader.h"

namespace stormo::net {

/// What a connection keeps while it has a request: none between two.
struct HttpState final : CodecState {
  enum class Step : std::uint8_t {
    Reading,    ///< The body is not whole.
    Answering,  ///< The program has the request; nothing of the answer was sent.
    Streaming,  ///< The head of the answer was sent.
    Draining,   ///< There is no request: earlier answers must leave first.
  };

  Step step = Step::Reading;
  bool isHead : 1 = false;             ///< The request's method: there is no body.
  bool isHttp10 : 1 = false;           ///< The request's version.
  bool keepsAlive : 1 = false;         ///< The connection stays open after the answer.
  bool closesAfter : 1 = false;        ///< This program wants it closed then.
  bool hasStoppedReading : 1 = false;  ///< By CodecSession::holdBack().
  bool hasContentType : 1 = false;     ///< In `headers`.
  bool isEvents : 1 = false;           ///< A stream of server-sent events.
  bool hasBody : 1 = false;            ///< Streaming: parts are sent, not dropped.
  int status = 200;
  std::uint64_t number = 0;  ///< Of the request; no other one of the codec has it. 0: none yet.
  std::string headers;       ///< Lines of the answer's head.
  TimePoint lastWritten{};
  RequestReader reader;  ///< While Reading.

  [[nodiscard]] std::size_t heldBytes() const override { return reader.heldBytes(); }
  [[nodiscard]] bool awaitsProgram() const override { return step != Step::Reading; }

  void reset() {
    std::string kept = std::move(headers);
    *this = HttpState();
    kept.clear();
    headers = std::move(kept);
  }

  /// Null for other codecs.
  static HttpState* of(CodecState* state) { return dynamic_cast<HttpState*>(state); }
};

}  // namespace stormo::net
