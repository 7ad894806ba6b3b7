#include "config/settings.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <stdexcept>

#include "config/slow_settings.h"
#include "protocol/proxy/forwarded.h"
#include "protocol/proxy/trusted_proxies.h"
#include "protocol/websocket/origin.h"
#include "sys/address.h"
#include "sys/log.h"

namespace stormo::config {
namespace {

std::string complaintOfUrl(const std::string& url,
                           std::initializer_list<std::string_view> schemes) {
  try {
    const SocketUrl parsed = parseSocketUrl(url);
    for (const std::string_view scheme : schemes) {
      if (parsed.scheme == scheme) return {};
    }
    std::string known;
    for (const std::string_view scheme : schemes) {
      known += (known.empty() ? "" : ", ") + std::string(scheme) + "://";
    }
    return "'" + url + "' has none of the schemes " + known;
  } catch (const std::invalid_argument& wrong) {
    return wrong.what();
  }
}

template <std::size_t Settings::*Member, std::size_t Max>
std::string mustBeWithin(const Settings& settings) {
  const std::size_t value = settings.*Member;
  if (value == 0) return "must be at least 1";
  return value <= Max ? std::string() : "must be at most " + std::to_string(Max);
}

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr std::size_t kGiB = std::size_t{1} << 30;
constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kDay = 24 * kHour;

template <std::chrono::seconds Settings::*Member, std::int64_t Max>
std::string mustLastAtMost(const Settings& settings) {
  const std::int64_t seconds = (settings.*Member).count();
  return seconds <= Max ? std::string() : "must be at most " + std::to_string(Max) + " seconds";
}

template <std::chrono::seconds Settings::*Member, std::int64_t Max>
std::string mustLast(const Settings& settings) {
  if ((settings.*Member).count() <= 0) return "must be at least 1 second";
  return mustLastAtMost<Member, Max>(settings);
}

constexpr SettingSpec kSpecs[] = {
    {"listen", "--listen",
     "address for clients: websocket://0.0.0.0:1234, websocket://[::]:1234 (accepts IPv4, too), or "
     "unix:///path; repeatable",
     &Settings::listen,
     [](const Settings& s) {
       if (s.listen.empty()) return std::string("must be at least one address");
       for (const std::string& url : s.listen) {
         if (std::string wrong = complaintOfUrl(url, {"websocket", "unix"}); !wrong.empty()) {
           return wrong;
         }
       }
       return std::string();
     }},
    {"ipv6only", "--ipv6only", "IPv6 addresses accept no IPv4 clients (true or false)",
     &Settings::ipv6Only},
    {"tls.cert", "--tls-cert",
     "PEM file with the certificate and the intermediate ones: clients speak TLS (wss://)",
     &Settings::tlsCertificate},
    {"tls.key", "--tls-key", "PEM file with the private key (default: it is in the certificate's)",
     &Settings::tlsKey},
    {"workers", "--workers", "number of worker processes (default: one for each processor)",
     &Settings::workers,
     [](const Settings& s) {
       return s.workers <= 1024 ? std::string() : std::string("must be at most 1024");
     }},
    {"user", "--user", "run as this user (needs root)", &Settings::user},
    {"group", "--group", "run as this group (needs root)", &Settings::group},
    {"socket-mode", "--socket-mode",
     "permissions of the unix sockets: 0660 (default: those that the umask leaves)",
     &Settings::socketMode,
     [](const Settings& s) {
       return s.socketMode.empty() || socketModeIn(s.socketMode)
                  ? std::string()
                  : std::string("must be octal permissions: 0660");
     }},
    {"socket-owner", "--socket-owner", "user that owns the unix sockets (default: --user)",
     &Settings::socketOwner},
    {"socket-group", "--socket-group", "group that owns the unix sockets (default: --group)",
     &Settings::socketGroup},
    {"trusted-proxies", "--trusted-proxies",
     "reverse proxies that state the client's address: 10.0.0.5, 10.0.0.0/8, fd00::/8, or unix for "
     "all peers of unix sockets (default: none); repeatable",
     &Settings::trustedProxies,
     [](const Settings& s) { return proxy::complaintOfTrustedProxies(s.trustedProxies); }},
    {"proxy-header", "--proxy-header",
     "the header that they set: X-Forwarded-For, X-Real-IP or Forwarded", &Settings::proxyHeader,
     [](const Settings& s) {
       return proxy::forwardedHeaderNamed(s.proxyHeader)
                  ? std::string()
                  : std::string("must be X-Forwarded-For, X-Real-IP or Forwarded");
     }},
    {"proxy-protocol", "--proxy-protocol",
     "address of --listen on which trusted proxies send the PROXY protocol; repeatable",
     &Settings::proxyProtocol},
    {"channel.url", "--channel",
     "use a Channel that runs elsewhere: unix:///path, stormo://host:2206, or frame://host:2206 "
     "(Workerman's)",
     &Settings::channel,
     [](const Settings& s) {
       return complaintOfUrl(s.channel, {"unix", "stormo", "frame"});
     }},
    {"channel.listen", "--channel-listen",
     "also let others connect to this server's Channel: frame://127.0.0.1:2206, or unix:///path",
     &Settings::channelListen,
     [](const Settings& s) {
       return complaintOfUrl(s.channelListen, {"frame", "stormo", "unix"});
     }},
    {"channel.secret-file", "--channel-secret-file",
     "file with the secret that links to the Channel must send", &Settings::channelSecretFile},
    {"channel.buffer-bytes", "--channel-buffer-bytes",
     "bytes that a worker keeps until the Channel acknowledges them; above it, clients wait",
     &Settings::channelBufferBytes, mustBeWithin<&Settings::channelBufferBytes, 64 * kGiB>},
    {"channel.stall-seconds", "--channel-stall-seconds",
     "time after which a link that accepts nothing from the Channel is closed",
     &Settings::channelStall, mustLast<&Settings::channelStall, kDay>},
    {"channel.replay-bytes", "--channel-replay-bytes",
     "bytes of the latest messages that the Channel keeps for links that reconnect",
     &Settings::channelReplayBytes, mustBeWithin<&Settings::channelReplayBytes, 64 * kGiB>},
    {"channel.replay-seconds", "--channel-replay-seconds", "time for which it keeps them",
     &Settings::channelReplay, mustLast<&Settings::channelReplay, 30 * kDay>},
    {"channel.log-dir", "--channel-log-dir",
     "directory of the Channel's log (default: channel-log in the instance's directory)",
     &Settings::channelLogDirectory},
    {"channel.log-sync", "--channel-log-sync",
     "when it is on disk: process (survives all processes), interval, or always (before an "
     "acknowledgement)",
     &Settings::channelLogSync,
     [](const Settings& s) {
       return syncPolicyNamed(s.channelLogSync)
                  ? std::string()
                  : std::string("must be process, interval or always");
     }},
    {"channel.log-interval-ms", "--channel-log-interval-ms",
     "milliseconds between two syncs, with interval", &Settings::channelLogIntervalMs,
     mustBeWithin<&Settings::channelLogIntervalMs, 3'600'000>},
    {"channel.log-segment-bytes", "--channel-log-segment-bytes", "bytes of one file of the log",
     &Settings::channelLogSegmentBytes,
     [](const Settings& s) {
       const bool fits = s.channelLogSegmentBytes >= kMiB && s.channelLogSegmentBytes <= 4 * kGiB;
       return fits ? std::string() : std::string("must be at least 1 MiB, and at most 4 GiB");
     }},
    {"channel.log-total-bytes", "--channel-log-total-bytes",
     "maximum bytes of all files of the log; above it, nothing is acknowledged",
     &Settings::channelLogTotalBytes, mustBeWithin<&Settings::channelLogTotalBytes, 512 * kGiB>},
    {"history.groups", "--history-groups",
     "names of groups that have a history, for clients that reconnect (* is any text, ? a "
     "character; default: none); repeatable",
     &Settings::historyGroups},
    {"history.messages", "--history-messages",
     "number of messages that are kept for each of these groups", &Settings::historyMessages,
     mustBeWithin<&Settings::historyMessages, 1'000'000>},
    {"history.bytes", "--history-bytes", "bytes that are kept for each of them",
     &Settings::historyBytes,
     [](const Settings& s) {
       const bool fits = s.historyBytes > 0 && s.historyBytes <= 1 << 30;
       return fits ? std::string() : std::string("must be at least 1, and at most 1 GiB");
     }},
    {"history.seconds", "--history-seconds", "time for which they are kept", &Settings::historyAge,
     mustLast<&Settings::historyAge, 365 * kDay>},
    {"history.total-bytes", "--history-total-bytes", "bytes that are kept for all groups together",
     &Settings::historyTotalBytes, mustBeWithin<&Settings::historyTotalBytes, 64 * kGiB>},
    {"limits.message-bytes", "--message-bytes", "maximum bytes of one message from a client",
     &Settings::messageBytesMax, mustBeWithin<&Settings::messageBytesMax, kGiB>},
    {"limits.incomplete-bytes", "--incomplete-bytes",
     "bytes of incomplete messages that a worker holds; above it, it closes the clients that hold "
     "the most for the longest time",
     &Settings::incompleteBytesMax, mustBeWithin<&Settings::incompleteBytesMax, 64 * kGiB>},
    {"limits.send-buffer-bytes", "--send-buffer-bytes",
     "maximum bytes queued for a client; above it, the client is disconnected",
     &Settings::sendBufferBytesMax, mustBeWithin<&Settings::sendBufferBytesMax, 4 * kGiB>},
    {"limits.groups-per-client", "--groups-per-client",
     "maximum number of groups that one client is in", &Settings::groupsPerClientMax,
     mustBeWithin<&Settings::groupsPerClientMax, 1'000'000>},
    {"limits.bad-commands", "--bad-commands",
     "number of errors in a row after which a client is disconnected", &Settings::badCommandsMax,
     mustBeWithin<&Settings::badCommandsMax, 1'000'000>},
    {"limits.bad-commands-seconds", "--bad-commands-seconds",
     "time within which that number of errors disconnects a client", &Settings::badCommandsTime,
     mustLast<&Settings::badCommandsTime, kDay>},
    {"limits.replay-bytes-per-second", "--replay-bytes-per-second",
     "bytes of missed messages that one client receives in a second",
     &Settings::replayBytesPerSecond, mustBeWithin<&Settings::replayBytesPerSecond, 64 * kGiB>},
    {"slow", "--slow",
     "what clients that read too slowly miss of the groups of a pattern: PATTERN=disconnect, "
     "drop-oldest, drop-newest, latest, or latest:MS for at most one message in MS milliseconds "
     "(default: disconnect); repeatable",
     &Settings::slow, [](const Settings& s) { return complaintOfSlowRules(s.slow); }},
    {"websocket.origins", "--origin",
     "origins whose pages may connect, https://chat.example, https://*.chat.example, "
     "http://localhost:* (default: any); repeatable",
     &Settings::origins,
     [](const Settings& s) { return websocket::complaintOfOrigins(s.origins); }},
    {"websocket.ping-interval", "--ping-interval", "seconds of silence before a ping; 0: no pings",
     &Settings::pingInterval, mustLastAtMost<&Settings::pingInterval, kDay>},
    {"websocket.pong-timeout", "--pong-timeout", "seconds to answer a ping", &Settings::pongTimeout,
     mustLast<&Settings::pongTimeout, kDay>},
    {"websocket.handshake-timeout", "--handshake-timeout", "seconds for the opening handshake",
     &Settings::handshakeTimeout, mustLast<&Settings::handshakeTimeout, kDay>},
    {"websocket.message-timeout", "--message-timeout",
     "seconds for each 32 KiB of a message; 0: no time-out", &Settings::messageTimeout,
     mustLastAtMost<&Settings::messageTimeout, kDay>},
    {"websocket.deflate", "--deflate",
     "compress messages for clients that offer it, as browsers do (true or false)",
     &Settings::deflate},
    {"websocket.page", "--page",
     "serve a page to try it at / (true or false; /stormo.js is always served)", &Settings::page},
    {"log.level", "--log-level", "least level that is logged: error, warning, info or debug",
     &Settings::logLevel,
     [](const Settings& s) {
       return log::levelNamed(s.logLevel) ? std::string()
                                          : std::string("must be error, warning, info or debug");
     }},
    {"log.format", "--log-format", "form of a line of the log: text or json", &Settings::logFormat,
     [](const Settings& s) {
       return log::formatNamed(s.logFormat) ? std::string() : std::string("must be text or json");
     }},
};

std::size_t numberIn(const SettingSpec& spec, const std::string& word) {
  std::size_t number = 0;
  const auto [end, errc] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (errc != std::errc{} || end != word.data() + word.size()) {
    throw std::invalid_argument(std::string(spec.flag) + ": '" + word + "' is not a number");
  }
  return number;
}

bool boolIn(const SettingSpec& spec, const std::string& word) {
  if (word == "true" || word == "yes" || word == "on" || word == "1") return true;
  if (word == "false" || word == "no" || word == "off" || word == "0") return false;
  throw std::invalid_argument(std::string(spec.flag) + ": '" + word +
                              "' is neither true nor false");
}

struct FlagSetter {
  const SettingSpec& spec;
  const std::vector<std::string>& words;
  Settings& settings;

  void operator()(std::string Settings::*member) const { settings.*member = words.back(); }
  void operator()(std::size_t Settings::*member) const {
    settings.*member = numberIn(spec, words.back());
  }
  void operator()(bool Settings::*member) const { settings.*member = boolIn(spec, words.back()); }
  void operator()(std::chrono::seconds Settings::*member) const {
    settings.*member = std::chrono::seconds(numberIn(spec, words.back()));
  }
  void operator()(std::vector<std::string> Settings::*member) const { settings.*member = words; }
  void operator()(std::vector<SlowRule> Settings::*member) const {
    (settings.*member).clear();
    for (const std::string& word : words) {
      const auto rule = slowRuleIn(word);
      if (!rule) {
        throw std::invalid_argument(std::string(spec.flag) + ": '" + word + "' is not " +
                                    std::string(kSlowRuleForm));
      }
      (settings.*member).push_back(*rule);
    }
  }
};

}  // namespace

std::optional<channel::SyncPolicy> syncPolicyNamed(std::string_view name) {
  using channel::SyncPolicy;
  for (const auto policy : {SyncPolicy::Process, SyncPolicy::Interval, SyncPolicy::Always}) {
    if (name == syncPolicyText(policy)) return policy;
  }
  return std::nullopt;
}

std::optional<unsigned> socketModeIn(std::string_view octal) {
  unsigned mode = 0;
  const auto [end, errc] = std::from_chars(octal.data(), octal.data() + octal.size(), mode, 8);
  const bool isWhole = errc == std::errc{} && end == octal.data() + octal.size();
  return isWhole && mode > 0 && mode <= 0777 ? std::optional(mode) : std::nullopt;
}

std::span<const SettingSpec> settingSpecs() { return kSpecs; }

bool SettingSpec::isOfChannel() const {
  const std::string_view name = key;
  return name.starts_with("history.") || name.starts_with("channel.replay-") ||
         name.starts_with("channel.log-") || name == "channel.stall-seconds" ||
         name == "limits.message-bytes";
}

bool SettingSpec::isFile() const {
  const std::string_view name = flag;
  return name.ends_with("-file") || name.starts_with("--tls-");
}

bool SettingSpec::isOfLog() const { return std::string_view(key).starts_with("log."); }

void applyFlag(const SettingSpec& spec, const std::vector<std::string>& words, Settings& settings) {
  std::visit(FlagSetter{spec, words, settings}, spec.member);
  const std::string complaint =
      spec.complaint == nullptr ? std::string() : spec.complaint(settings);
  if (!complaint.empty()) throw std::invalid_argument(std::string(spec.flag) + ": " + complaint);
}

std::string contradiction(const Settings& settings) {
  if (settings.tlsCertificate.empty() && !settings.tlsKey.empty()) {
    return "--tls-key needs --tls-cert, the file with the certificate of that key";
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
  if (settings.channelLogTotalBytes < 4 * settings.channelLogSegmentBytes) {
    return "--channel-log-total-bytes is less than four times --channel-log-segment-bytes: the log "
           "would be full before it can be shortened";
  }
  if (!settings.historyGroups.empty() && settings.historyBytes > settings.sendBufferBytesMax) {
    return "--history-bytes is more than --send-buffer-bytes: a client that reconnects would be "
           "disconnected before it has read it";
  }
  if (settings.messageBytesMax > settings.incompleteBytesMax) {
    return "--message-bytes is more than --incomplete-bytes: a client with such a message would be "
           "disconnected before it has sent it";
  }
  return {};
}

}  // namespace stormo::config
