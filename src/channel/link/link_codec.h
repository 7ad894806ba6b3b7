#pragma once

#include <cstddef>
#include <string_view>

#include "net/codec.h"

namespace stormo::channel {

/// Takes the frames of links. Called while the link is being read; it may be closed or paused
/// there.
class FrameSink {
 public:
  /// A frame of `frameBytes` is on its way, of whose payload `start` is there. False: it is not
  /// worth waiting for, and the link is closed.
  [[nodiscard]] virtual bool expects(net::ConnectionImpl&, std::size_t /*frameBytes*/,
                                     std::string_view /*start*/) {
    return true;
  }
  /// One whole payload, a view valid until this returns.
  virtual void onFrame(net::ConnectionImpl& peer, std::string_view payload) = 0;
  /// The peer broke the protocol with a frame whose payload begins with `start`, as far as it is
  /// there: logs the reason, and closes the link.
  virtual void violation(net::ConnectionImpl& peer, std::string_view reason,
                         std::string_view start) = 0;

 protected:
  ~FrameSink() = default;
};

/// The `frame` protocol on a link of the Channel. What PackageCodec does for any protocol, this
/// does for one, with nothing in between: all messages of all processes pass here.
class LinkCodec final : public net::Codec {
 public:
  /// `opensAtOnce`: no handshake; otherwise the sink opens the connection.
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
