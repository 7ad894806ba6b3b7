#pragma once

#include <stormo/http_request.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "protocol/http/request_framing.h"

namespace stormo {

/// Reads the requests of one connection, one after the other: a head, which must arrive as a whole,
/// then its body, in any pieces. Refuses what two parsers could read in two ways (see
/// judgeFraming()), and chunks with long extensions.
class RequestReader {
 public:
  struct Limits {
    std::size_t headBytesMax;
    std::uint64_t bodyBytesMax;
  };

  enum class Event {
    NeedMore,  ///< Nothing more can be taken: more bytes must come.
    Head,      ///< request() is valid, but for its body. next() reads on.
    Request,   ///< request() is whole.
    Refused,   ///< The connection cannot be used: refusal() states how to answer.
  };

  struct Refusal {
    int status = 0;           ///< 400, 413, 417, 431 or 501.
    const char* reason = "";  ///< A literal.
  };

  RequestReader();
  ~RequestReader();
  RequestReader(RequestReader&&) noexcept;
  RequestReader& operator=(RequestReader&&) noexcept;

  /// Takes bytes from the front of `in`. After Head and Request the next call reads on: what was
  /// returned for the request is valid until then. The bytes of an incomplete head, or of an
  /// incomplete line between chunks, are not taken and must come again. `judged`: the number of
  /// bytes of `in` to which the last call returned NeedMore for an incomplete head.
  ///
  /// The work is proportional to the bytes, however they arrive: an incomplete head is parsed again
  /// only when its length has doubled, and what is not taken of a chunked body is bounded.
  [[nodiscard]] Event next(std::string_view& in, const Limits& limits, std::size_t judged = 0);

  /// Between two requests, or within a head.
  [[nodiscard]] bool isAtRest() const { return step_ == Step::Head; }
  /// A head was read, and its body is not whole.
  [[nodiscard]] bool isInBody() const { return step_ == Step::Body; }
  [[nodiscard]] const HttpRequest& request() const { return request_; }
  [[nodiscard]] const RequestFraming& framing() const { return framing_; }
  [[nodiscard]] const Refusal& refusal() const { return refusal_; }
  /// What an incomplete request holds in memory, about.
  [[nodiscard]] std::size_t heldBytes() const;

 private:
  class Chunks;
  enum class Step : std::uint8_t { Head, Body, Whole };

  Event nextHead(std::string_view& in, const Limits& limits, std::size_t judged);
  Event takeBody(std::string_view& in);
  Event takeChunks(std::string_view& in);
  Event refuse(int status, const char* reason);

  Step step_ = Step::Head;
  HttpRequest request_;
  RequestFraming framing_;
  Refusal refusal_;
  std::size_t headBytes_ = 0;
  std::unique_ptr<Chunks> chunks_;  // of a chunked body
};

}  // namespace stormo
