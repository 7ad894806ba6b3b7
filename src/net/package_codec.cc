#include "net/package_codec.h"

#include <algorithm>

#include "base/assert.h"
#include "net/connection_table.h"

namespace stormo::net {

PackageCodec::PackageCodec(Protocol protocol) : protocol_(std::move(protocol)) {
  STORMO_ASSERT(!protocol_.isWebSocket());
}

void PackageCodec::begin(ConnectionImpl& peer) const { peer.table.open(peer); }

std::size_t PackageCodec::receive(ConnectionImpl& peer, std::span<char> bytes) const {
  const std::string_view all(bytes.data(), bytes.size());
  std::size_t taken = 0;
  peer.table.guard(peer, [&] {  // the protocol may be the user's own, and throw
    while (taken < all.size() && takePackage(peer, all.substr(taken), taken) &&
           peer.table.spendOnFrame()) {
    }
  });
  return taken;
}

/// Hands on the package at the front of `rest`. False if it is not whole, or none can be taken any
/// more.
bool PackageCodec::takePackage(ConnectionImpl& peer, std::string_view rest,
                               std::size_t& taken) const {
  if (!peer.isUsable() || peer.receivePaused) return false;
  // Not one byte more is looked at than a package may have. Of `tcp`, all that is seen is a
  // package.
  const std::string_view seen = rest.substr(0, peer.endpoint->packageBytesMax);
  if (peer.expectedBytes == 0) {
    const std::ptrdiff_t answer = protocol_.input(seen, peer.searchedBytes);
    if (answer < 0) {
      peer.table.refuse(peer, CloseCode::ProtocolError, "invalid package");
      return false;
    }
    peer.expectedBytes = static_cast<std::size_t>(answer);
    peer.searchedBytes = seen.size();
  }
  const std::size_t length = peer.expectedBytes;
  const bool isWhole = length > 0 && length <= seen.size();
  if (!isWhole) {
    const bool isTooBig = std::max(length, seen.size() + 1) > peer.endpoint->packageBytesMax;
    if (isTooBig) peer.table.refuse(peer, CloseCode::TooBig, "package too big");
    return false;  // the rest of it is still to come
  }
  peer.expectedBytes = peer.searchedBytes = 0;
  peer.table.deliver(peer, Message(protocol_.decode(rest.substr(0, length)), MessageType::Binary));
  taken += length;
  return true;
}

void PackageCodec::encode(Message message, Batch& batch, OutputOrder& order) const {
  scratch_.clear();
  protocol_.encode(message.data, scratch_);
  batch.append(scratch_, order);
}

bool PackageCodec::encodesAs(const Codec& other) const {
  const auto* cutter = dynamic_cast<const PackageCodec*>(&other);
  return cutter != nullptr && cutter->protocol_ == protocol_;
}

}  // namespace stormo::net
