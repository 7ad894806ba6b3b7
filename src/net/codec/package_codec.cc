#include "net/codec/package_codec.h"

#include <algorithm>

#include "base/assert.h"
#include "net/codec/codec_session.h"

namespace stormo::net {

PackageCodec::PackageCodec(Protocol protocol) : protocol_(std::move(protocol)) {
  STORMO_ASSERT(!protocol_.isWebSocket() && !protocol_.isHttp());
}

void PackageCodec::begin(CodecSession& session) const { session.open(); }

std::size_t PackageCodec::receive(CodecSession& session, std::span<char> bytes) const {
  const std::string_view all(bytes.data(), bytes.size());
  std::size_t taken = 0;
  session.guard([&] {  // the protocol may be the user's own, and throw
    while (taken < all.size() && takePackage(session, all.substr(taken), taken) &&
           session.spendOnFrame()) {
    }
  });
  return taken;
}

/// Delivers the package at the front of `rest`. False if it is not whole, or if no package can be
/// taken now.
bool PackageCodec::takePackage(CodecSession& session, std::string_view rest,
                               std::size_t& taken) const {
  if (!session.isUsable() || session.isPaused()) return false;
  // No byte beyond the maximum size of a package is examined. With `tcp`, these bytes are a
  // package.
  const std::string_view seen = rest.substr(0, session.messageBytesMax());
  if (session.scan().expectedBytes == 0) {
    const std::ptrdiff_t answer = protocol_.input(seen, session.scan().searchedBytes);
    if (answer < 0) {
      session.refuse(CloseCode::ProtocolError, "invalid package");
      return false;
    }
    session.scan().expectedBytes = static_cast<std::size_t>(answer);
    session.scan().searchedBytes = seen.size();
  }
  const std::size_t length = session.scan().expectedBytes;
  const bool isWhole = length > 0 && length <= seen.size();
  if (!isWhole) {
    const bool isTooBig = std::max(length, seen.size() + 1) > session.messageBytesMax();
    if (isTooBig) session.refuse(CloseCode::TooBig, "package too big");
    return false;  // the rest of it is still to come
  }
  session.scan().expectedBytes = session.scan().searchedBytes = 0;
  session.deliver(Message(protocol_.decode(rest.substr(0, length)), MessageType::Binary));
  taken += length;
  return true;
}

void PackageCodec::encode(Message message, Variant /*variant*/, Batch& batch,
                          OutputOrder& order) const {
  scratch_.clear();
  protocol_.encode(message.data, scratch_);
  batch.append(scratch_, order);
}

bool PackageCodec::encodesAs(const Codec& other) const {
  const auto* cutter = dynamic_cast<const PackageCodec*>(&other);
  return cutter != nullptr && cutter->protocol_ == protocol_;
}

}  // namespace stormo::net
