#pragma once

#include <stormo/websocket.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "net/codec/codec.h"
#include "net/codec/deflate_streams.h"
#include "net/codec/mask_keys.h"
#include "protocol/websocket/decoder.h"

namespace stormo::net {

/// The messages of a WebSocket connection after its handshake (RFC 6455 5 to 7, RFC 7692): the same
/// for a server and a client, but that a client masks what it sends.
class WebSocketMessages : public Codec {
 public:
  [[nodiscard]] std::string_view name() const final { return "websocket"; }
  void encode(Message message, Variant variant, Batch& batch, OutputOrder& order) const final;
  void encodeNext(CodecSession& session, Message message) const final;
  bool sendClose(CodecSession& session, CloseCode code, std::string_view reason) const override;
  bool ping(CodecSession& session) const final;
  [[nodiscard]] bool mayInflate() const final { return deflate_.enabled; }
  void onDrained(CodecSession& session) const final;

 protected:
  /// `peer` is the side whose frames are received.
  WebSocketMessages(websocket::Sender peer, const DeflateOptions& deflate);

  /// See Codec::receive(), for a connection that is open.
  std::size_t receiveMessages(CodecSession& session, std::span<char> bytes) const;
  /// The handshake has agreed on compression: of what is sent, with this window.
  static void compress(CodecSession& session, int windowBits, bool keepsInputContext,
                       bool keepsOutputContext);
  /// Frees the state of a connection that needs none.
  static void dropStateAtRest(CodecSession& session);

  DeflateOptions deflate_;

 private:
  [[nodiscard]] websocket::Limits limitsOf(const CodecSession& session) const;
  void onEvent(CodecSession& session, const websocket::Decoded& decoded) const;
  void onCompressed(CodecSession& session, const websocket::Decoded& decoded) const;
  void answerPing(CodecSession& session, std::string_view payload) const;
  void control(CodecSession& session, websocket::Opcode opcode, std::string_view payload) const;
  void append(websocket::Opcode opcode, std::string_view payload, Batch& batch, OutputOrder& order,
              bool compressed = false) const;

  const websocket::Sender peer_;
  const std::unique_ptr<MaskKeys> keys_;  // null for a server, which masks nothing
  mutable websocket::Decoder atRest_;     // for connections that hold no partial message
  mutable std::string lastPing_;          // the latest of one read
  mutable DeflateStreams streams_;
};

}  // namespace stormo::net
