#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace stormo::channel {

/// The Channel: one process that passes events between all others, and keeps queues of jobs.
/// Declare it in main, before Worker::runAll(), which starts it before the workers. It speaks
/// Workerman's dialect and Stormo's, told apart by the first byte, so that PHP processes connect to
/// it as they are.
class Server {
 public:
  /// `host` is an address to listen on, or `localhost` for both loopback addresses; or
  /// `unix:///path`, then the port does not count. What is wrong with it is reported by runAll().
  explicit Server(std::string host = "127.0.0.1", std::uint16_t port = 2206);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::string name = "ChannelServer";
  std::string user;  ///< To run as, as Worker::user.
  std::string group;

  /// Links of Stormo's dialect must say it. Workerman's dialect knows no secret: with one set, only
  /// links of Stormo's are taken. Without one, the server refuses to listen beyond this machine:
  /// see allowOpen.
  std::string secret;
  /// Listen beyond this machine without a secret (in a network where everybody is a friend).
  bool allowOpen = false;

  /// Group messages are this event for those who know no groups (Workerman's dialect): {group_id,
  /// message}. An event published there reaches the group's members, and what clients send to
  /// groups reaches its subscribers.
  std::string groupEvent = "send_to_group";

  /// Maximum size of one frame from a link, in bytes. Longer publishes are refused: see
  /// PublishStatus::Refused. 0: the largest Worker::maxPackageSize of this program and 1 KiB, and
  /// at least 10 MiB. runAll() fails if a Worker of this program accepts larger messages.
  std::size_t maxPackageSize = 0;
  std::size_t queueBytesMax = 64 << 20;  ///< Of all jobs that wait in one queue; more are refused:
                                         ///< the newest is dropped and counted, an error is logged.
  std::size_t linkBytesMax =
      64 << 20;  ///< Of what waits for one link; while one is over it, publishers are not read.
  /// A link that takes nothing for so long, or stays over its limit, is cut. Until then nothing is
  /// acknowledged to any publisher.
  std::chrono::milliseconds linkStallMax{10'000};

  /// Of events, for links of Stormo's dialect that were away: what they missed is sent to them,
  /// if it is not more than that, and not longer ago.
  std::size_t replayBytesMax = 64 << 20;
  std::chrono::milliseconds replayAgeMax{60'000};

  /// Of the messages of groups, for clients that were away (docs/v1-protocol.md). The oldest are
  /// forgotten when one of these bounds is passed.
  struct History {
    /// Patterns of the names of groups whose messages are kept, as of file names in a shell:
    /// "room.*". Empty: nothing is kept.
    std::vector<std::string> groups;
    std::size_t messagesMax = 100;              ///< Of one group.
    std::size_t bytesMax = 1 << 20;             ///< Of one group.
    std::chrono::milliseconds ageMax{300'000};  ///< Of a message.
    std::size_t totalBytesMax = 256 << 20;      ///< Of all groups together.
  } history;

  /// A file in which this server, when it ends in order, leaves all of that, and how far its links
  /// have got: the one that is started after it goes on as if nothing had ended. Empty: none.
  std::string stateFile;

  /// Further addresses, as URLs like url().
  std::vector<std::string> alsoListen;
  /// Who shall own the unix sockets among them, which nobody else may use; empty: who starts the
  /// program.
  std::string socketOwner;
  /// The unix socket of url() is for this program's processes alone, which reach it without its
  /// file: none is left there.
  bool privateSocket = false;

  /// As given: "frame://127.0.0.1:2206" or "unix:///path".
  [[nodiscard]] const std::string& url() const { return url_; }

 private:
  std::string url_;
};

}  // namespace stormo::channel
