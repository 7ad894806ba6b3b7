#include "net/persistent_connection.h"

#include <algorithm>
#include <system_error>

#include "event/loop_impl.h"
#include "net/tls/tls_context.h"
#include "sys/sockets.h"

namespace stormo::net {

PersistentConnection::PersistentConnection(SocketUrl url, const Codec& codec)
    : table_(ConnectionTable::current()),
      loop_(LoopImpl::current().lifetime()),
      url_(std::move(url)) {
  endpoint.codec = &codec;
  // The next attempt is set before the user's handler is called: one that throws does not end the
  // attempts.
  endpoint.handlers.onConnect = [this](Connection& connection) {
    connectedAt_ = table_.loop().readClock();
    if (onConnect) onConnect(connection);
  };
  endpoint.handlers.onClose = [this](Connection& connection) {
    if (table_.loop().readClock() - connectedAt_ >= retryMax) wait_ = {};
    forget(connection);
    retryLater();
    if (onClose) onClose(connection);
  };
  endpoint.handlers.onError = [this](Connection& connection, const Error& error) {
    if (ConnectionImpl::of(connection).announced ==
        Announced::Nothing) {  // onClose is not called for it
      // A server that was reached and has refused the handshake is the answer.
      const bool triesNext =
          connection.id() == id_ && ConnectionImpl::of(connection).phase == Phase::Connecting;
      forget(connection);
      if (triesNext && !untried_.empty() && connectToNext()) return;
      retryLater();
    }
    if (onError) onError(error);
  };
}

PersistentConnection::~PersistentConnection() {
  if (!hasLoop()) return;
  if (retryTimer_ != 0) Timer::cancel(retryTimer_);
  table_.abandon(endpoint);
}

void PersistentConnection::useTls(const TlsClient& settings) {
  if (!url_.isTls()) return;
  endpoint.tls = TlsContext::ofClient(settings);
  endpoint.tlsHost = url_.host;
}

ConnectionImpl* PersistentConnection::connection() const { return table_.find(id_); }

void PersistentConnection::connect() {
  wanted_ = true;
  if (id_ != 0 || retryTimer_ != 0 || lookup_ != nullptr) return;
  untried_ = url_.isUnix() ? std::vector{Address::unixPath(url_.host).value()}
                           : Address::known(url_.host, url_.port);
  if (untried_.empty()) return lookUp();
  std::ranges::reverse(untried_);
  if (const auto begun = connectToNext(); !begun) failLater(begun.error());
}

void PersistentConnection::lookUp() {
  try {
    lookup_ = std::make_unique<NameLookup>(
        url_.host, url_.port, resolve, [this](const NameLookup::Outcome& found) {
          lookup_.reset();
          if (found) untried_.assign(found.value().rbegin(), found.value().rend());
          const Result<void> begun = found ? connectToNext() : Result<void>(found.error());
          if (begun) return;
          retryLater();
          if (onError) onError(begun.error());
        });
  } catch (const std::system_error& refused) {
    failLater({refused.code(), "look up the host"});
  }
}

/// Starts to connect to the next address that can be tried. Returns the last error if none can.
Result<void> PersistentConnection::connectToNext() {
  Result<void> outcome;
  while (!untried_.empty()) {
    const Address address = untried_.back();
    untried_.pop_back();
    Result<UniqueFd> fd = connectTo(address);
    const Result<ConnectionImpl*> begun = fd ? table_.connect(std::move(*fd), endpoint, address)
                                             : Result<ConnectionImpl*>(fd.error());
    if (begun) {
      id_ = begun.value()->id.packed();
      return {};
    }
    outcome = begun.error();
  }
  return outcome;
}

void PersistentConnection::close() {
  wanted_ = false;
  if (retryTimer_ != 0) Timer::cancel(retryTimer_);
  retryTimer_ = 0;
  lookup_.reset();
  untried_.clear();
  if (ConnectionImpl* connection = table_.find(id_))
    table_.close(*connection, CloseCode::Normal, {});
  id_ = 0;
}

/// When an old connection ends there may be a new one already.
void PersistentConnection::forget(const Connection& connection) {
  if (connection.id() == id_) id_ = 0;
}

/// Handlers may call connect(), so connect() itself calls none.
void PersistentConnection::failLater(const Error& error) {
  retryTimer_ = Timer::once(Timer::Duration::zero(), [this, error] {
    retryTimer_ = 0;
    retryLater();
    if (onError) onError(error);
  });
}

void PersistentConnection::retryLater() {
  if (!wanted_ || id_ != 0 || retryFirst == retryFirst.zero() || retryTimer_ != 0) return;
  wait_ = wait_ == wait_.zero() ? retryFirst : std::min(wait_ * 2, retryMax);
  retryTimer_ = Timer::once(variedWait(), [this] {
    retryTimer_ = 0;
    connect();
  });
}

std::chrono::milliseconds PersistentConnection::variedWait() {
  std::uniform_int_distribution<std::int64_t> around(-wait_.count() / 4, wait_.count() / 4);
  return wait_ + std::chrono::milliseconds(around(random_));
}

}  // namespace stormo::net
