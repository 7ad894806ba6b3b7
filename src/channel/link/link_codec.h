#pragma once

#include <cstddef>
#include <string_view>

#include "net/codec/codec.h"

namespace stormo::channel {

/// Receives the frames of links, while the link is being read. It may close or pause the link.
class FrameSink {
 public:
  /// A frame of `frameBytes` has begun to arrive; `start` is what has arrived of its payload.
  /// False: the frame is not accepted, and the link is closed.
  [[nodiscard]] virtual bool expects(net::ConnectionImpl&, std::size_t /*frameBytes*/,
                                     std::string_view /*start*/) {
    return true;
  }
  /// One whole payload, a view that is valid until this returns.
  virtual void onFrame(net::ConnectionImpl& link, std::string_view payload) = 0;
  /// The peer broke the protocol with a frame whose payload begins with `start`, of which some
  /// bytes may not have arrived: logs the reason, and closes the link.
  virtual void violation(net::ConnectionImpl& link, std::string_view reason,
                         std::string_view start) = 0;

 protected:
  ~FrameSink() = default;
};

/// The `frame` protocol on a link of the Channel. It does for one protocol what PackageCodec does
/// for any, with fewer calls: all messages of all processes pass here.
class LinkCodec final : public net::Codec {
 public:
  /// `opensAtOnce`: there is no handshake. Otherwise the sink opens the connection.
  LinkCodec(FrameSink& sink, bool opensAtOnce) : sink_(sink), opensAtOnce_(opensAtOnce) {}

  [[nodiscard]] std::string_view name() const override { return "frame"; }
  void begin(net::CodecSession& session) const override;
  [[nodiscard]] std::size_t receive(net::CodecSession& session,
                                    std::span<char> bytes) const override;
  void encode(Message message, net::Variant variant, net::Batch& batch,
              net::OutputOrder& order) const override;

 private:
  FrameSink& sink_;
  const bool opensAtOnce_;
};

}  // namespace stormo::channel
