// All settings: their keys, flags, help, and what their values must be.
#include <algorithm>
#include <initializer_list>
#include <stdexcept>

#include "config/api_key_settings.h"
#include "config/complaints.h"
#include "config/key_set_url.h"
#include "config/rule_settings.h"
#include "config/settings.h"
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

/// The keys in [limits] that can be dry runs.
constexpr std::string_view kDryRuns[] = {"connections",
                                         "connections-per-address",
                                         "connections-per-user",
                                         "connections-per-second",
                                         "handshakes",
                                         "messages-per-second",
                                         "bytes-per-second",
                                         "messages-per-second-per-user",
                                         "bytes-per-second-per-user",
                                         "groups-per-client",
                                         "output-bytes"};

std::string complaintOfDryRuns(const Settings& settings) {
  for (const std::string& name : settings.dryRunLimits) {
    if (std::ranges::find(kDryRuns, name) != std::end(kDryRuns)) continue;
    std::string known;
    for (const std::string_view each : kDryRuns) {
      if (!known.empty()) known += ", ";
      known += each;
    }
    return std::string("'").append(name).append("' is none of ").append(known);
  }
  return {};
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
    {"ipv6only", "--ipv6only", "IPv6 addresses accept no IPv4 clients", &Settings::ipv6Only},
    {"tls.cert", "--tls-cert",
     "PEM file with the certificate and the intermediate ones: clients speak TLS (wss://); "
     "repeatable: the host name that a client asks for selects one",
     &Settings::tlsCertificates},
    {"tls.key", "--tls-key",
     "PEM file with the private key (default: it is in the certificate's file); repeatable, in the "
     "order of the certificates",
     &Settings::tlsKeys},
    {"tls.client-ca", "--tls-client-ca",
     "PEM file with authorities: clients need a certificate of one of them (mutual TLS)",
     &Settings::tlsClientAuthorities},
    {"workers", "--workers", "number of worker processes (default: one for each processor)",
     &Settings::workers,
     [](const Settings& s) {
       return s.workers <= 1024 ? std::string() : std::string("must be at most 1024");
     }},
    {"hang-timeout", "--hang-timeout",
     "seconds after which a worker that does not answer is killed and replaced; 0: never",
     &Settings::hangTimeout, mustLastAtMost<&Settings::hangTimeout, kDay>},
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
     "(Workerman's); stormos:// and frames:// with TLS",
     &Settings::channel,
     [](const Settings& s) {
       return complaintOfUrl(s.channel, {"unix", "stormo", "stormos", "frame", "frames"});
     }},
    {"channel.listen", "--channel-listen",
     "also let others connect to this server's Channel: frame://127.0.0.1:2206, frames://… with "
     "TLS, or unix:///path",
     &Settings::channelListen,
     [](const Settings& s) {
       return complaintOfUrl(s.channelListen, {"frame", "frames", "stormo", "stormos", "unix"});
     }},
    {"channel.ca-file", "--channel-ca-file",
     "PEM file with the authorities of a Channel with stormos:// (default: the system's)",
     &Settings::channelAuthorities},
    {"channel.cert-file", "--channel-cert-file",
     "PEM file with the certificate for a Channel that requires one",
     &Settings::channelCertificate},
    {"channel.key-file", "--channel-key-file",
     "PEM file with its private key (default: it is in the certificate's file)",
     &Settings::channelKey},
    {"channel.workerman-peers", "--channel-workerman-peers",
     "address or network of PHP processes that may link to the Channel without a secret, in "
     "addition to those of this machine; repeatable",
     &Settings::workermanPeers,
     [](const Settings& s) { return proxy::complaintOfTrustedProxies(s.workermanPeers); }},
    {"channel.secret-file", "--channel-secret-file",
     "file with the secret that links to the Channel must know; a second line is accepted, too "
     "(default: $STORMO_CHANNEL_SECRET)",
     &Settings::channelSecretFile},
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
    {"limits.refused-commands", "--refused-commands",
     "number of forbidden joins and sends in a row after which a client is disconnected",
     &Settings::refusedCommandsMax, mustBeWithin<&Settings::refusedCommandsMax, 1'000'000>},
    {"limits.replay-bytes-per-second", "--replay-bytes-per-second",
     "bytes of missed messages that one client receives in a second",
     &Settings::replayBytesPerSecond, mustBeWithin<&Settings::replayBytesPerSecond, 64 * kGiB>},
    {"limits.connections", "--connections",
     "maximum number of clients of all workers; one more gets 503 (default: 0, no limit)",
     &Settings::connectionsMax, mustBeAtMost<&Settings::connectionsMax, 16'000'000>},
    {"limits.connections-per-address", "--connections-per-address",
     "maximum number of clients of one IPv4 address, or IPv6 /64; one more gets 429 (0: no limit)",
     &Settings::connectionsPerAddress, mustBeAtMost<&Settings::connectionsPerAddress, 16'000'000>},
    {"limits.connections-per-user", "--connections-per-user",
     "maximum number of clients of one user, by its tokens; one more is closed with 4429 (0: no "
     "limit)",
     &Settings::connectionsPerUser, mustBeAtMost<&Settings::connectionsPerUser, 16'000'000>},
    {"limits.connections-per-second", "--connections-per-second",
     "maximum number of new clients in a second; one more gets 429 (0: no limit)",
     &Settings::connectionsPerSecond, mustBeAtMost<&Settings::connectionsPerSecond, 1'000'000>},
    {"limits.handshakes", "--handshakes",
     "maximum number of opening handshakes in progress; above it, the oldest gets 503 (0: no "
     "limit)",
     &Settings::handshakesMax, mustBeAtMost<&Settings::handshakesMax, 16'000'000>},
    {"limits.messages-per-second", "--messages-per-second",
     "maximum number of messages from one client in a second, on average (0: no limit)",
     &Settings::messagesPerSecond, mustBeAtMost<&Settings::messagesPerSecond, 1'000'000'000>},
    {"limits.bytes-per-second", "--bytes-per-second",
     "maximum bytes from one client in a second, on average (0: no limit)",
     &Settings::bytesPerSecond, mustBeAtMost<&Settings::bytesPerSecond, 64 * kGiB>},
    {"limits.messages-per-second-per-user", "--messages-per-second-per-user",
     "maximum number of messages from all clients of one user to one worker in a second, on "
     "average "
     "(0: no limit)",
     &Settings::messagesPerSecondPerUser,
     mustBeAtMost<&Settings::messagesPerSecondPerUser, 1'000'000'000>},
    {"limits.bytes-per-second-per-user", "--bytes-per-second-per-user",
     "maximum bytes from all clients of one user to one worker in a second, on average (0: no "
     "limit)",
     &Settings::bytesPerSecondPerUser, mustBeAtMost<&Settings::bytesPerSecondPerUser, 64 * kGiB>},
    {"limits.over-rate", "--over-rate",
     "what happens to a client above these rates: wait (it is read more slowly) or close (1008)",
     &Settings::overRate,
     [](const Settings& s) {
       return s.overRate == "wait" || s.overRate == "close" ? std::string()
                                                            : std::string("must be wait or close");
     }},
    {"limits.output-bytes", "--output-bytes",
     "memory that the output of one worker holds; above it, the clients with the longest queues "
     "are closed (0: no limit)",
     &Settings::outputBytesMax, mustBeAtMost<&Settings::outputBytesMax, 512 * kGiB>},
    {"limits.dry-run", "--limits-dry-run",
     "limit that only counts in `status` what it would refuse: connections-per-address, …; "
     "repeatable",
     &Settings::dryRunLimits, complaintOfDryRuns},
    {"access.secret-file", "--token-secret-file",
     "file with the secret that tokens of clients are signed with: a client may do what its token "
     "states, and nothing without one; a second line is accepted, too (default: "
     "$STORMO_TOKEN_SECRET)",
     &Settings::tokenSecretFile},
    {"access.key-files", "--token-key-file",
     "PEM file with the public key, or the certificate, of those who sign tokens; repeatable",
     &Settings::tokenKeyFiles},
    {"access.key-set-file", "--token-key-set-file",
     "JSON file with their public keys, as a JWK Set", &Settings::tokenKeySetFile},
    {"access.key-set-url", "--token-key-set-url",
     "https:// URL of their JWK Set, which is fetched again when it is old, and for keys that it "
     "does not have",
     &Settings::tokenKeySetUrl,
     [](const Settings& s) { return complaintOfKeySetUrl(s.tokenKeySetUrl); }},
    {"access.key-set-ca-file", "--token-key-set-ca-file",
     "PEM file with the authorities of that URL's server (default: the system's)",
     &Settings::tokenKeySetAuthorities},
    {"access.key-set-refresh-seconds", "--token-key-set-refresh-seconds",
     "time after which it is fetched again, if the server does not state a shorter one",
     &Settings::tokenKeySetRefresh, mustLast<&Settings::tokenKeySetRefresh, kDay>},
    {"access.issuers", "--token-issuer",
     "a token needs one of these issuers, `iss` (default: any); repeatable",
     &Settings::tokenIssuers},
    {"access.audiences", "--token-audience",
     "a token needs one of these audiences, `aud` (default: any); repeatable",
     &Settings::tokenAudiences},
    {"access.leeway-seconds", "--token-leeway-seconds",
     "difference between clocks that is tolerated in the dates of a token", &Settings::tokenLeeway,
     mustLastAtMost<&Settings::tokenLeeway, kDay>},
    {"access.cookie", "--token-cookie",
     "name of a cookie that may hold the token (default: cookies are not read)",
     &Settings::tokenCookie},
    {"access.timeout-seconds", "--token-timeout-seconds",
     "time for a client that has connected without a token to send one", &Settings::tokenTimeout,
     mustLast<&Settings::tokenTimeout, kDay>},
    {"access.notice-seconds", "--token-notice-seconds",
     "time before the end of its token at which a client receives a notice", &Settings::tokenNotice,
     mustLastAtMost<&Settings::tokenNotice, kDay>},
    {"access.grace-seconds", "--token-grace-seconds",
     "time after the end of its token at which it is closed", &Settings::tokenGrace,
     mustLastAtMost<&Settings::tokenGrace, kDay>},
    {"rules", "--rule",
     "who may join the groups of a pattern, and send to them: "
     "PATTERN=join:WHO+send:WHO+envelope, each part optional, with WHO anyone, users (with a "
     "token), token (that states it) or nobody; the first that matches decides; repeatable",
     &Settings::rules, [](const Settings& s) { return complaintOfRules(s.rules); }},
    {"api.listen", "--api-listen",
     "address of the HTTP API: http://127.0.0.1:8100, https://… with --tls-cert, or unix:///path; "
     "repeatable",
     &Settings::apiListen,
     [](const Settings& s) {
       for (const std::string& url : s.apiListen) {
         if (std::string wrong = complaintOfUrl(url, {"http", "https", "unix"}); !wrong.empty()) {
           return wrong;
         }
       }
       return std::string();
     }},
    {"api.processes", "--api-processes", "number of processes of the HTTP API",
     &Settings::apiProcesses,
     [](const Settings& s) {
       return s.apiProcesses >= 1 && s.apiProcesses <= 1024 ? std::string()
                                                            : std::string("must be 1 to 1024");
     }},
    {"api.keys", "--api-key",
     "key of the HTTP API: NAME:RIGHT+RIGHT:HASH with the rights publish, control and read; "
     "'stormo "
     "api-key NAME' makes one; repeatable",
     &Settings::apiKeys, [](const Settings& s) { return complaintOfApiKeys(s.apiKeys); }},
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
     "compress messages for clients that offer it, as browsers do", &Settings::deflate},
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

}  // namespace

std::span<const SettingSpec> settingSpecs() {
  static const std::vector<SettingSpec> kAll = withClusterSpecs(kSpecs);
  return kAll;
}

}  // namespace stormo::config
