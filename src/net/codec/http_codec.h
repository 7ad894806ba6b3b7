#pragma once

#include <stormo/http.h>
#include <stormo/websocket.h>

#include <ctime>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/spares.h"
#include "net/codec/codec.h"
#include "net/codec/http_state.h"

namespace stormo::net {

/// HTTP/1.1, server side (RFC 9112), on a connection: requests are answered one after the other. A
/// request behind one that is not answered is not parsed. Upgrades are passed on to
/// Endpoint::other, of a WebSocketCodec; without it they are plain requests.
class HttpCodec final : public Codec {
 public:
  using RequestHandler = std::function<void(const HttpRequest&, HttpResponse&)>;

  /// Of `pages` those settings count that are not about WebSocket. `handler`, which may be set
  /// later, outlives this.
  HttpCodec(HttpOptions options, WebSocketOptions pages, const RequestHandler& handler)
      : options_(options), pages_(std::move(pages)), handler_(handler) {}

  /// See WebSocketCodec::reportReadiness(): requests are answered with 503 then, but for health
  /// checks.
  void reportReadiness(std::function<std::string_view()> problem,
                       std::function<bool()> takesNoClients = {}) {
    problem_ = std::move(problem);
    takesNoClients_ = std::move(takesNoClients);
  }

  [[nodiscard]] bool handlesRequests() const { return static_cast<bool>(handler_); }

  [[nodiscard]] std::string_view name() const override { return "http"; }
  [[nodiscard]] std::size_t receive(CodecSession& session, std::span<char> bytes) const override;
  /// Throws std::logic_error: there are no messages.
  void encode(Message message, Variant variant, Batch& batch, OutputOrder& order) const override;
  bool sendClose(CodecSession& session, CloseCode code, std::string_view reason) const override;
  void onDrained(CodecSession& session) const override;
  [[nodiscard]] bool answersRefusals() const override { return true; }
  void answerRefusal(CodecSession& session, const RefusalAnswer& answer) const override;
  void onHandshakeTimeout(CodecSession& session) const override;
  [[nodiscard]] bool keepsDeadlines() const override { return true; }
  void onDeadline(CodecSession& session) const override;
  bool closeWhenAnswered(CodecSession& session, bool endsStreams) const override;
  [[nodiscard]] bool hasMessages() const override { return false; }

  // --- For HttpExchange ---

  /// The answer of the connection's request is queued: the next one is read, or it closes.
  void onAnswered(CodecSession& session) const;
  /// The value of the header Date.
  [[nodiscard]] std::string_view date(TimePoint now) const;
  /// An empty string, for output that is put together.
  [[nodiscard]] std::string& scratch() const {
    scratch_.clear();
    return scratch_;
  }
  /// A silent stream of events is due for a comment.
  void watchEvents(CodecSession& session, const HttpState& state) const;

 private:
  [[nodiscard]] bool takeNext(CodecSession& session, std::string_view& rest) const;
  void onIncomplete(CodecSession& session, std::size_t bytesLeft) const;
  [[nodiscard]] bool onHead(CodecSession& session, std::string_view rest) const;
  void onRequest(CodecSession& session, const HttpRequest& request) const;
  void callHandler(CodecSession& session, const HttpRequest& request, std::uint64_t number) const;
  [[nodiscard]] bool answerWithoutHandler(CodecSession& session, const HttpRequest& request) const;
  HttpState& makeState(CodecSession& session) const;
  void giveBackState(CodecSession& session) const;
  static void respond(CodecSession& session, int status, std::string_view text,
                      const std::vector<HttpHeader>& headers = {});
  static void refuse(CodecSession& session, int status, std::string_view text);
  [[nodiscard]] bool isStopping() const { return takesNoClients_ && takesNoClients_(); }
  [[nodiscard]] TimePoint idleDeadline(const CodecSession& session) const;

  HttpOptions options_;
  WebSocketOptions pages_;
  const RequestHandler& handler_;
  std::function<std::string_view()> problem_;
  std::function<bool()> takesNoClients_;

  mutable RequestReader atRest_;                     // for connections that hold no part of a body
  mutable const ConnectionImpl* feeding_ = nullptr;  // that receive() was called for
  mutable Spares<HttpState> spares_;
  mutable std::uint64_t lastNumber_ = 0;
  mutable std::string scratch_;
  mutable std::string date_;
  mutable std::time_t dateSeconds_ = 0;
  mutable TimePoint dateRead_{};
};

}  // namespace stormo::net
