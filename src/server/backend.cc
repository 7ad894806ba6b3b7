#include <stormo/backend.h>
#include <stormo/channel.h>
#include <stormo/json.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "server/control.h"
#include "server/control_values.h"

namespace stormo {

using namespace server;

namespace {

constexpr std::size_t kReasonBytesMax = 123;  // RFC 6455 5.5: with the code, 125 bytes
constexpr std::size_t kInfoBytesMax = 4096;
constexpr std::int64_t kUntilMax = 9'000'000'000;  // in 2255; a time_point ends in 2262

/// RFC 6455 7.4.2; those that state what was received, or was not, are never sent.
void checkCloseCode(CloseCode code) {
  const auto number = static_cast<std::uint16_t>(code);
  const bool isOfTheProtocol = number >= 1000 && number <= 1014 && number != 1004 &&
                               code != CloseCode::NoStatus && code != CloseCode::Abnormal;
  if (isOfTheProtocol || (number >= 3000 && number <= 4999)) return;
  throw std::invalid_argument("the close code " + std::to_string(number) +
                              " must not be sent: use 1000, 1008, or 3000 to 4999");
}

void checkGroup(std::string_view group) { static_cast<void>(Audience::group(group)); }

}  // namespace

struct Backend::Impl {
  explicit Impl(Channel& to) : channel(to) {}

  PublishStatus command(const Value& value, DoneHandler onDone) const {
    return channel.publish(kControlEvent, value, std::move(onDone));
  }

  /// Asks all processes, and calls `onReply` with what `merge` makes of their replies.
  template <typename Made, typename Merge>
  void ask(const Value& question, std::chrono::milliseconds timeout, Merge merge,
           std::function<void(const Result<Made>&)> onReply) const {
    channel.requestAll(
        kQuestionEvent, question, timeout,
        [merge = std::move(merge), onReply = std::move(onReply)](const Result<Replies>& replies) {
          if (!replies) return onReply(replies.error());
          onReply(merge(replies.value()));
        });
  }

  Channel& channel;
};

Backend::Backend(Channel& channel) : impl_(std::make_unique<Impl>(channel)) {}
Backend::~Backend() = default;

PublishStatus Backend::send(const Audience& to, Message message, DoneHandler onDone) {
  return send(to, message, SendOptions{}, std::move(onDone));
}

PublishStatus Backend::send(const Audience& to, Message message, const SendOptions& options,
                            DoneHandler onDone) {
  const std::string except = exceptionsText(options.except);
  return impl_->channel.publishToGroup(
      to.channelName(), message,
      Channel::GroupPublish{.except = except, .send = options.id, .onReceipt = std::move(onDone)});
}

PublishStatus Backend::join(const Audience& who, std::string_view group, DoneHandler onDone) {
  checkGroup(group);
  return impl_->command(commandFor(who, "join").set("group", group), std::move(onDone));
}

PublishStatus Backend::leave(const Audience& who, std::string_view group, DoneHandler onDone) {
  checkGroup(group);
  return impl_->command(commandFor(who, "leave").set("group", group), std::move(onDone));
}

PublishStatus Backend::disconnect(const Audience& who, CloseCode code, std::string_view reason,
                                  DoneHandler onDone) {
  checkCloseCode(code);
  if (reason.size() > kReasonBytesMax) {
    throw std::invalid_argument("a reason may have " + std::to_string(kReasonBytesMax) + " bytes");
  }
  return impl_->command(commandFor(who, "disconnect")
                            .set("code", static_cast<std::uint16_t>(code))
                            .set("reason", reason),
                        std::move(onDone));
}

PublishStatus Backend::setInfo(const Audience& who, std::string_view info, DoneHandler onDone) {
  if (info.size() > kInfoBytesMax) {
    throw std::invalid_argument("the info may have " + std::to_string(kInfoBytesMax) + " bytes");
  }
  if (!info.empty()) {
    const auto value = parseJson(info);
    if (!value || !value->isObject()) {
      throw std::invalid_argument("the info must be the JSON text of an object");
    }
  }
  return impl_->command(commandFor(who, "info").set("info", info), std::move(onDone));
}

PublishStatus Backend::revoke(const Revocation& revocation, DoneHandler onDone) {
  const Value value = revocationValue(revocation);
  const std::chrono::seconds seconds(std::min(revocation.until, kUntilMax));
  const std::chrono::system_clock::time_point until{seconds};
  return impl_->channel.retain(kRevocationEvent, revocationKey(revocation), value, until,
                               std::move(onDone));
}

void Backend::groups(const Page& page, std::function<void(const Result<Counts>&)> onReply) {
  impl_->ask<Counts>(
      questionFor("groups", page), timeout,
      [limit = page.limit](const Replies& replies) { return mergeCounts(replies, limit); },
      std::move(onReply));
}

void Backend::users(const Page& page, std::function<void(const Result<Counts>&)> onReply) {
  impl_->ask<Counts>(
      questionFor("users", page), timeout,
      [limit = page.limit](const Replies& replies) { return mergeCounts(replies, limit); },
      std::move(onReply));
}

void Backend::clients(const Audience& of, const Page& page,
                      std::function<void(const Result<Clients>&)> onReply) {
  Value question = questionFor("clients", page);
  addAudience(of, question);
  impl_->ask<Clients>(
      question, timeout,
      [limit = page.limit](const Replies& replies) { return mergeClients(replies, limit); },
      std::move(onReply));
}

void Backend::totals(std::function<void(const Result<Totals>&)> onReply) {
  impl_->ask<Totals>(Value::array({{"ask", "totals"}}), timeout, mergeTotals, std::move(onReply));
}

}  // namespace stormo
