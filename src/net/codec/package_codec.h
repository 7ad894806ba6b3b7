#pragma once

#include <stormo/protocol.h>

#include "net/codec/codec.h"

namespace stormo::net {

/// A protocol of three functions (`frame`, `text`, `tcp`, or one of the user) on a connection.
class PackageCodec final : public Codec {
 public:
  /// `protocol` is not websocket.
  explicit PackageCodec(Protocol protocol);

  [[nodiscard]] std::string_view name() const override { return protocol_.name(); }
  void begin(CodecSession& session) const override;
  [[nodiscard]] std::size_t receive(CodecSession& session, std::span<char> bytes) const override;
  void encode(Message message, Variant variant, Batch& batch, OutputOrder& order) const override;
  [[nodiscard]] bool encodesAs(const Codec& other) const override;

 private:
  bool takePackage(CodecSession& session, std::string_view rest, std::size_t& taken) const;

  Protocol protocol_;
  mutable std::string scratch_;
};

}  // namespace stormo::net
