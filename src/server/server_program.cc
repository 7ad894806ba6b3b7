#include "server/server_program.h"

#include <cerrno>
#include <fstream>
#include <stdexcept>

#include "protocol/channel/packet.h"
#include "server/web_files.h"
#include "sys/address.h"
#include "sys/error_text.h"
#include "sys/log.h"
#include "sys/processors.h"
#include "worker/declaration.h"

namespace stormo::server {
namespace {

constexpr const char* kStateFile = "/channel.state";  // in the instance's directory

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

/// A Channel::Server for any of the URLs that say where to listen: the scheme promises nothing
/// here, as the server speaks both dialects on one socket.
std::unique_ptr<channel::Server> channelAt(const std::string& url) {
  const SocketUrl parsed = parseSocketUrl(url);
  return parsed.isUnix() ? std::make_unique<channel::Server>(url)
                         : std::make_unique<channel::Server>(parsed.host, parsed.port);
}

/// So that every message that a client may send is one that the Channel accepts.
std::size_t frameBytesFor(const Settings& settings) {
  return std::max(channel::kDefaultFrameBytesMax,
                  settings.messageBytesMax + channel::kFrameOverheadBytesMax);
}

/// What isOfChannel() of them.
void applyToChannel(const Settings& settings, channel::Server& channel) {
  channel.maxPackageSize = frameBytesFor(settings);
  channel.linkStallMax = settings.channelStall;
  channel.replayBytesMax = settings.channelReplayBytes;
  channel.replayAgeMax = settings.channelReplay;
  channel.history = {.groups = settings.historyGroups,
                     .messagesMax = settings.historyMessages,
                     .bytesMax = settings.historyBytes,
                     .ageMax = settings.historyAge,
                     .totalBytesMax = settings.historyTotalBytes};
}

}  // namespace

ServerProgram::ServerProgram(Settings settings, const std::string& directory)
    : settings_(std::move(settings)) {
  if (const std::string wrong = contradiction(settings_); !wrong.empty()) {
    throw std::invalid_argument(wrong);
  }
  busOptions_.secret = readSecret(settings_.channelSecretFile);
  busOptions_.keptBytesMax = settings_.channelBufferBytes;
  busOptions_.frameBytesMax = frameBytesFor(settings_);
  if (settings_.channel.empty()) {
    declareChannel(directory);
  } else {
    channelUrl_ = settings_.channel;
  }
  declareWorker();
}

void ServerProgram::declareChannel(const std::string& directory) {
  const std::string privateUrl = "unix://" + directory + "/channel.sock";
  channelUrl_ = privateUrl;
  channel_ = channelAt(privateUrl);
  channel_->stateFile = directory + kStateFile;
  channel_->secret = busOptions_.secret;
  channel_->user = settings_.user;
  channel_->group = settings_.group;
  channel_->socketOwner = settings_.user;
  channel_->privateSocket = true;
  applyToChannel(settings_, *channel_);
  if (!settings_.channelListen.empty()) channel_->alsoListen.push_back(settings_.channelListen);
}

void ServerProgram::declareWorker() {
  worker_ = std::make_unique<Worker>(settings_.listen.front());
  worker_->alsoListen.assign(settings_.listen.begin() + 1, settings_.listen.end());
  worker_->ipv6Only = settings_.ipv6Only;
  worker_->name = "stormo";
  worker_->count =
      static_cast<int>(settings_.workers != 0 ? settings_.workers : usableProcessors());
  worker_->user = settings_.user;
  worker_->group = settings_.group;
  worker_->protocol = Protocol::websocket();
  worker_->maxPackageSize = settings_.messageBytesMax;
  worker_->maxSendBufferSize = settings_.sendBufferBytesMax;
  worker_->pingInterval = settings_.pingInterval;
  worker_->pongTimeout = settings_.pongTimeout;
  worker_->handshakeTimeout = settings_.handshakeTimeout;
  worker_->messageTimeout = settings_.messageTimeout;
  worker_->maxIncompleteSize = settings_.incompleteBytesMax;
  worker_->websocket.origins = settings_.origins;
  if (settings_.page) worker_->websocket.pages["/"].body = kTryItPage;
  // Pages of any origin may import it; who may connect is another question.
  worker_->websocket.pages["/stormo.js"] = {.contentType = "text/javascript; charset=utf-8",
                                            .body = std::string(kStormoJs),
                                            .headers = {{"Access-Control-Allow-Origin", "*"}}};

  worker_->onWorkerStart = [this](Worker& worker) {
    groupServer_ = std::make_unique<GroupServer>(worker, settings_, channelUrl_, busOptions_);
  };
  worker_->websocket.subprotocols = {std::string(v1::kSubprotocol)};
  worker_->onWebSocketConnect = [this](Connection& connection, WebSocketHandshake& handshake) {
    groupServer_->onWebSocketConnect(connection, handshake);
  };
  worker_->onMessage = [this](Connection& connection, Message message) {
    groupServer_->onMessage(connection, message);
  };
  worker_->hasRoom = [this] { return groupServer_->hasRoom(); };
}

process::Program ServerProgram::program() {
  return {.roles = declaredRoles(),
          .logLevel = log::levelNamed(settings_.logLevel).value(),
          .logFormat = log::formatNamed(settings_.logFormat).value()};
}

ChannelProgram::ChannelProgram(const ChannelSettings& settings, const std::string& directory)
    : channel_(channelAt(settings.listen)) {
  channel_->stateFile = directory + kStateFile;
  channel_->secret = readSecret(settings.secretFile);
  channel_->allowOpen = settings.open;
  applyToChannel(settings.common, *channel_);
}

process::Program ChannelProgram::program() { return {.roles = declaredRoles()}; }

}  // namespace stormo::server
