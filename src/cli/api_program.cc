#include "cli/api_program.h"

#include <algorithm>
#include <vector>

#include "cli/api_key_file.h"
#include "config/api_key_settings.h"
#include "sys/address.h"
#include "sys/log.h"

namespace stormo::cli {
namespace {

constexpr std::size_t kBodyBytesMax = 8 << 20;
constexpr std::string_view kSecure = "https://";

/// A Worker's scheme is http:// with TLS, too.
std::string listenUrl(const std::string& url) {
  return url.starts_with(kSecure) ? "http://" + url.substr(kSecure.size()) : url;
}

std::vector<ApiKey> keysOf(const config::Settings& settings, const std::string& directory) {
  std::vector<ApiKey> keys;
  for (const std::string& word : settings.apiKeys) {
    const config::ApiKeySetting key = config::apiKeyIn(word).value();
    keys.push_back({.name = key.name, .hash = key.hash, .rights = key.rights});
  }
  if (!directory.empty()) {
    keys.push_back({.name = std::string(kMachineKeyName),
                    .hash = hashOfApiKey(machineApiKey(directory)),
                    .rights = {"publish", "control", "read"}});
  }
  return keys;
}

}  // namespace

bool isPublic(const std::string& url) {
  const SocketUrl parsed = parseSocketUrl(url);
  if (parsed.isUnix() || parsed.host == "localhost") return false;
  const auto address = Address::ip(parsed.host, parsed.port);
  return !address || !address->isLocal();
}

void applyToWorker(const config::Settings& settings, Worker& worker) {
  worker.ipv6Only = settings.ipv6Only;
  worker.hangTimeout = settings.hangTimeout;
  worker.user = settings.user;
  worker.group = settings.group;
  if (!settings.socketMode.empty()) {
    worker.socketMode = config::socketModeIn(settings.socketMode).value();
  }
  worker.socketOwner = settings.socketOwner;
  worker.socketGroup = settings.socketGroup;
}

ApiProgram::ApiProgram(const config::Settings& settings, const ChannelOptions& channelOptions,
                       const Tls& tls, const std::string& instanceDirectory)
    : worker_(listenUrl(settings.apiListen.front())),
      channel_(settings.channel, channelOptions),
      server_(worker_, channel_,
              {.keys = keysOf(settings, instanceDirectory),
               .unackedBytesMax = settings.channelBufferBytes}) {
  const std::vector<std::string>& urls = settings.apiListen;
  for (std::size_t i = 1; i < urls.size(); ++i) worker_.alsoListen.push_back(listenUrl(urls[i]));
  const bool isSecure =
      std::ranges::any_of(urls, [](const std::string& url) { return url.starts_with(kSecure); });
  if (isSecure) worker_.tls = tls;
  worker_.protocol = Protocol::http();
  applyToWorker(settings, worker_);
  worker_.name = "api";
  worker_.count = static_cast<int>(settings.apiProcesses);
  worker_.maxPackageSize = kBodyBytesMax;
  worker_.websocket.healthPages = true;
  worker_.onWorkerStart = [this, urls, isSecure](Worker& worker) {
    const auto open = std::ranges::find_if(urls, &isPublic);
    if (worker.id() == 0 && !isSecure && open != urls.end()) {
      log::warning(
          "the HTTP API is not encrypted: keys and messages can be read on the way listen={} (to "
          "change this, use https:// and [tls])",
          *open);
    }
    channel_.connect();
  };
}

}  // namespace stormo::cli
