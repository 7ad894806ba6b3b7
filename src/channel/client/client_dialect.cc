#include "channel/client/client_dialect.h"

#include <stdexcept>

namespace stormo::channel {
namespace {

[[noreturn]] void refuse(std::string_view name) {
  throw std::logic_error(
      "receipts, retained events and exceptions need a Channel in Stormo's "
      "dialect, and this one is in " +
      std::string(name) + "'s");
}

}  // namespace

PublishStatus ClientDialect::publish(std::string_view, const Value&, Channel::ReceiptHandler) {
  refuse(name());
}

PublishStatus ClientDialect::retain(std::string_view, std::uint64_t, const Value&, std::uint64_t,
                                    Channel::ReceiptHandler) {
  refuse(name());
}

PublishStatus ClientDialect::publishWith(std::string_view group, Message message,
                                         Channel::GroupPublish options) {
  if (!options.except.empty() || options.onReceipt) refuse(name());
  return publishToGroup(group, message, options.send);
}

}  // namespace stormo::channel
