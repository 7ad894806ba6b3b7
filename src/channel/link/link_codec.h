#pragma once

#include <cstddef>
#include <string_view>

#include "net/codec.h"

namespace stormo::channel {

/// Receives the frames of links. Called while the link is being read; the call may close or pause
/// the link.
class FrameSink {
 public:
  /// A frame of `frameBytes` is incomplete; `start` is the beginning of its payload. False: do not
  /// wait for the rest, close the link.
  [[nodiscard]] virtual bool expects(net::ConnectionImpl&, std::size_t /*frameBytes*/,
                                     std::string_view /*start*/) {
    return true;
  }
  /// One whole payload; the view is valid until this returns.
  virtual void onFrame(net::ConnectionImpl& connection, std::string_view payload) = 0;
  /// The peer violated the protocol with a frame whose payload begins with `start`, as far as
  /// received. Logs the reason and closes the link.
  virtual void violation(net::ConnectionImpl& connection, std::string_view reason,
                         std::string_view start) = 0;

 protected:
  ~FrameSink() = default;
};

/// The `frame` protocol on a link to the Channel. A direct implementation of what PackageCodec does
/// for any protocol, because all messages of all processes pass here.
class LinkCodec final : public net::Codec {
 public:
  /// `opensAtOnce`: no handshake. Otherwise the sink opens the connection.
  LinkCodec(FrameSink& sink, bool opensAtOnce) : sink_(sink), opensAtOnce_(opensAtOnce) {}

  [[nodiscard]] std::string_view name() const override { return "frame"; }
  void begin(net::CodecSession& session) const override;
  [[nodiscard]] std::size_t receive(net::CodecSession& session,
                                    std::span<char> bytes) const override;
  void encode(Message message, net::Batch& batch, net::OutputOrder& order) const override;

 private:
  FrameSink& sink_;
  const bool opensAtOnce_;
};

}  // namespace stormo::channel
