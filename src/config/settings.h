#pragma once

#include <stormo/access_rule.h>
#include <stormo/channel/log_settings.h>
#include <stormo/slow_policy.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace stormo::config {

/// The settings of the ready server, from a configuration file and the command line.
struct Settings {
  std::vector<std::string> listen = {"websocket://0.0.0.0:1234"};
  bool ipv6Only = false;
  std::vector<std::string> tlsCertificates;  ///< PEM files. Empty: no TLS.
  /// PEM files, one for each certificate. Empty: the keys are in the files of the certificates.
  std::vector<std::string> tlsKeys;
  std::string tlsClientAuthorities;      ///< PEM file. Empty: clients need no certificate.
  std::size_t workers = 0;               ///< 0: one for each processor.
  std::chrono::seconds hangTimeout{60};  ///< 0: a hanging worker is not killed.
  std::string user;
  std::string group;
  std::string socketMode;  ///< Of the files of unix sockets, in octal: "0660". Empty: by the umask.
  std::string socketOwner;  ///< Empty: `user`.
  std::string socketGroup;  ///< Empty: `group`.
  std::vector<std::string> trustedProxies;
  std::string proxyHeader = "X-Forwarded-For";
  std::vector<std::string> proxyProtocol;  ///< Those of `listen` that await its header.

  std::string channel;        ///< URL of a Channel that runs elsewhere. Empty: the server's own.
  std::string channelListen;  ///< URL on which its own Channel listens for others. Empty: on none.
  // To a Channel elsewhere, with stormos://. PEM files.
  std::string channelAuthorities;           ///< Empty: those of the system.
  std::string channelCertificate;           ///< Shown to a Channel that requires one. Empty: none.
  std::string channelKey;                   ///< Empty: it is in channelCertificate.
  std::vector<std::string> workermanPeers;  ///< Addresses and networks.
  std::string channelSecretFile;
  std::size_t channelBufferBytes = 64 << 20;
  // For the server's own Channel:
  std::chrono::seconds channelStall{10};
  std::size_t channelReplayBytes = 64 << 20;
  std::chrono::seconds channelReplay{60};
  std::string channelLogDirectory;  ///< Empty: in the instance's directory.
  std::string channelLogSync = "process";
  std::size_t channelLogIntervalMs = 200;
  std::size_t channelLogSegmentBytes = 64 << 20;
  std::size_t channelLogTotalBytes = 1 << 30;

  // The cluster of the server's own Channel:
  std::string cluster;  ///< URLs of NATS servers, separated by commas. Empty: there is none.
  std::string node;     ///< Empty: the name of the machine.
  std::chrono::seconds nodeGone{10};
  std::string natsStream = "stormo";
  std::size_t natsReplicas = 0;  ///< 0: as many as there are servers, at most 3.
  std::string natsStorage = "file";
  std::size_t natsMaxBytes = 1 << 30;
  std::string natsUser;
  std::string natsPasswordFile;
  std::string natsTokenFile;
  std::string natsNkeyFile;
  std::string natsCredentialsFile;
  std::string natsAuthorities;  ///< PEM files, as of the Channel.
  std::string natsCertificate;
  std::string natsKey;

  // Histories of groups, kept by the server's own Channel:
  std::vector<std::string> historyGroups;  ///< Patterns of names. Empty: no group has a history.
  std::size_t historyMessages = 100;
  std::size_t historyBytes = 1 << 20;
  std::chrono::seconds historyAge{300};
  std::size_t historyTotalBytes = 256 << 20;

  std::size_t messageBytesMax = 1 << 20;
  std::size_t incompleteBytesMax = 128 << 20;  ///< Incomplete messages in one worker.
  std::size_t sendBufferBytesMax = 8 << 20;
  std::size_t groupsPerClientMax = 1000;
  std::size_t badCommandsMax = 10;
  std::chrono::seconds badCommandsTime{5};
  std::size_t refusedCommandsMax = 50;
  std::size_t replayBytesPerSecond = 1 << 20;
  // 0: no limit. See stormo/limits.h.
  std::size_t connectionsMax = 0;
  std::size_t connectionsPerAddress = 0;
  std::size_t connectionsPerUser = 0;
  std::size_t connectionsPerSecond = 0;
  std::size_t handshakesMax = 10'000;
  std::size_t messagesPerSecond = 0;
  std::size_t bytesPerSecond = 0;
  std::size_t messagesPerSecondPerUser = 0;
  std::size_t bytesPerSecondPerUser = 0;
  std::string overRate = "wait";  ///< Or "close".
  std::size_t outputBytesMax = 1 << 30;
  std::vector<std::string> dryRunLimits;  ///< Limits, named as in [limits], that refuse nothing.

  [[nodiscard]] bool isDryRun(std::string_view limit) const;

  // Tokens of clients. Without a secret or a key everybody may do everything.
  std::string tokenSecretFile;
  std::vector<std::string> tokenKeyFiles;  ///< PEM files.
  std::string tokenKeySetFile;             ///< JSON: a JWK Set.
  std::string tokenKeySetUrl;              ///< See config/key_set_url.h.
  std::string tokenKeySetAuthorities;      ///< PEM file. Empty: those of the system.
  std::chrono::seconds tokenKeySetRefresh{600};
  std::vector<std::string> tokenIssuers;
  std::vector<std::string> tokenAudiences;
  std::chrono::seconds tokenLeeway{0};
  std::string tokenCookie;  ///< Empty: cookies are not read.
  std::chrono::seconds tokenTimeout{10};
  std::chrono::seconds tokenNotice{60};
  std::chrono::seconds tokenGrace{10};

  std::vector<AccessRule> rules;       ///< The first rule that matches a group applies to it.
  std::vector<std::string> apiListen;  ///< URLs of the HTTP API. Empty: there is none.
  std::size_t apiProcesses = 1;
  std::vector<std::string> apiKeys;  ///< Each with config::kApiKeyForm.

  std::vector<SlowRule> slow;  ///< The first rule that matches a group applies to it.

  std::string logLevel = "info";
  std::string logFormat = "text";

  std::vector<std::string> origins;
  std::chrono::seconds pingInterval{30};
  std::chrono::seconds pongTimeout{20};
  std::chrono::seconds handshakeTimeout{10};
  std::chrono::seconds messageTimeout{30};  ///< For each 32 KiB of a message.
  bool deflate = false;
  bool page = true;
};

/// One setting, as a key of the file and as a flag.
struct SettingSpec {
  using Member =
      std::variant<std::string Settings::*, std::size_t Settings::*, bool Settings::*,
                   std::chrono::seconds Settings::*, std::vector<std::string> Settings::*,
                   std::vector<SlowRule> Settings::*, std::vector<AccessRule> Settings::*>;
  const char* key;   ///< In the file: "channel.url".
  const char* flag;  ///< On the command line: "--channel".
  const char* help;
  Member member;
  /// States what is wrong with the value in `settings`. Empty: nothing is.
  std::string (*complaint)(const Settings& settings) = nullptr;
  /// `stormo channel`, a Channel alone, has it, too.
  [[nodiscard]] bool isOfChannel() const;
  /// The value is the path of a file.
  [[nodiscard]] bool isFile() const;
  /// The value is true or false; the flag without a value means true.
  [[nodiscard]] bool isFlag() const;
  /// The command line of every program has this flag.
  [[nodiscard]] bool isOfLog() const;
};

/// The value of channel.log-sync: "process", "interval" or "always".
std::optional<channel::SyncPolicy> syncPolicyNamed(std::string_view name);

/// The permissions that socket-mode states in octal, at most 0777; nullopt if it is not such a
/// number.
std::optional<unsigned> socketModeIn(std::string_view octal);

std::span<const SettingSpec> settingSpecs();
/// `others` and the settings of the cluster, which follow those of the Channel.
std::vector<SettingSpec> withClusterSpecs(std::span<const SettingSpec> others);

/// Applies words to one setting. Throws std::invalid_argument with a sentence for the user, which
/// begins with `name`: the flag or the variable. `words` is empty only for a list without elements.
void applyWords(const SettingSpec& spec, const std::string& name,
                const std::vector<std::string>& words, Settings& settings);

/// Applies the words of one flag. Throws std::invalid_argument with a sentence for the user.
void applyFlag(const SettingSpec& spec, const std::vector<std::string>& words, Settings& settings);

/// Applies a TOML file. Returns a line for each mistake: "file:line: mistake (remedy)".
std::vector<std::string> applyFile(const std::string& path, Settings& settings);

/// The same for the text of the file at that path.
std::vector<std::string> applyText(const std::string& path, const std::string& text,
                                   Settings& settings);

/// "file:line" of the setting that a complaint names by its key, flag or value; else "file".
std::string placeInFile(const std::string& path, std::string_view complaint);

/// States which settings contradict each other, as a sentence. Empty: none do.
std::string contradiction(const Settings& settings);

}  // namespace stormo::config
