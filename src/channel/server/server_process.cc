#include "channel/server/server_process.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "event/drain.h"
#include "event/loop_impl.h"
#include "protocol/channel/packet.h"
#include "protocol/proxy/trusted_proxies.h"
#include "sys/address.h"
#include "sys/log.h"

namespace stormo::channel {
namespace {

void checkAddress(const Server& server, const std::string& url) {
  const SocketUrl parsed = parseSocketUrl(url);
  if (parsed.isUnix()) return;
  const std::string protocol = parsed.protocol();
  if (protocol != "frame" && protocol != "stormo") {
    throw std::invalid_argument(
        "the Channel cannot listen on '" + url +
        "' (write frame://address:port, frames:// for TLS, or unix:///path; for both dialects)");
  }
  if (parsed.isTls() && !server.tls.isOn()) {
    throw std::invalid_argument("the Channel cannot listen on '" + url +
                                "' without a certificate (see tls)");
  }
  if (!parsed.isTls() && server.tls.isOn()) {
    throw std::invalid_argument("the Channel speaks TLS, but not on '" + url +
                                "' (write frames:// in all of its addresses)");
  }
  const auto addresses = Address::known(parsed.host, parsed.port);
  if (addresses.empty()) {
    throw std::invalid_argument("the Channel cannot listen on '" + url +
                                "' (write an IPv4 or IPv6 address, localhost, or unix:///path)");
  }
  const bool isClosed = !server.secret.empty() || !server.tls.clientAuthoritiesFile.empty();
  if (!isClosed && !server.allowOpen && !addresses.front().isLocal()) {
    throw std::invalid_argument(
        "the Channel would listen on " + url +
        " without a secret, open to other machines (set a secret, demand certificates, listen on "
        "127.0.0.1 or unix:///path, or set allowOpen)");
  }
}

}  // namespace

void checkExposure(const Server& server) {
  if (!server.url().empty()) checkAddress(server, server.url());
  for (const std::string& url : server.alsoListen) checkAddress(server, url);
  if (std::max(server.secret.size(), server.otherSecret.size()) > kSecretBytesMax) {
    throw std::invalid_argument("the Channel's secret is longer than 255 bytes");
  }
  if (server.secret.empty() && !server.otherSecret.empty()) {
    throw std::invalid_argument("the Channel has another secret (otherSecret), but no secret");
  }
  const std::string wrong = proxy::complaintOfTrustedProxies(server.workermanPeers);
  if (!wrong.empty()) throw std::invalid_argument("the Channel's workermanPeers: " + wrong);
  if (!isChannelName(server.groupEvent)) {
    throw std::invalid_argument("the Channel's groupEvent must be a name of 1 to 255 bytes");
  }
}

ServerProcess::ServerProcess(EventLoop& loop, const Server& server, std::unique_ptr<Log> log)
    : loop_(loop),
      server_(server),
      table_(net::ConnectionTable::of(loop)),
      state_(server),
      log_(std::move(log)) {
  if (const Result<void> opened = log_->open(state_, [this] { onOpened(); }); !opened) {
    throw std::runtime_error("the Channel's log cannot be used: " + opened.error().message());
  }
}

ServerProcess::~ServerProcess() {
  if (ending_ != 0) Timer::cancel(ending_);
  if (broker_) table_.abandon(broker_->endpoint());
}

void ServerProcess::onOpened() {
  if (isStopped_) return;
  broker_ = std::make_unique<Broker>(loop_, server_, *log_, state_);
  listener_.emplace(loop_, broker_->endpoint());
  if (tls_) broker_->useTls(std::exchange(tls_, {}));
  for (const int fd : std::exchange(listening_, {})) listener_->start(fd);
}

template <typename Visit>
void ServerProcess::forEachLink(Visit visit) const {
  if (!broker_) return;
  table_.forEach([&](net::ConnectionImpl& connection) {
    if (connection.endpoint == &broker_->endpoint()) visit(connection);
  });
}

void ServerProcess::useTls(std::shared_ptr<const net::TlsContext> tls) {
  if (broker_) return broker_->useTls(std::move(tls));
  tls_ = std::move(tls);
}

void ServerProcess::listen(int fd) {
  if (listener_) return listener_->start(fd);
  listening_.push_back(fd);
}

void ServerProcess::stop() {
  isStopped_ = true;
  if (listener_) listener_->stopAll();
  forEachLink([](net::ConnectionImpl& link) { link.close(); });
}

void ServerProcess::end(std::function<void()> onDone) {
  if (std::exchange(isEnding_, true)) return;
  stop();
  if (!broker_) {
    ending_ = Timer::once(Timer::Duration::zero(), [this, done = std::move(onDone)] {
      ending_ = 0;
      done();
    });
    return;
  }
  const LoopImpl& loop = table_.loop();
  ending_ =
      whenDrained([this, &loop,
                   until = loop.now + kDrainTime] { return linkCount() == 0 || loop.now >= until; },
                  [this, done = std::move(onDone)] {
                    forEachLink([](net::ConnectionImpl& link) { link.destroy(); });
                    // In the next turn: the end of a link may add records.
                    ending_ = Timer::once(Timer::Duration::zero(), [this, done] { finish(done); });
                  });
}

void ServerProcess::finish(const std::function<void()>& onDone) {
  ending_ = 0;
  broker_->appendRecords();
  log_->finish(onDone);
}

std::size_t ServerProcess::linkCount() const {
  std::size_t count = 0;
  forEachLink([&](const net::ConnectionImpl&) { ++count; });
  return count;
}

}  // namespace stormo::channel
