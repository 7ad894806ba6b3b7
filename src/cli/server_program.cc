#include "cli/server_program.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "cli/token_access.h"
#include "cli/web_files.h"
#include "protocol/channel/packet.h"
#include "protocol/proxy/forwarded.h"
#include "sys/address.h"
#include "sys/log.h"

namespace stormo::cli {
namespace {

using config::Settings;

/// The frame size with which the Channel accepts each message that a client may send.
std::size_t frameBytesFor(const Settings& settings) {
  return std::max(channel::kDefaultFrameBytesMax,
                  settings.messageBytesMax + channel::kFrameOverheadBytesMax);
}

/// The first line of a file; empty without one.
std::string lineOf(const std::string& file) {
  return file.empty() ? std::string() : readSecrets(file, "").current;
}

std::vector<std::string> urlsOf(std::string_view list) {
  std::vector<std::string> urls;
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(','), list.size());
    urls.emplace_back(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return urls;
}

channel::ClusterSettings clusterOf(const Settings& settings) {
  return {.servers = urlsOf(settings.cluster),
          .stream = settings.natsStream,
          .node = settings.node,
          .goneAfter = settings.nodeGone,
          .replicas = static_cast<int>(settings.natsReplicas),
          .storage = settings.natsStorage == "memory" ? channel::StreamStorage::Memory
                                                      : channel::StreamStorage::File,
          .maxBytes = settings.natsMaxBytes,
          .user = settings.natsUser,
          .password = lineOf(settings.natsPasswordFile),
          .token = lineOf(settings.natsTokenFile),
          .nkeySeedFile = settings.natsNkeyFile,
          .credentialsFile = settings.natsCredentialsFile,
          .tls = {.authoritiesFile = settings.natsAuthorities,
                  .certificate = {.certificateFile = settings.natsCertificate,
                                  .keyFile = settings.natsKey}}};
}

/// Applies the settings for which isOfChannel() is true, but for those of TLS.
void apply(const Settings& settings, channel::Server& server) {
  server.maxPackageSize = frameBytesFor(settings);
  server.linkStallMax = settings.channelStall;
  server.replayBytesMax = settings.channelReplayBytes;
  server.replayAgeMax = settings.channelReplay;
  server.workermanPeers = settings.workermanPeers;
  server.log = {.directory = settings.channelLogDirectory,
                .sync = config::syncPolicyNamed(settings.channelLogSync).value(),
                .interval = std::chrono::milliseconds(settings.channelLogIntervalMs),
                .segmentBytes = settings.channelLogSegmentBytes,
                .totalBytesMax = settings.channelLogTotalBytes};
  server.history = {.groups = settings.historyGroups,
                    .messagesMax = settings.historyMessages,
                    .bytesMax = settings.historyBytes,
                    .ageMax = settings.historyAge,
                    .totalBytesMax = settings.historyTotalBytes};
  server.cluster = clusterOf(settings);
}

Tls tlsOf(const Settings& settings) {
  Tls tls{.clientAuthoritiesFile = settings.tlsClientAuthorities};
  for (std::size_t i = 0; i < settings.tlsCertificates.size(); ++i) {
    tls.certificates.push_back({.certificateFile = settings.tlsCertificates[i],
                                .keyFile = settings.tlsKeys.empty() ? "" : settings.tlsKeys[i]});
  }
  return tls;
}

TlsClient channelTlsOf(const Settings& settings) {
  return {.authoritiesFile = settings.channelAuthorities,
          .certificate = {.certificateFile = settings.channelCertificate,
                          .keyFile = settings.channelKey}};
}

ChannelOptions channelOptionsOf(const Settings& settings, const Secrets& secrets) {
  return {.secret = secrets.current,
          .tls = channelTlsOf(settings),
          .unackedBytesMax = settings.channelBufferBytes,
          .frameBytesMax = frameBytesFor(settings)};
}

Limits limitsOf(const Settings& settings) {
  const auto limit = [&](std::size_t max, std::string_view key) {
    return Limit{.max = max, .dryRun = settings.isDryRun(key)};
  };
  return {
      .connections = limit(settings.connectionsMax, "connections"),
      .connectionsPerAddress = limit(settings.connectionsPerAddress, "connections-per-address"),
      .connectionsPerUser = limit(settings.connectionsPerUser, "connections-per-user"),
      .connectionsPerSecond = limit(settings.connectionsPerSecond, "connections-per-second"),
      .handshakes = limit(settings.handshakesMax, "handshakes"),
      .messagesPerSecond = limit(settings.messagesPerSecond, "messages-per-second"),
      .bytesPerSecond = limit(settings.bytesPerSecond, "bytes-per-second"),
      .messagesPerSecondPerUser =
          limit(settings.messagesPerSecondPerUser, "messages-per-second-per-user"),
      .bytesPerSecondPerUser = limit(settings.bytesPerSecondPerUser, "bytes-per-second-per-user"),
      .overRate = settings.overRate == "close" ? OverRate::Close : OverRate::Wait,
      .outputBytes = limit(settings.outputBytesMax, "output-bytes"),
  };
}

/// Throws std::invalid_argument for a limit of users, if no client can have one.
void checkUserLimits(const Settings& settings, const AccessOptions& access) {
  if (!access.keys.empty() || access.moreKeysFollow) return;
  const std::pair<std::size_t, const char*> limits[] = {
      {settings.connectionsPerUser, "--connections-per-user"},
      {settings.messagesPerSecondPerUser, "--messages-per-second-per-user"},
      {settings.bytesPerSecondPerUser, "--bytes-per-second-per-user"}};
  for (const auto& [max, flag] : limits) {
    if (max == 0) continue;
    throw std::invalid_argument(std::string(flag) +
                                " needs a key of tokens (see [access]): without one no client has "
                                "a user");
  }
}

Settings checked(Settings settings) {
  if (const std::string wrong = contradiction(settings); !wrong.empty()) {
    throw std::invalid_argument(wrong);
  }
  return settings;
}

}  // namespace

ServerProgram::ServerProgram(Settings settings, const std::string& instanceDirectory)
    : settings_(checked(std::move(settings))),
      secrets_(readSecrets(settings_.channelSecretFile, kChannelSecretVariable)),
      access_(accessOf(settings_)),
      worker_(settings_.listen.front()),
      channel_(settings_.channel, channelOptionsOf(settings_, secrets_)),
      groupServer_(worker_, channel_,
                   {.groupsPerClientMax = settings_.groupsPerClientMax,
                    .groupsPerClientDryRun = settings_.isDryRun("groups-per-client"),
                    .badCommandsMax = settings_.badCommandsMax,
                    .badCommandsTime = settings_.badCommandsTime,
                    .refusedCommandsMax = settings_.refusedCommandsMax,
                    .replayBytesPerSecond = settings_.replayBytesPerSecond,
                    .slowRules = settings_.slow,
                    .access = access_}),
      keyFetch_(tokenKeyFetchOf(settings_)) {
  checkUserLimits(settings_, access_);
  if (settings_.channel.empty()) declareChannel();
  declareWorker();
  if (settings_.apiListen.empty()) return;
  api_.emplace(settings_, channelOptionsOf(settings_, secrets_), tlsOf(settings_),
               instanceDirectory);
}

void ServerProgram::declareChannel() {
  channel::Server& server = channelServer_.emplace();
  server.secret = secrets_.current;
  server.otherSecret = secrets_.other;
  server.user = settings_.user;
  server.group = settings_.group;
  server.socketOwner = settings_.user;
  apply(settings_, server);
  if (settings_.channelListen.empty()) return;
  server.alsoListen.push_back(settings_.channelListen);
  if (parseSocketUrl(settings_.channelListen).isTls()) server.tls = tlsOf(settings_);
}

void ServerProgram::declareWorker() {
  worker_.alsoListen.assign(settings_.listen.begin() + 1, settings_.listen.end());
  applyToWorker(settings_, worker_);
  worker_.tls = tlsOf(settings_);
  worker_.name = "stormo";
  worker_.count = static_cast<int>(settings_.workers);
  worker_.proxies = {.trusted = settings_.trustedProxies,
                     .header = proxy::forwardedHeaderNamed(settings_.proxyHeader).value(),
                     .proxyProtocol = settings_.proxyProtocol};
  worker_.protocol = Protocol::websocket();
  worker_.maxPackageSize = settings_.messageBytesMax;
  worker_.maxSendBufferSize = settings_.sendBufferBytesMax;
  worker_.pingInterval = settings_.pingInterval;
  worker_.pongTimeout = settings_.pongTimeout;
  worker_.handshakeTimeout = settings_.handshakeTimeout;
  worker_.messageTimeout = settings_.messageTimeout;
  worker_.maxIncompleteSize = settings_.incompleteBytesMax;
  worker_.limits = limitsOf(settings_);
  worker_.websocket.origins = settings_.origins;
  worker_.websocket.deflate.enabled = settings_.deflate;
  worker_.websocket.healthPages = true;
  if (settings_.page) worker_.websocket.pages["/"].body = kTryItPage;
  // Pages of any origin may import the script; `origins` decides which of them may connect.
  worker_.websocket.pages["/stormo.js"] = {.contentType = "text/javascript; charset=utf-8",
                                           .body = std::string(kStormoJs),
                                           .headers = {{"Access-Control-Allow-Origin", "*"}}};
  worker_.onWorkerStart = [this](Worker& worker) {
    if (worker.id() == 0) warnIfOpen();
    channel_.connect();
    if (keyFetch_) keyRefresh_.emplace(*keyFetch_, groupServer_).start();
  };
}

std::string ServerProgram::keyDirectory(const std::string& instanceDirectory) {
  if (!keyFetch_) return {};
  return keyFetch_->directory = instanceDirectory + "/token-keys";
}

void ServerProgram::warnIfOpen() const {
  if (!access_.keys.empty() || access_.moreKeysFollow || !access_.rules.empty()) return;
  const auto open = std::ranges::find_if(settings_.listen, &isPublic);
  if (open == settings_.listen.end()) return;
  log::warning(
      "everybody who can connect may join every group and send to it listen={} (to change "
      "this, see [access])",
      *open);
}

ChannelProgram::ChannelProgram(const ChannelSettings& settings) : server_(settings.listen) {
  const Secrets secrets = readSecrets(settings.secretFile, kChannelSecretVariable);
  server_.secret = secrets.current;
  server_.otherSecret = secrets.other;
  server_.tls = tlsOf(settings.common);
  server_.allowOpen = settings.open;
  apply(settings.common, server_);
}

}  // namespace stormo::cli
