#include <stormo/channel.h>
#include <stormo/channel/client.h>
#include <stormo/event_loop.h>

#include <memory>
#include <stdexcept>
#include <utility>

#include "sys/address.h"

namespace stormo::channel {
namespace {

thread_local std::unique_ptr<Channel> here;

void connectOnce(std::string url) {
  if (here != nullptr) return;
  auto made = std::make_unique<Channel>(std::move(url),
                                        ChannelOptions{.secret = Client::secret,
                                                       .unackedBytesMax = Client::unackedBytesMax,
                                                       .pingInterval = Client::pingInterval});
  made->onEvent = [](std::string_view event, const Value& data) {
    if (Client::onMessage) Client::onMessage(event, data);
  };
  made->onConnect = [] {
    if (Client::onConnect) Client::onConnect();
  };
  made->onClose = [] {
    if (Client::onClose) Client::onClose();
  };
  made->onGap = [] {
    if (Client::onGap) Client::onGap();
  };
  made->connect();
  here = std::move(made);
}

std::string urlOf(std::string_view scheme, std::string_view host, std::uint16_t port) {
  if (host.empty()) throw std::invalid_argument("the Channel's host is empty");
  return SocketUrl{.scheme = std::string(scheme), .host = std::string(host), .port = port}.text();
}

}  // namespace

void Client::connect(std::string_view url) { connectOnce(std::string(url)); }

void Client::connect(std::string_view host, std::uint16_t port) {
  connectOnce(urlOf("stormo", host, port));
}

void Client::connectWorkerman(std::string_view host, std::uint16_t port) {
  connectOnce(urlOf("frame", host, port));
}

void Client::disconnect() {
  // It may be this Channel that is calling: it is destroyed later, and calls no handler until then.
  const std::shared_ptr<Channel> closed = std::exchange(here, nullptr);
  EventLoop* loop = EventLoop::currentOrNull();
  if (closed == nullptr || loop == nullptr) return;
  closed->onEvent = {};
  closed->onConnect = {};
  closed->onClose = {};
  closed->onGap = {};
  closed->close();
  loop->defer([closed] {});
}

bool Client::isConnected() { return here != nullptr && here->isConnected(); }

Channel& Client::channel() {
  if (here == nullptr) throw std::logic_error("channel::Client is used before its connect()");
  return *here;
}

void Client::on(std::string_view event, EventHandler handler) {
  channel().subscribe(event, std::move(handler));
}

void Client::subscribe(const Names& events) { channel().subscribe(events); }

void Client::unsubscribe(const Names& events) { channel().unsubscribe(events); }

PublishStatus Client::publish(const Names& events, const Value& data) {
  return channel().publish(events, data);
}

PublishStatus Client::publishLoop(const Names& events, const Value& data) {
  return channel().publishToOne(events, data);
}

void Client::watch(const Names& queues, EventHandler handler, bool autoReserve) {
  channel().watch(
      queues,
      [handler = std::move(handler)](Job job) {
        if (handler) handler(job.data());
        job.done();
      },
      autoReserve ? 1 : 0);
}

void Client::unwatch(const Names& queues) { channel().unwatch(queues); }

PublishStatus Client::enqueue(const Names& queues, const Value& data) {
  return channel().enqueue(queues, data);
}

void Client::reserve() { channel().reserve(); }

void Client::ping() { channel().ping(); }

}  // namespace stormo::channel
