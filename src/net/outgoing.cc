#include "net/outgoing.h"

#include <algorithm>

#include "sys/sockets.h"

namespace stormo::net {

Outgoing::Outgoing(SocketUrl url, const Codec& codec)
    : table_(ConnectionTable::current()),
      loopsTable_(EventLoop::current().impl().connections),
      url_(std::move(url)) {
  endpoint.codec = &codec;
  // The next attempt is set before the user hears of the loss: a handler that throws does not end
  // the attempts.
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
    if (!Peer::of(connection).connectReported) {  // onClose is not called for it
      forget(connection);
      retryLater();
    }
    if (onError) onError(error);
  };
}

Outgoing::~Outgoing() {
  if (!hasLoop()) return;
  if (retryTimer_ != 0) Timer::cancel(retryTimer_);
  table_.abandon(endpoint);
}

Peer* Outgoing::peer() const { return table_.find(id_); }

void Outgoing::connect() {
  wanted_ = true;
  if (id_ != 0 || retryTimer_ != 0) return;
  Result<Address> address = Address{};
  if (!url_.isUnix()) {
    address = Address::resolve(url_.host, url_.port);
  } else if (const auto path = Address::unixPath(url_.host)) {
    address = *path;
  }
  Result<UniqueFd> fd = address ? connectTo(*address) : Result<UniqueFd>(address.error());
  if (!fd) return failLater(fd.error());
  id_ = table_.connect(std::move(*fd), endpoint).id.packed();
}

void Outgoing::close() {
  wanted_ = false;
  if (retryTimer_ != 0) Timer::cancel(retryTimer_);
  retryTimer_ = 0;
  if (Peer* connection = table_.find(id_)) table_.close(*connection, CloseCode::Normal, {});
  id_ = 0;
}

/// By the time an old connection ends there may be a new one.
void Outgoing::forget(const Connection& connection) {
  if (connection.id() == id_) id_ = 0;
}

/// No handler is called inside of connect(), which handlers may call.
void Outgoing::failLater(const Error& error) {
  retryTimer_ = Timer::once(Timer::Duration::zero(), [this, error] {
    retryTimer_ = 0;
    retryLater();
    if (onError) onError(error);
  });
}

void Outgoing::retryLater() {
  if (!wanted_ || id_ != 0 || retryFirst == retryFirst.zero() || retryTimer_ != 0) return;
  wait_ = wait_ == wait_.zero() ? retryFirst : std::min(wait_ * 2, retryMax);
  retryTimer_ = Timer::once(variedWait(), [this] {
    retryTimer_ = 0;
    connect();
  });
}

std::chrono::milliseconds Outgoing::variedWait() {
  std::uniform_int_distribution<std::int64_t> around(-wait_.count() / 4, wait_.count() / 4);
  return wait_ + std::chrono::milliseconds(around(random_));
}

}  // namespace stormo::net
