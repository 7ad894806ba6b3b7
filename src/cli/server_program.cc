#include "cli/server_program.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <stdexcept>
#include <utility>

#include "cli/web_files.h"
#include "protocol/channel/packet.h"
#include "protocol/proxy/forwarded.h"
#include "sys/error_text.h"

namespace stormo::cli {
namespace {

using config::Settings;

/// The first line of the file, without white space at its end: that is a slip of an editor, or of
/// one that ends lines with CR and LF.
std::string readSecret(const std::string& path) {
  if (path.empty()) return {};
  errno = 0;
  std::ifstream file(path);
  std::string secret;
  if (!std::getline(file, secret) && errno != 0) {
    throw std::runtime_error("cannot read the secret file " + path + ": " + errorText(errno));
  }
  secret.erase(secret.find_last_not_of(" \t\r") + 1);
  if (secret.empty()) {
    throw std::runtime_error("no secret in " + path + " (its first line is the secret)");
  }
  if (secret.size() > channel::kSecretBytesMax) {
    throw std::runtime_error("the secret in " + path + " is too long (its first line may have " +
                             std::to_string(channel::kSecretBytesMax) + " bytes)");
  }
  return secret;
}

/// The frame size with which the Channel accepts each message that a client may send.
std::size_t frameBytesFor(const Settings& settings) {
  return std::max(channel::kDefaultFrameBytesMax,
                  settings.messageBytesMax + channel::kFrameOverheadBytesMax);
}

/// Applies the settings for which isOfChannel() is true.
void apply(const Settings& settings, channel::Server& server) {
  server.maxPackageSize = frameBytesFor(settings);
  server.linkStallMax = settings.channelStall;
  server.replayBytesMax = settings.channelReplayBytes;
  server.replayAgeMax = settings.channelReplay;
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
}

Settings checked(Settings settings) {
  if (const std::string wrong = contradiction(settings); !wrong.empty()) {
    throw std::invalid_argument(wrong);
  }
  return settings;
}

}  // namespace

ServerProgram::ServerProgram(Settings settings)
    : settings_(checked(std::move(settings))),
      secret_(readSecret(settings_.channelSecretFile)),
      worker_(settings_.listen.front()),
      channel_(settings_.channel, {.secret = secret_,
                                   .unackedBytesMax = settings_.channelBufferBytes,
                                   .frameBytesMax = frameBytesFor(settings_)}),
      groupServer_(worker_, channel_,
                   {.groupsPerClientMax = settings_.groupsPerClientMax,
                    .badCommandsMax = settings_.badCommandsMax,
                    .badCommandsTime = settings_.badCommandsTime,
                    .replayBytesPerSecond = settings_.replayBytesPerSecond,
                    .slowRules = settings_.slow}) {
  if (settings_.channel.empty()) declareChannel();
  declareWorker();
}

void ServerProgram::declareChannel() {
  channel::Server& server = channelServer_.emplace();
  server.secret = secret_;
  server.user = settings_.user;
  server.group = settings_.group;
  server.socketOwner = settings_.user;
  apply(settings_, server);
  if (!settings_.channelListen.empty()) server.alsoListen.push_back(settings_.channelListen);
}

void ServerProgram::declareWorker() {
  worker_.alsoListen.assign(settings_.listen.begin() + 1, settings_.listen.end());
  worker_.ipv6Only = settings_.ipv6Only;
  worker_.tls = {.certificateFile = settings_.tlsCertificate, .keyFile = settings_.tlsKey};
  worker_.name = "stormo";
  worker_.count = static_cast<int>(settings_.workers);
  worker_.user = settings_.user;
  worker_.group = settings_.group;
  if (!settings_.socketMode.empty()) {
    worker_.socketMode = config::socketModeIn(settings_.socketMode).value();
  }
  worker_.socketOwner = settings_.socketOwner;
  worker_.socketGroup = settings_.socketGroup;
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
  worker_.websocket.origins = settings_.origins;
  worker_.websocket.deflate.enabled = settings_.deflate;
  if (settings_.page) worker_.websocket.pages["/"].body = kTryItPage;
  // Pages of any origin may import the script; `origins` decides which of them may connect.
  worker_.websocket.pages["/stormo.js"] = {.contentType = "text/javascript; charset=utf-8",
                                           .body = std::string(kStormoJs),
                                           .headers = {{"Access-Control-Allow-Origin", "*"}}};
  worker_.onWorkerStart = [this](Worker&) { channel_.connect(); };
}

ChannelProgram::ChannelProgram(const ChannelSettings& settings) : server_(settings.listen) {
  server_.secret = readSecret(settings.secretFile);
  server_.allowOpen = settings.open;
  apply(settings.common, server_);
}

}  // namespace stormo::cli
