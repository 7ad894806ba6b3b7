// Which settings contradict each other.
#include <algorithm>

#include "config/settings.h"
#include "protocol/proxy/trusted_proxies.h"
#include "sys/address.h"

namespace stormo::config {

std::string contradiction(const Settings& settings) {
  if (settings.tlsCertificates.empty() && !settings.tlsKeys.empty()) {
    return "--tls-key needs --tls-cert, the file with the certificate of that key";
  }
  if (!settings.tlsKeys.empty() && settings.tlsKeys.size() != settings.tlsCertificates.size()) {
    return "--tls-key is given " + std::to_string(settings.tlsKeys.size()) +
           " times and --tls-cert " + std::to_string(settings.tlsCertificates.size()) +
           " times: give each certificate its key, in the same order";
  }
  if (settings.tlsCertificates.empty() && !settings.tlsClientAuthorities.empty()) {
    return "--tls-client-ca needs --tls-cert: clients show a certificate only to a server that "
           "has one";
  }
  if (settings.tlsCertificates.empty() && !settings.channelListen.empty() &&
      parseSocketUrl(settings.channelListen).isTls()) {
    return "--channel-listen " + settings.channelListen + " needs --tls-cert";
  }
  for (const std::string& url : settings.apiListen) {
    if (url.starts_with("https://") && settings.tlsCertificates.empty()) {
      return "--api-listen " + url + " needs --tls-cert";
    }
  }
  const auto hasApi = [&](std::string_view scheme) {
    return std::ranges::any_of(settings.apiListen,
                               [&](const std::string& url) { return url.starts_with(scheme); });
  };
  if (hasApi("http://") && hasApi("https://")) {
    return "--api-listen has addresses with http:// and with https://: use one of both";
  }
  for (const std::string& url : settings.proxyProtocol) {
    if (std::ranges::find(settings.listen, url) == settings.listen.end()) {
      return "--proxy-protocol " + url + " is none of the addresses of --listen";
    }
    const proxy::TrustedProxies trusted(settings.trustedProxies);
    const bool isUnix = parseSocketUrl(url).isUnix();
    if (isUnix ? !trusted.trustsUnix() : !trusted.trustsNetworks()) {
      return "--proxy-protocol " + url +
             " is for trusted proxies only, and --trusted-proxies has " +
             (isUnix ? "no unix" : "no address");
    }
  }
  if (!settings.channel.empty() && !settings.channelListen.empty()) {
    return "--channel uses a Channel that runs elsewhere, --channel-listen opens the one of this "
           "server: set only one of them";
  }
  if (!settings.channel.empty() && !settings.historyGroups.empty()) {
    return "--history-groups is kept by the Channel, and --channel uses one that runs elsewhere: "
           "set it there";
  }
  if (!settings.channel.empty() && !settings.channelLogDirectory.empty()) {
    return "--channel-log-dir is for the Channel of this server, and --channel uses one that runs "
           "elsewhere: set it there";
  }
  if (!settings.channel.empty() && !settings.cluster.empty()) {
    return "--cluster joins the Channel of this server with others, and --channel uses one that "
           "runs elsewhere: set only one of them";
  }
  if (settings.channelLogTotalBytes < 4 * settings.channelLogSegmentBytes) {
    return "--channel-log-total-bytes is less than four times --channel-log-segment-bytes: the log "
           "would be full before it can be shortened";
  }
  if (!settings.historyGroups.empty() && settings.historyBytes > settings.sendBufferBytesMax) {
    return "--history-bytes is more than --send-buffer-bytes: a client that reconnects would be "
           "disconnected before it has read it";
  }
  if (settings.outputBytesMax > 0 && settings.outputBytesMax < settings.sendBufferBytesMax) {
    return "--output-bytes, of all clients of a worker, is less than --send-buffer-bytes, of one";
  }
  if (settings.tokenKeySetUrl.empty() && !settings.tokenKeySetAuthorities.empty()) {
    return "--token-key-set-ca-file is for the server of --token-key-set-url, which is not set";
  }
  if (!settings.tokenCookie.empty() && settings.origins.empty()) {
    return "--token-cookie needs --origin: browsers send a cookie for pages of any origin, which "
           "could act in the name of their visitors";
  }
  if (settings.messageBytesMax > settings.incompleteBytesMax) {
    return "--message-bytes is more than --incomplete-bytes: a client with such a message would be "
           "disconnected before it has sent it";
  }
  return {};
}

}  // namespace stormo::config
