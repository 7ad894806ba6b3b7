#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace stormo::config {

/// What the ready server can be told, by configuration file and command line.
struct Settings {
  std::vector<std::string> listen = {"websocket://0.0.0.0:1234"};
  bool ipv6Only = false;
  std::size_t workers = 0;  ///< 0: one for each processor.
  std::string user;
  std::string group;

  std::string channel;  ///< URL of a Channel that runs elsewhere; empty: our own.
  std::string
      channelListen;  ///< URL on which our own Channel listens for others; empty: for nobody.
  std::string channelSecretFile;
  std::size_t channelBufferBytes = 64 << 20;
  // Of our own Channel:
  std::chrono::seconds channelStall{10};
  std::size_t channelReplayBytes = 64 << 20;
  std::chrono::seconds channelReplay{60};

  // Of the messages of groups, for clients that were away; kept by our own Channel, too:
  std::vector<std::string> historyGroups;  ///< Patterns of names; empty: nothing is kept.
  std::size_t historyMessages = 100;
  std::size_t historyBytes = 1 << 20;
  std::chrono::seconds historyAge{300};
  std::size_t historyTotalBytes = 256 << 20;

  std::size_t messageBytesMax = 1 << 20;
  std::size_t incompleteBytesMax = 128 << 20;  ///< Of messages that are not whole; each worker.
  std::size_t sendBufferBytesMax = 8 << 20;
  std::size_t groupsPerClientMax = 1000;
  std::size_t badCommandsMax = 10;
  std::chrono::seconds badCommandsTime{5};
  std::size_t replayBytesPerSecond = 1 << 20;

  std::string logLevel = "info";
  std::string logFormat = "text";

  std::vector<std::string> origins;
  std::chrono::seconds pingInterval{30};
  std::chrono::seconds pongTimeout{20};
  std::chrono::seconds handshakeTimeout{10};
  std::chrono::seconds messageTimeout{30};  ///< For each 32 KiB of a message.
  bool page = true;
};

/// One setting, for both ways of giving it.
struct SettingSpec {
  using Member =
      std::variant<std::string Settings::*, std::size_t Settings::*, bool Settings::*,
                   std::chrono::seconds Settings::*, std::vector<std::string> Settings::*>;
  const char* key;   ///< In the file: "channel.url".
  const char* flag;  ///< On the command line: "--channel".
  const char* help;
  Member member;
  /// What is wrong with the value that `settings` has now, in words; empty if nothing is.
  std::string (*complaint)(const Settings& settings) = nullptr;
  /// It concerns the Channel's process: one that runs alone takes it, too.
  [[nodiscard]] bool isOfChannel() const;
  /// The command line of every program has its flag already.
  [[nodiscard]] bool isOfLog() const;
};

std::span<const SettingSpec> settingSpecs();

/// Applies the words of one flag. Throws std::invalid_argument with a sentence.
void applyFlag(const SettingSpec& spec, const std::vector<std::string>& words, Settings& settings);

/// Applies a TOML file. Gives all that is wrong with it, a line each, "file:line: what (mend)".
std::vector<std::string> applyFile(const std::string& path, Settings& settings);

/// "file:line" of the setting that a complaint names by its key, flag or value; else "file".
std::string placeInFile(const std::string& path, std::string_view complaint);

/// What is wrong with the settings as a whole, as a sentence; empty if nothing is.
std::string contradiction(const Settings& settings);

}  // namespace stormo::config
