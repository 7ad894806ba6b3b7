// Stormo's dialect: what becomes of single publishes.
#include <algorithm>
#include <stdexcept>
#include <utility>

#include "channel/client/client_link.h"
#include "channel/client/stormo_dialect.h"
#include "protocol/php/serialize.h"

namespace stormo::channel {

PublishStatus StormoDialect::publish(std::string_view event, const Value& data,
                                     Channel::ReceiptHandler onReceipt) {
  const PublishStatus status = publishFrames(
      {std::string(event)}, data, {.kind = Kind::Publish, .receipt = static_cast<bool>(onReceipt)});
  if (status == PublishStatus::Accepted) awaitReceipt(std::move(onReceipt));
  return status;
}

PublishStatus StormoDialect::retain(std::string_view event, std::uint64_t key, const Value& data,
                                    std::uint64_t until, Channel::ReceiptHandler onReceipt) {
  const PublishStatus status = publishFrames(
      {std::string(event)}, data,
      {.kind = Kind::Retain, .receipt = static_cast<bool>(onReceipt), .key = key, .until = until});
  if (status == PublishStatus::Accepted) awaitReceipt(std::move(onReceipt));
  return status;
}

PublishStatus StormoDialect::publishWith(std::string_view name, Message message,
                                         Channel::GroupPublish options) {
  if (options.except.size() > kExceptBytesMax) return PublishStatus::Refused;
  Packet publish = groupPublish(name, message, options.send);
  publish.except = options.except;
  publish.receipt = static_cast<bool>(options.onReceipt);
  const PublishStatus status = publishFrame(publish);
  if (status == PublishStatus::Accepted) awaitReceipt(std::move(options.onReceipt));
  return status;
}

void StormoDialect::awaitReceipt(Channel::ReceiptHandler onReceipt) {
  if (onReceipt) receipts_.push_back({sequence_, std::move(onReceipt)});
}

void StormoDialect::onReceiptPacket(const Packet& packet) {
  if (packet.sequence == 0 || packet.sequence > sequence_) {
    return link().violation("a Receipt for what was not published");
  }
  endReceipt(packet.sequence, Receipt{.position = {packet.epoch, packet.offset},
                                      .isDuplicate = packet.duplicate,
                                      .receivers = packet.receivers});
}

void StormoDialect::endReceipt(std::uint64_t sequence, const Result<Receipt>& receipt) {
  const auto found = std::ranges::lower_bound(receipts_, sequence, {}, &AwaitedReceipt::sequence);
  if (found == receipts_.end() || found->sequence != sequence) return;
  const Channel::ReceiptHandler onReceipt = std::move(found->onReceipt);
  receipts_.erase(found);
  link().call("onReceipt", onReceipt, receipt);
}

}  // namespace stormo::channel
