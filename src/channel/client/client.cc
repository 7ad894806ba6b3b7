#include <stormo/channel/client.h>
#include <stormo/event_loop.h>

#include <algorithm>
#include <map>
#include <memory>
#include <stdexcept>

#include "channel/client/bus.h"
#include "channel/client/client_jobs.h"
#include "channel/client/workerman_bus.h"
#include "protocol/channel/dialect.h"
#include "sys/log.h"

namespace stormo::channel {
namespace {

/// Shared, so that a handler may be replaced or forgotten while it runs.
using SharedHandler = std::shared_ptr<const Client::EventHandler>;

struct QueueHandler {
  SharedHandler handler;
  bool autoReserve;
};

/// This thread's link, and who hears what.
struct State {
  std::unique_ptr<Bus> bus;
  std::map<std::string, SharedHandler, std::less<>> events;
  std::map<std::string, QueueHandler, std::less<>> queues;
};

thread_local State state;

Bus& bus() {
  if (state.bus == nullptr)
    throw std::logic_error("channel::Client is used before channel::Client::connect()");
  return *state.bus;
}

const std::vector<std::string>& checked(const Names& names) {
  if (names.all().empty()) throw std::invalid_argument("no channel is named");
  for (const std::string& name : names.all()) {
    if (name.empty() || name.size() > kChannelNameBytesMax) {
      throw std::invalid_argument("a channel's name must have 1 to 255 bytes, not " +
                                  std::to_string(name.size()));
    }
  }
  return names.all();
}

SharedHandler share(Client::EventHandler handler) {
  return handler ? std::make_shared<const Client::EventHandler>(std::move(handler)) : nullptr;
}

void onEvent(std::string_view event, const Value& data) {
  const auto found = state.events.find(event);
  if (found != state.events.end() && found->second != nullptr) {
    const SharedHandler handler = found->second;
    (*handler)(data);
  } else if (Client::onMessage) {
    Client::onMessage(event, data);
  }
}

/// Asks for the next job when the handler is done with this one, however it ends.
struct ReserveAtEnd {
  bool wanted;
  ~ReserveAtEnd() {
    if (wanted && state.bus != nullptr) state.bus->reserve();
  }
};

/// A job of a queue that was unwatched while it was on its way: somebody else shall do it.
void giveBack(std::string_view queue, const Value& data) {
  if (state.bus->enqueue({std::string(queue)}, data) == PublishStatus::Full) {
    log::error("a job was lost: no longer watched, and not taken back queue=\"{}\"", queue);
  }
  // It has used up what was reserved for the queues that are watched on.
  const auto isAutomatic = [](const auto& entry) { return entry.second.autoReserve; };
  if (std::ranges::any_of(state.queues, isAutomatic)) state.bus->reserve();
}

void onJob(std::string_view queue, const Value& data) {
  const auto found = state.queues.find(queue);
  if (found == state.queues.end()) return giveBack(queue, data);
  const QueueHandler taker = found->second;
  const ReserveAtEnd next{taker.autoReserve};
  if (taker.handler != nullptr) (*taker.handler)(data);
}

BusOptions optionsNow() {
  return {.secret = Client::secret,
          .keptBytesMax = Client::keptBytesMax,
          .pingInterval = Client::pingInterval};
}

void start(std::unique_ptr<Bus> made) {
  state.bus = std::move(made);
  state.bus->onEvent = onEvent;
  state.bus->onJob = onJob;
  state.bus->onConnect = [] {
    if (Client::onConnect) Client::onConnect();
  };
  state.bus->onGap = [] {
    if (Client::onGap) Client::onGap();
  };
  state.bus->onClose = [] {
    if (Client::onClose) Client::onClose();
  };
  state.bus->connect();
}

SocketUrl urlOf(std::string_view host, std::uint16_t port) {
  if (host.starts_with("unix://")) return parseSocketUrl(host);
  if (host.empty()) throw std::invalid_argument("the Channel's host is empty");
  return {.scheme = "frame", .host = std::string(host), .port = port};
}

}  // namespace

void Client::connect(std::string_view host, std::uint16_t port) {
  if (state.bus != nullptr) return;
  start(std::make_unique<WorkermanBus>(urlOf(host, port), optionsNow()));
}

void Client::connectUrl(std::string_view url) {
  if (state.bus != nullptr) return;
  start(makeBus(url, optionsNow()));
}

void Client::disconnect() {
  if (state.bus == nullptr) return;
  state.events.clear();
  state.queues.clear();
  // It may be the bus that is calling us: it goes when it has returned, and says nothing until
  // then.
  std::shared_ptr<Bus> gone = std::move(state.bus);
  EventLoop* loop = EventLoop::currentOrNull();
  if (loop == nullptr) return;
  gone->onEvent = {};
  gone->onJob = {};
  gone->onConnect = {};
  gone->onClose = {};
  gone->onGap = {};
  gone->close();
  loop->defer([gone] {});
}

bool Client::isConnected() { return state.bus != nullptr && state.bus->isConnected(); }

void Client::on(std::string_view event, EventHandler handler) {
  bus().subscribe(checked(event));
  state.events.insert_or_assign(std::string(event), share(std::move(handler)));
}

void Client::subscribe(const Names& events) {
  bus().subscribe(checked(events));
  for (const std::string& event : events.all()) state.events.try_emplace(event);
}

void Client::unsubscribe(const Names& events) {
  bus().unsubscribe(checked(events));
  for (const std::string& event : events.all()) state.events.erase(event);
}

PublishStatus Client::publish(const Names& events, const Value& data) {
  return bus().publish(checked(events), data, false);
}

PublishStatus Client::publishLoop(const Names& events, const Value& data) {
  return bus().publish(checked(events), data, true);
}

void Client::watch(const Names& queues, EventHandler handler, bool autoReserve) {
  bus().watch(checked(queues));
  const QueueHandler taker{share(std::move(handler)), autoReserve};
  for (const std::string& queue : queues.all()) state.queues.insert_or_assign(queue, taker);
  if (autoReserve) bus().reserve();
}

void Client::unwatch(const Names& queues) {
  bus().unwatch(checked(queues));
  for (const std::string& queue : queues.all()) state.queues.erase(queue);
}

PublishStatus Client::enqueue(const Names& queues, const Value& data) {
  return bus().enqueue(checked(queues), data);
}

void Client::reserve() { bus().reserve(); }

void Client::ping() { bus().ping(); }

void stopTakingJobs() {
  if (state.bus != nullptr) state.bus->stopTakingJobs();
}

}  // namespace stormo::channel
