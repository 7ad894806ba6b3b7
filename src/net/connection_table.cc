#include "net/connection_table.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>

#include "net/codec/codec_session.h"
#include "net/codec/package_codec.h"
#include "net/limits/admission.h"
#include "net/proxy_peers.h"
#include "sys/log.h"
#include "sys/sockets.h"

namespace stormo::net {
namespace {

// How much of a link's output the kernel takes at a time, where the system allows it: after a long
// message each refusal costs the other messages a change of processes.
constexpr std::size_t kLinkBufferBytes = 1 << 20;

}  // namespace

ConnectionTable& ConnectionTable::of(EventLoop& loop) { return Reactor::of(loop).connections; }

LoopImpl& ConnectionTable::loop() { return reactor_.loop(); }

Result<ConnectionImpl*> ConnectionTable::add(UniqueFd fd, const Endpoint& endpoint,
                                             const Address& remote, Phase phase,
                                             std::uint32_t events) {
  if (endpoint.carriesMany) setSendBuffer(fd.get(), kLinkBufferBytes);
  ConnectionImpl& connection =
      connections_.create(reactor_, std::move(fd), endpoint, remote, phase);
  if (const auto added = reactor_.watch(connection, events); !added) {
    connections_.destroy(connection.id);
    return added.error();
  }
  connection.in.lastReceived = loop().now;
  counters().connections.add();
  counters().connectionsTotal.add();
  reactor_.keepalive.setDeadline(connection, loop().now + endpoint.handshakeTimeout);
  return &connection;
}

Result<ConnectionImpl*> ConnectionTable::accept(UniqueFd fd, const Endpoint& endpoint,
                                                const Address& remote, bool awaitsProxyHeader) {
  const Phase phase = awaitsProxyHeader ? Phase::ProxyHeader : Phase::Handshake;
  Admission* const admission = endpoint.admission;
  AdmissionTicket ticket;
  if (admission != nullptr) {
    ticket = admission->enter(remote);
    const bool isProxy = endpoint.proxies != nullptr && endpoint.proxies->trusts(remote);
    if (!awaitsProxyHeader && !isProxy) admission->enterAddress(ticket, remote);
    const bool isRefused = ticket.refusal != Refusal::None;
    if (isRefused && !(endpoint.codec->answersRefusals() && admission->mayAnswer())) return nullptr;
  }
  auto added = add(std::move(fd), endpoint, remote, phase, Reactor::kReadEvents);
  if (!added) {
    if (admission != nullptr) admission->leave(ticket, remote);
    return added;
  }
  ConnectionImpl& connection = **added;
  connection.ticket = ticket;
  if (admission != nullptr) {
    if (ticket.refusal == Refusal::None) {
      admission->beginHandshake(connection);
    } else {
      admission->beginAnswer(connection.ticket);
    }
  }
  if (!awaitsProxyHeader) begin(connection);
  return added;
}

void ConnectionTable::refuseAdmission(ConnectionImpl& connection, Refusal by) {
  if (!connection.isUsable()) return;
  if (connection.phase == Phase::Handshake) {
    CodecSession session(connection);
    connection.endpoint->codec->answerRefusal(session, answerTo(by));
  }
  if (connection.isUsable()) die(connection);
}

void ConnectionTable::begin(ConnectionImpl& connection) {
  const Endpoint& endpoint = *connection.endpoint;
  if (endpoint.tls == nullptr || localAddress(connection.fd.get()).isUnix()) {
    return beginHandshake(connection);
  }
  connection.phase = Phase::TlsHandshake;
  connection.tls = std::make_unique<TlsSession>(endpoint.tls, endpoint.tlsHost);
  reactor_.input.beginTls(connection);
}

Result<ConnectionImpl*> ConnectionTable::connect(UniqueFd fd, const Endpoint& endpoint,
                                                 const Address& remote) {
  return add(std::move(fd), endpoint, remote, Phase::Connecting, Reactor::kReadEvents | EPOLLOUT);
}

void ConnectionTable::finishConnect(ConnectionImpl& connection) {
  if (auto outcome = connectOutcome(connection.fd.get()); !outcome) {
    return fail(connection, outcome.error().code.value(), "connect");
  }
  if (const auto modified = reactor_.rewatch(connection, Reactor::kReadEvents); !modified) {
    return fail(connection, modified.error().code.value(), modified.error().step);
  }
  setNoDelay(connection.fd.get());
  const Endpoint& endpoint = *connection.endpoint;
  if (endpoint.pingInterval == endpoint.pingInterval.zero()) setKeepAlive(connection.fd.get());
  // The time-out is for connecting and the handshakes together, unless the loop itself was late.
  if (connection.deadline <= loop().now) {
    reactor_.keepalive.setDeadline(connection, loop().now + endpoint.handshakeTimeout);
  }
  begin(connection);
}

void ConnectionTable::passOn(ConnectionImpl& connection, const Endpoint& to) {
  leaveFanouts(connection);
  reactor_.output.discardOwn(connection);
  connection.scan = {};
  connection.endpoint = &to;
}

void ConnectionTable::passOnToHandshake(ConnectionImpl& connection, const Endpoint& to) {
  leaveFanouts(connection);
  reactor_.output.sendOwn(connection);
  connection.codecState.reset();
  connection.scan = {};
  connection.endpoint = &to;
  connection.phase = Phase::Handshake;
  reactor_.keepalive.setDeadline(connection, loop().now + to.handshakeTimeout);
}

void ConnectionTable::endHandshake(ConnectionImpl& connection) {
  Admission* const admission = connection.endpoint->admission;
  if (admission != nullptr) admission->endHandshake(connection);
}

/// A codec without a handshake opens the connection here, before onConnect.
void ConnectionTable::beginHandshake(ConnectionImpl& connection) {
  connection.phase = Phase::Handshake;
  const Refusal refusal = connection.ticket.refusal;
  if (refusal != Refusal::None) return refuseAdmission(connection, refusal);
  const Codec& codec = *connection.endpoint->codec;
  CodecSession session(connection);
  codec.begin(session);
  if (!codec.announcesLater()) announce(connection);
}

void ConnectionTable::announce(ConnectionImpl& connection) {
  connection.announced = Announced::Connect;
  call(connection, connection.endpoint->handlers.onConnect);
}

ConnectionImpl* ConnectionTable::find(ConnectionId id) {
  ConnectionImpl* connection = connections_.find(Handle::unpack(id));
  return connection != nullptr && connection->isUsable() ? connection : nullptr;
}

void ConnectionTable::open(ConnectionImpl& connection) {
  connection.phase = Phase::Open;
  endHandshake(connection);
  // What was sent before the handshake was done.
  if (connection.out.own != nullptr) reactor_.output.markDirty(connection);
  reactor_.keepalive.watchForSilence(connection);
}

void ConnectionTable::close(ConnectionImpl& connection, CloseCode code, std::string_view reason) {
  if (!connection.isUsable()) return;
  if (connection.announced == Announced::Nothing) return die(connection);
  leaveFanouts(connection);  // their output of this turn goes first
  CodecSession session(connection);
  const bool awaitsAnswer = connection.endpoint->codec->sendClose(session, code, reason);
  if (!connection.isUsable()) return;  // the codec has closed it already
  beginClosing(connection, code, awaitsAnswer ? Phase::AwaitingClose : Phase::Closing);
}

void ConnectionTable::closeWithoutAnswer(ConnectionImpl& connection, CloseCode code,
                                         std::string_view reason) {
  close(connection, code, reason);
  if (connection.phase == Phase::AwaitingClose) connection.phase = Phase::Closing;
}

void ConnectionTable::onTlsFailed(ConnectionImpl& connection) {
  counters().badPeers.add();
  const std::error_code& error = connection.tls->error();
  log::debug("a peer broke TLS remote={} reason=\"{}\"", connection.remoteAddress(),
             error.message());
  fail(connection, Error{error, "TLS"});
}

void ConnectionTable::closeQuietly(ConnectionImpl& connection, CloseCode code) {
  if (connection.isUsable()) beginClosing(connection, code, Phase::Closing);
}

void ConnectionTable::closeWith(ConnectionImpl& connection, CloseCode code,
                                std::string_view lastBytes) {
  if (!connection.isUsable()) return;
  leaveFanouts(connection);  // first: it leaves output of this turn with the connection
  reactor_.output.discardOwn(connection);
  connection.append(lastBytes);
  beginClosing(connection, code, Phase::Closing);
}

void ConnectionTable::refuse(ConnectionImpl& connection, CloseCode code, std::string_view reason) {
  if (connection.isUsable()) {
    counters().badPeers.add();
    log::debug("a peer broke its protocol remote={} code={} reason=\"{}\"",
               connection.remoteAddress(), static_cast<int>(code), reason);
  }
  closeWithoutAnswer(connection, code, reason);
}

void ConnectionTable::onCloseFrame(ConnectionImpl& connection, CloseCode code) {
  if (connection.isUsable()) {
    leaveFanouts(connection);
    CodecSession session(connection);
    connection.endpoint->codec->sendClose(session, code, {});
    beginClosing(connection, code, Phase::Closing);
  }
  if (connection.phase == Phase::AwaitingClose) connection.phase = Phase::Closing;
  reactor_.output.markDirty(connection);
}

void ConnectionTable::destroy(ConnectionImpl& connection) {
  if (connection.isUsable()) connection.closeCode = CloseCode::Abnormal;
  if (connection.phase != Phase::Dead) die(connection);
}

void ConnectionTable::abandon(const Endpoint& endpoint) {
  static const PackageCodec kCodec(Protocol::tcp());
  static const Endpoint kNowhere{.codec = &kCodec, .handlers = {}, .hasRoom = {}};
  forEach([&](ConnectionImpl& connection) {
    if (connection.endpoint != &endpoint) return;
    connection.endpoint = &kNowhere;
    if (connection.isUsable()) die(connection);
  });
}

void ConnectionTable::beginClosing(ConnectionImpl& connection, CloseCode code, Phase phase) {
  leaveFanouts(connection);
  endHandshake(connection);
  connection.phase = phase;
  connection.closeCode = code;
  reactor_.keepalive.setDeadline(connection, loop().now + connection.endpoint->closeTimeout);
  // What is read from now on is dropped, but the end of file must be seen.
  reactor_.input.endHolding(connection);
  reactor_.output.markDirty(connection);
  putInClosedList(connection);
}

void ConnectionTable::onEndOfFile(ConnectionImpl& connection) {
  switch (connection.phase) {
    case Phase::TlsHandshake:
      return fail(connection, ECONNRESET, "TLS");
    case Phase::Handshake: {  // the peer would not understand any output
      CodecSession session(connection);
      connection.endpoint->codec->onHandshakeEnd(session);
      return destroy(connection);
    }
    case Phase::ProxyHeader:
    case Phase::Lingering:
      return die(connection);
    case Phase::AwaitingClose:
    case Phase::Closing:
    case Phase::PeerEnded:
      connection.phase = Phase::PeerEnded;
      return reactor_.output.markDirty(connection);
    case Phase::Connecting:
    case Phase::Open:  // what was queued for it still leaves
      return beginClosing(connection, CloseCode::Abnormal, Phase::PeerEnded);
    case Phase::Dead:
      return;
  }
}

void ConnectionTable::onOutputLeft(ConnectionImpl& connection) {
  if (connection.out.own != nullptr) return;  // a handler has sent more
  if (connection.phase == Phase::PeerEnded) return die(connection);
  if (connection.phase != Phase::Closing) return;
  if (connection.tls != nullptr && !connection.tls->isClosed()) {
    reactor_.sender.closeTls(connection);
    if (connection.out.queuedBytes() > 0) return;
  }
  ::shutdown(connection.fd.get(), SHUT_WR);
  connection.phase = Phase::Lingering;
}

void ConnectionTable::fail(ConnectionImpl& connection, int error, const char* step) {
  fail(connection, {std::error_code(error, std::generic_category()), step});
}

void ConnectionTable::fail(ConnectionImpl& connection, const Error& error) {
  const bool isOutgoing = connection.phase == Phase::Connecting ||
                          (connection.tls != nullptr && connection.tls->isOfClient());
  if (connection.isUsable() && (isOutgoing || connection.phase >= Phase::Handshake)) {
    connection.closeCode = CloseCode::Abnormal;
    call(connection, connection.endpoint->handlers.onError, error);
  }
  die(connection);
}

void ConnectionTable::die(ConnectionImpl& connection) {
  endHandshake(connection);
  connection.phase = Phase::Dead;
  leaveFanouts(connection);
  putInClosedList(connection);
}

void ConnectionTable::dieWithoutHandlers() {
  forEach([this](ConnectionImpl& connection) {
    connection.phase = Phase::Dead;  // no output is queued any more; the endpoint may not exist
    leaveFanouts(connection);
  });
}

void ConnectionTable::leaveFanouts(ConnectionImpl& connection) {
  auto& memberships = connection.memberships;
  while (!memberships.empty()) {
    memberships.back().fanout->drop(connection, memberships.size() - 1);
  }
}

void ConnectionTable::putInClosedList(ConnectionImpl& connection) {
  if (std::exchange(connection.inClosedList, true)) return;
  closed_.push_back(connection.id);
  loop().requestTurn();
}

void ConnectionTable::freeClosed() {
  while (!closed_.empty()) {
    ConnectionImpl& connection = *connections_.find(closed_.back());
    closed_.pop_back();
    const Announced before = std::exchange(connection.announced, Announced::Close);
    if (before == Announced::Connect) call(connection, connection.endpoint->handlers.onClose);
    connection.inClosedList = false;  // not before: onClose may have destroyed it
    if (connection.phase == Phase::Dead) release(connection);
  }
}

void ConnectionTable::release(ConnectionImpl& connection) {
  reactor_.keepalive.clear(connection);
  reactor_.input.forget(connection);
  reactor_.sender.discardQueue(connection);
  reactor_.output.discardOwn(connection);
  counters().connections.subtract();
  if (Admission* const admission = connection.endpoint->admission) {
    admission->leaveUser(connection);
    admission->leave(connection.ticket, connection.remote.get());
  }
  connections_.destroy(connection.id);
}

void ConnectionTable::handlerThrew(ConnectionImpl& connection, const char* what) {
  counters().handlerErrors.add();
  log::error("a handler threw what=\"{}\" remote={}", what, connection.remoteAddress());
  close(connection, CloseCode::InternalError, "internal error");
}

}  // namespace stormo::net
