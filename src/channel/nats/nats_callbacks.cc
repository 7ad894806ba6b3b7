#include "channel/nats/nats_callbacks.h"

#include <map>
#include <mutex>
#include <utility>

namespace stormo::channel {
namespace {

std::string lastErrorOf(const NatsLibrary& library, natsConnection* connection) {
  const char* text = nullptr;
  library.natsConnection_GetLastError(connection, &text);
  return text == nullptr ? "" : text;
}

}  // namespace

struct NatsCallbacks::Entry {
  const NatsLibrary* library = nullptr;
  NatsConnection::Handlers handlers = {};
  NatsConnection::MessageHandler onMessage = {};
};

namespace {

template <typename Entry>
struct Table {
  std::mutex mutex;
  std::uint64_t last = 0;
  std::map<std::uint64_t, std::shared_ptr<const Entry>> entries;
};

// Never destroyed: threads of libnats may use it while the process exits.
template <typename Entry>
Table<Entry>& table() {
  static auto* const kTable = new Table<Entry>;
  return *kTable;
}

}  // namespace

std::uint64_t NatsCallbacks::add(Entry entry) {
  auto& all = table<Entry>();
  const std::lock_guard lock(all.mutex);
  all.entries.emplace(++all.last, std::make_shared<const Entry>(std::move(entry)));
  return all.last;
}

std::uint64_t NatsCallbacks::add(const NatsLibrary& library, NatsConnection::Handlers handlers) {
  return add(Entry{.library = &library, .handlers = std::move(handlers)});
}

std::uint64_t NatsCallbacks::add(const NatsLibrary& library,
                                 NatsConnection::MessageHandler onMessage) {
  return add(Entry{.library = &library, .onMessage = std::move(onMessage)});
}

void NatsCallbacks::remove(std::uint64_t number) {
  auto& all = table<Entry>();
  std::shared_ptr<const Entry> removed;  // destroyed without the lock
  const std::lock_guard lock(all.mutex);
  if (const auto found = all.entries.find(number); found != all.entries.end()) {
    removed = std::move(found->second);
    all.entries.erase(found);
  }
}

void* NatsCallbacks::closure(std::uint64_t number) {
  return reinterpret_cast<void*>(number);  // NOLINT(performance-no-int-to-ptr): never followed
}

std::shared_ptr<const NatsCallbacks::Entry> NatsCallbacks::find(const void* closure) {
  auto& all = table<Entry>();
  const std::lock_guard lock(all.mutex);
  const auto found = all.entries.find(reinterpret_cast<std::uint64_t>(closure));
  return found == all.entries.end() ? nullptr : found->second;
}

void NatsCallbacks::onClosed(natsConnection* connection, void* closure) {
  const auto entry = find(closure);
  if (!entry) return;
  entry->handlers.onClosed(lastErrorOf(*entry->library, connection));
}

void NatsCallbacks::onLameDuck(natsConnection* /*connection*/, void* closure) {
  if (const auto entry = find(closure)) entry->handlers.onLameDuck();
}

void NatsCallbacks::onError(natsConnection* connection, natsSubscription* /*subscription*/,
                            natsStatus status, void* closure) {
  const auto entry = find(closure);
  if (!entry) return;
  std::string text = lastErrorOf(*entry->library, connection);
  if (text.empty()) text = entry->library->natsStatus_GetText(status);
  entry->handlers.onServerError(std::move(text));
}

void NatsCallbacks::onMessage(natsConnection* /*connection*/, natsSubscription* /*subscription*/,
                              natsMsg* message, void* closure) {
  const auto entry = find(closure);
  // Without an entry, the library is not known to free it. It is loaded, so load() only returns it.
  std::string unused;
  const NatsLibrary* const library = entry ? entry->library : NatsLibrary::load(unused);
  NatsMessage owned(message, NatsMessageFree{library});
  if (entry) entry->onMessage(std::move(owned));
}

}  // namespace stormo::channel
