#include <signal.h>
#include <stormo/program_options.h>
#include <stormo/worker.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>

#include "channel/client/own_channel.h"
#include "channel/log/real_log_directory.h"
#include "channel/server/declared_servers.h"
#include "channel/server/server_process.h"
#include "net/limits/shared_admission.h"
#include "process/command_line.h"
#include "process/instance.h"
#include "process/program.h"
#include "protocol/channel/packet.h"
#include "protocol/proxy/trusted_proxies.h"
#include "protocol/websocket/origin.h"
#include "sys/address.h"
#include "sys/open_files.h"
#include "sys/processors.h"
#include "worker/channel_log.h"
#include "worker/connection_rows.h"
#include "worker/declaration.h"
#include "worker/tls_credentials.h"
#include "worker/worker_process.h"

namespace stormo {
namespace {

/// In a worker process: the pid of its master. Zero in the master.
pid_t masterOfWorker = 0;

void listenOnUrl(const std::string& url, bool v6Only, process::Role& role) {
  SocketUrl parsed = parseSocketUrl(url);
  if (parsed.isUnix()) {
    role.listen.push_back({.label = url, .address = Address::unixPath(parsed.host).value()});
    return;
  }
  const std::vector<Address> addresses = Address::known(parsed.host, parsed.port);
  if (addresses.empty()) {
    throw std::invalid_argument("cannot listen on " + url +
                                ": write an IP address (0.0.0.0 for all), not a host name");
  }
  for (const Address& address : addresses) {
    parsed.host = address.host();
    role.listen.push_back({.label = parsed.text(),
                           .address = address,
                           .v6Only = v6Only,
                           .isSecond = &address != &addresses.front()});
  }
}

/// All addresses of a worker have one protocol.
void checkFurtherAddress(const Worker& worker, const std::string& url) {
  if (worker.listen().empty()) {
    throw std::invalid_argument("worker '" + worker.name + "': alsoListen without an address");
  }
  const SocketUrl parsed = parseSocketUrl(url);
  if (worker.protocol || parsed.scheme == parseSocketUrl(worker.listen()).scheme) return;
  if (parsed.isUnix() && protocolOf(worker) != Protocol::tcp()) return;
  throw std::invalid_argument("cannot listen on " + url + " and " + worker.listen() +
                              ": another protocol needs another worker");
}

std::vector<std::string> addressesOf(const Worker& worker) {
  std::vector<std::string> urls = worker.alsoListen;
  urls.insert(urls.begin(), worker.listen());
  return urls;
}

void checkProxies(const Worker& worker) {
  const ProxyOptions& proxies = worker.proxies;
  const auto refuse = [&](const std::string& why) {
    throw std::invalid_argument("worker '" + worker.name + "': proxies." + why);
  };
  if (const std::string wrong = proxy::complaintOfTrustedProxies(proxies.trusted); !wrong.empty()) {
    refuse("trusted: " + wrong);
  }
  const proxy::TrustedProxies trusted(proxies.trusted);
  const std::vector<std::string> urls = addressesOf(worker);
  for (const std::string& url : proxies.proxyProtocol) {
    if (std::ranges::find(urls, url) == urls.end()) {
      refuse("proxyProtocol: " + url + " is none of its addresses");
    }
    const bool isUnix = parseSocketUrl(url).isUnix();
    if (isUnix ? trusted.trustsUnix() : trusted.trustsNetworks()) continue;
    refuse("proxyProtocol: nobody can connect to " + url + ", as no " +
           (isUnix ? "unix peer" : "address") + " is trusted (see proxies.trusted)");
  }
}

process::Role roleOf(Worker& worker) {
  if (worker.count < 0) {
    throw std::invalid_argument("worker '" + worker.name + "': count must not be negative");
  }
  if (worker.count == 0) worker.count = static_cast<int>(usableProcessors());
  if (const std::string wrong = websocket::complaintOfOrigins(worker.websocket.origins);
      !wrong.empty()) {
    throw std::invalid_argument("worker '" + worker.name + "': websocket.origins: " + wrong);
  }
  checkProxies(worker);
  process::Role role;
  role.kind = process::RoleKind::Worker;
  role.name = worker.name;
  role.count = worker.count;
  role.user = worker.user;
  role.group = worker.group;
  role.isReloadable = worker.reloadable;
  role.hangTimeout = worker.hangTimeout;
  role.onChildEnded = [&worker](int slot, int status) {
    if (worker.onWorkerExit) worker.onWorkerExit(worker, slot, status);
  };
  if (!worker.listen().empty()) {
    listenOnUrl(worker.listen(), worker.ipv6Only, role);
    static_cast<void>(protocolOf(worker));
  }
  for (const std::string& url : worker.alsoListen) {
    checkFurtherAddress(worker, url);
    listenOnUrl(url, worker.ipv6Only, role);
  }
  for (process::Listening& listening : role.listen) {
    if (!listening.address.isUnix()) continue;
    listening.mode = worker.socketMode;
    listening.owner = worker.socketOwner.empty() ? worker.user : worker.socketOwner;
    listening.group = worker.socketGroup.empty() ? worker.group : worker.socketGroup;
  }
  const auto tls = TlsCredentials::of(worker.tls);
  role.credentials = tls;
  const auto admission =
      std::make_shared<net::SharedAdmission>(worker.limits, worker.count, openFilesMax());
  role.onSlotFree = [admission](int part) { admission->release(part); };
  role.main = [&worker, tls, admission](process::Child& child) -> std::shared_ptr<void> {
    masterOfWorker = ::getppid();
    return std::make_shared<WorkerProcess>(worker, child, tls ? tls->context() : nullptr,
                                           admission.get());
  };
  return role;
}

/// A Worker may publish each message that it accepts, so the Channel must accept it too. (A program
/// may publish a longer message; then publish() returns Refused.)
std::size_t packageSizeOf(const channel::Server& server) {
  std::size_t sizeMax = std::max(server.maxPackageSize, channel::kDefaultFrameBytesMax);
  for (const Worker* worker : declaredWorkers()) {
    if (worker->listen().empty()) continue;  // accepts nothing
    const std::size_t accepted =
        worker->maxPackageSize.value_or(protocolOf(*worker).maxPackageSize);
    const std::size_t needed = accepted + channel::kFrameOverheadBytesMax;
    if (server.maxPackageSize != 0 && server.maxPackageSize < needed) {
      throw std::invalid_argument("worker '" + worker->name + "' accepts messages of " +
                                  std::to_string(accepted) + " bytes, but channel '" + server.name +
                                  "' accepts frames of " + std::to_string(server.maxPackageSize) +
                                  " bytes only (set its maxPackageSize to 0 or " +
                                  std::to_string(needed) + ", or lower the worker's)");
    }
    sizeMax = std::max(sizeMax, needed);
  }
  return server.maxPackageSize == 0 ? sizeMax : server.maxPackageSize;
}

/// Makes `server` the Channel to which this program's processes connect without an address.
void makeOwn(channel::Server& server, const std::string& directory, process::Role& role) {
  if (server.log.directory.empty()) server.log.directory = logDirectoryOf(server, directory);
  role.stateDirectory = server.log.directory;
  if (declaredWorkers().empty()) return;
  const std::string path = directory + "/channel.sock";
  channel::ownChannel() = {
      .url = "unix://" + path, .secret = server.secret, .frameBytesMax = server.maxPackageSize};
  role.listen.push_back({.label = "unix://" + path,
                         .address = Address::unixPath(path).value(),
                         .mode = 0600,
                         .isPrivate = true});
  // For `stormo pub` and the like, of the user who may also stop the program.
  const std::string backend = directory + "/" + process::kBackendSocket;
  role.listen.push_back({.label = "unix://" + backend,
                         .address = Address::unixPath(backend).value(),
                         .mode = 0600,
                         .isHidden = true});
}

/// What lives in the Channel's process.
struct ChannelProcess {
  ChannelProcess(process::Child& child, const channel::Server& server)
      : directory(UniqueFd(::dup(child.stateDirectory())), server.log.directory),
        process(child.loop(), server, makeLog(child, server, directory)) {}

  channel::RealLogDirectory directory;
  channel::ServerProcess process;
};

process::Role roleOf(channel::Server& server, const std::string& directory) {
  server.maxPackageSize = packageSizeOf(server);
  channel::checkExposure(server);
  checkCluster(server);
  process::Role role;
  role.kind = process::RoleKind::Channel;
  role.name = server.name;
  role.user = server.user;
  role.group = server.group;
  role.stateDirectory = server.log.directory;
  role.isInCluster = hasCluster(server);
  if (!server.url().empty()) listenOnUrl(server.url(), false, role);
  for (const std::string& url : server.alsoListen) listenOnUrl(url, false, role);
  for (process::Listening& listening : role.listen) {
    if (!listening.address.isUnix()) continue;
    listening.owner = server.socketOwner;
    listening.mode = 0600;
  }
  if (&server == channel::declaredServers().front()) makeOwn(server, directory, role);
  if (role.listen.empty()) {
    throw std::invalid_argument("channel '" + server.name + "' has no address and no worker");
  }
  const auto tls = TlsCredentials::of(server.tls);
  role.credentials = tls;
  role.main = [&server, tls](process::Child& child) -> std::shared_ptr<void> {
    auto channel = std::make_shared<ChannelProcess>(child, server);
    channel::ServerProcess& process = channel->process;
    if (tls) process.useTls(tls->context());
    child.onCredentials = [&process](const UniqueFd& file) {
      process.useTls(TlsCredentials::contextIn(file));
    };
    for (const int fd : child.listeners()) process.listen(fd);
    child.onConnections = [&child] {
      return connectionRows(net::ConnectionTable::of(child.loop()));
    };
    child.onStop = [&process, &child](process::StopOrder) {
      process.end([&child] { child.loop().stop(); });
    };
    return channel;
  };
  return role;
}

}  // namespace

std::vector<Worker*>& declaredWorkers() {
  static std::vector<Worker*> workers;
  return workers;
}

Protocol protocolOf(const Worker& worker) {
  if (worker.protocol) return *worker.protocol;
  if (worker.listen().empty()) return Protocol::tcp();
  const SocketUrl url = parseSocketUrl(worker.listen());
  return url.isUnix() ? Protocol::tcp() : Protocol::named(url.scheme);
}

std::vector<process::Role> declaredRoles(const std::string& directory) {
  std::vector<process::Role> roles;
  for (channel::Server* server : channel::declaredServers()) {
    roles.push_back(roleOf(*server, directory));
  }
  for (Worker* worker : declaredWorkers()) roles.push_back(roleOf(*worker));
  return roles;
}

Worker::Worker(std::string listen) : listen_(std::move(listen)) {
  declaredWorkers().push_back(this);
}

Worker::~Worker() { std::erase(declaredWorkers(), this); }

int Worker::runAll(int argc, char** argv) {
  ProgramOptions none(argc, argv);
  return runAll(none);
}

int Worker::runAll(ProgramOptions& options) {
  if (!options.isParsed_ && !options.parse()) return options.exitStatus();
  process::CommandLine& commandLine = *options.commandLine_;
  return commandLine.execute(
      [&] { return process::Program{.roles = declaredRoles(commandLine.instanceDirectory())}; });
}

void Worker::stopAll() {
  if (masterOfWorker == 0) {
    ::kill(::getpid(), SIGTERM);
  } else if (::getppid() == masterOfWorker) {  // an orphan's parent is a stranger
    ::kill(masterOfWorker, SIGTERM);
  }
}

int Worker::id() const { return process_ == nullptr ? 0 : process_->slot(); }

Connection* Worker::find(ConnectionId id) const {
  return process_ == nullptr ? nullptr : process_->find(id);
}

std::size_t Worker::connectionCount() const {
  return process_ == nullptr ? 0 : process_->clientCount();
}

void Worker::countGroupRefusal(bool dryRun) const {
  if (process_ != nullptr) process_->counters().limits.groupsPerClient.add(dryRun);
}

bool Worker::admitUser(Connection& connection, std::string_view userName) {
  return process_ == nullptr || process_->admitUser(connection, userName);
}

void Worker::forEachConnection(const std::function<void(Connection&)>& visit) const {
  if (process_ == nullptr) return;
  process_->forEachClient([&](net::ConnectionImpl& peer) {
    if (peer.isShown()) visit(peer);
  });
}

}  // namespace stormo
