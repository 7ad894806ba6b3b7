#include <stormo/channel.h>

#include <algorithm>
#include <map>
#include <stdexcept>
#include <utility>
#include <vector>

#include "base/keyed_hash.h"
#include "channel/client/client_jobs.h"
#include "channel/client/client_link.h"
#include "channel/client/job_desk.h"
#include "channel/client/own_channel.h"
#include "channel/client/requests.h"
#include "protocol/channel/dialect.h"

namespace stormo {
namespace {

using channel::ClientLink;

/// Shared, so that a handler may be replaced or forgotten while it runs.
using SharedHandler = std::shared_ptr<const Channel::EventHandler>;

/// The connected Channels of this thread. Never destroyed, as a Channel may be a static object.
std::vector<ClientLink*>& linksHere() {
  thread_local auto* const kLinks = new std::vector<ClientLink*>;
  return *kLinks;
}

void checkName(std::string_view name) {
  if (channel::isChannelName(name)) return;
  throw std::invalid_argument("a name on the Channel must have 1 to 255 bytes, not " +
                              std::to_string(name.size()));
}

const std::vector<std::string>& checked(const channel::Names& names) {
  if (names.all().empty()) throw std::invalid_argument("no name is given");
  for (const std::string& name : names.all()) checkName(name);
  return names.all();
}

std::unique_ptr<ClientLink> linkFor(const std::string& url, ChannelOptions options) {
  if (!url.empty()) return std::make_unique<ClientLink>(url, std::move(options));
  const channel::OwnChannel& own = channel::ownChannel();
  if (own.url.empty()) {
    throw std::logic_error(
        "a Channel without a URL is that of its program, which declares no channel::Server");
  }
  if (options.secret.empty()) options.secret = own.secret;
  options.frameBytesMax = own.frameBytesMax;
  return std::make_unique<ClientLink>(own.url, std::move(options));
}

}  // namespace

struct Channel::Impl {
  Impl(Channel& owner, std::string address, ChannelOptions with)
      : channel(owner), url(std::move(address)), options(std::move(with)) {}

  ~Impl() {
    jobs->use(nullptr);
    if (link != nullptr) std::erase(linksHere(), link.get());
  }

  ClientLink& connectedLink() {
    if (link == nullptr) throw std::logic_error("a Channel is used before its connect()");
    return *link;
  }

  void start() {
    link = linkFor(url, options);
    linksHere().push_back(link.get());
    link->onEvent = [this](std::string_view event, const Value& data) { onEvent(event, data); };
    link->onJob = [this](std::uint64_t number, std::string_view queue, const Value& data) {
      jobs->onJob(number, queue, data);
    };
    link->onGroupMessage = [this](const GroupMessage& message) {
      forEachListener([&](channel::Listener& each) { each.onGroupMessage(message); });
      if (channel.onGroupMessage) channel.onGroupMessage(message);
    };
    link->onRejected = [this](std::uint64_t number, std::string_view reason) {
      forEachListener([&](channel::Listener& each) { each.onRejected(number, reason); });
      if (channel.onRejected) channel.onRejected(number, reason);
    };
    link->onConnect = notify(&channel::Listener::onConnect, channel.onConnect);
    link->onClose = notify(&channel::Listener::onClose, channel.onClose);
    link->onDrain = notify(&channel::Listener::onDrain, channel.onDrain);
    link->onAcknowledged = notify(&channel::Listener::onAcknowledged, channel.onAcknowledged);
    link->onGap = notify(&channel::Listener::onGap, channel.onGap);

    std::vector<std::string> names;
    for (const auto& [event, handler] : events) names.push_back(event);
    if (!names.empty()) link->subscribe(names);
    for (const auto& [group, count] : groups) link->dialect().subscribeGroup(group);
    jobs->use(link.get());
  }

  std::function<void()> notify(void (channel::Listener::*call)(),
                               const std::function<void()>& own) {
    return [this, call, &own] {
      forEachListener([&](channel::Listener& each) { (each.*call)(); });
      if (own) own();
    };
  }

  void onEvent(std::string_view event, const Value& data) {
    const auto found = events.find(event);
    if (found != events.end() && found->second != nullptr) {
      const SharedHandler handler = found->second;
      (*handler)(data);
    } else if (channel.onEvent) {
      channel.onEvent(event, data);
    }
  }

  template <typename Call>
  void forEachListener(const Call& call) {
    // By index: a listener may add another one.
    for (std::size_t i = 0; i < listeners.size(); ++i) call(*listeners[i]);
  }

  Channel& channel;
  const std::string url;
  const ChannelOptions options;
  std::unique_ptr<ClientLink> link;  // from the first connect() on
  std::map<std::string, SharedHandler, std::less<>> events;
  KeyedMap<std::string, std::size_t> groups;  // and how often each was subscribed
  std::shared_ptr<channel::JobDesk> jobs = std::make_shared<channel::JobDesk>();
  channel::Requests requests{channel};
  std::vector<channel::Listener*> listeners;
};

Channel::Channel(std::string url, ChannelOptions options)
    : impl_(std::make_unique<Impl>(*this, std::move(url), std::move(options))) {}
Channel::~Channel() = default;

void Channel::connect() {
  if (impl_->link == nullptr) impl_->start();
  impl_->link->connect();
}

void Channel::close() {
  if (impl_->link != nullptr) impl_->link->close();
}

bool Channel::isConnected() const { return impl_->link != nullptr && impl_->link->isConnected(); }

void Channel::subscribe(const Names& events, EventHandler handler) {
  const auto shared = std::make_shared<const EventHandler>(std::move(handler));
  for (const std::string& event : checked(events)) {
    if (*shared) {
      impl_->events.insert_or_assign(event, shared);
    } else {
      impl_->events.try_emplace(event);
    }
  }
  if (impl_->link != nullptr) impl_->link->subscribe(events.all());
}

void Channel::unsubscribe(const Names& events) {
  for (const std::string& event : checked(events)) impl_->events.erase(event);
  if (impl_->link != nullptr) impl_->link->unsubscribe(events.all());
}

PublishStatus Channel::publish(const Names& events, const Value& data) {
  return impl_->connectedLink().dialect().publish(checked(events), data, false);
}

PublishStatus Channel::publish(std::string_view event, const Value& data,
                               ReceiptHandler onReceipt) {
  checkName(event);
  return impl_->connectedLink().dialect().publish(event, data, std::move(onReceipt));
}

PublishStatus Channel::retain(std::string_view event, std::uint64_t key, const Value& data,
                              std::chrono::system_clock::time_point until,
                              ReceiptHandler onReceipt) {
  checkName(event);
  const auto untilMs =
      std::chrono::duration_cast<std::chrono::milliseconds>(until.time_since_epoch()).count();
  return impl_->connectedLink().dialect().retain(
      event, key, data, static_cast<std::uint64_t>(std::max<std::int64_t>(untilMs, 0)),
      std::move(onReceipt));
}

PublishStatus Channel::publishToOne(const Names& events, const Value& data) {
  return impl_->connectedLink().dialect().publish(checked(events), data, true);
}

void Channel::request(std::string_view event, const Value& data, std::chrono::milliseconds timeout,
                      ReplyHandler onReply) {
  static_cast<void>(impl_->connectedLink());
  impl_->requests.send(event, data, timeout, std::move(onReply));
}

void Channel::requestAll(std::string_view event, const Value& data,
                         std::chrono::milliseconds timeout, RepliesHandler onReplies) {
  static_cast<void>(impl_->connectedLink());
  impl_->requests.sendToAll(event, data, timeout, std::move(onReplies));
}

void Channel::respond(std::string_view event,
                      std::function<void(const Value& data, const Responder& reply)> handler) {
  impl_->requests.respond(event, std::move(handler));
}

void Channel::watch(const Names& queues, std::function<void(channel::Job job)> handler,
                    std::size_t atOnce) {
  impl_->jobs->watch(checked(queues), std::move(handler), atOnce);
}

void Channel::unwatch(const Names& queues) { impl_->jobs->unwatch(checked(queues)); }

PublishStatus Channel::enqueue(const Names& queues, const Value& data) {
  return impl_->connectedLink().dialect().enqueue(checked(queues), data);
}

void Channel::reserve() { impl_->connectedLink().reserve(); }

void Channel::subscribeGroup(std::string_view group) {
  checkName(group);
  auto known = impl_->groups.find(group);
  if (known == impl_->groups.end()) {
    known = impl_->groups.emplace(group, 0).first;
    if (impl_->link != nullptr) impl_->link->dialect().subscribeGroup(group);
  }
  ++known->second;
}

void Channel::unsubscribeGroup(std::string_view group) {
  const auto known = impl_->groups.find(group);
  if (known == impl_->groups.end() || --known->second > 0) return;
  impl_->groups.erase(known);
  if (impl_->link != nullptr) impl_->link->dialect().unsubscribeGroup(group);
}

void Channel::forEachGroup(const std::function<void(std::string_view group)>& visit) const {
  for (const auto& [group, count] : impl_->groups) visit(group);
}

PublishStatus Channel::publishToGroup(std::string_view group, Message message, SendId send) {
  checkName(group);
  return impl_->connectedLink().dialect().publishToGroup(group, message, send);
}

PublishStatus Channel::publishToGroup(std::string_view group, Message message,
                                      GroupPublish options) {
  checkName(group);
  return impl_->connectedLink().dialect().publishWith(group, message, std::move(options));
}

void Channel::requestHistory(std::string_view group, Position since, HistoryHandler handler) {
  checkName(group);
  impl_->connectedLink().dialect().requestHistory(group, since, std::move(handler));
}

Position Channel::position() const {
  return impl_->link ? impl_->link->dialect().position() : Position{};
}
std::uint64_t Channel::accepted() const {
  return impl_->link ? impl_->link->dialect().accepted() : 0;
}
std::uint64_t Channel::acknowledged() const {
  return impl_->link ? impl_->link->dialect().acknowledged() : 0;
}
std::size_t Channel::unackedBytes() const {
  return impl_->link ? impl_->link->dialect().unackedBytes() : 0;
}
std::size_t Channel::frameBytesMax() const {
  return impl_->link ? impl_->link->dialect().frameBytesMax() : impl_->options.frameBytesMax;
}

void Channel::ping() { impl_->connectedLink().ping(); }

void Channel::addListener(channel::Listener& listener) { impl_->listeners.push_back(&listener); }

void Channel::removeListener(channel::Listener& listener) {
  std::erase(impl_->listeners, &listener);
}

void channel::stopTakingJobs() {
  for (ClientLink* link : linksHere()) link->stopTakingJobs();
}

}  // namespace stormo
