#pragma once

#include <stormo/channel/cluster_settings.h>
#include <stormo/channel/log_settings.h>
#include <stormo/tls.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace stormo::channel {

/// The Channel: the process that joins all others. It orders group messages and events, distributes
/// them, and keeps queues of jobs. Declare it in main, before Worker::runAll(), which starts it
/// before the workers. It accepts Stormo's dialect and Workerman's on each address, so that PHP
/// processes can connect to it unchanged.
///
/// The workers of the program reach the first Server that it declares over a private socket, which
/// nobody else can: they need no address (see stormo::Channel).
class Server {
 public:
  /// For the processes of this program alone.
  Server();
  /// For others, too: `host` is an address to listen on, `localhost` for both loopback addresses,
  /// or a URL (`frame://host:port`, `unix:///path`), for which the port does not count. runAll()
  /// reports what is wrong with it.
  explicit Server(std::string host, std::uint16_t port = 2206);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::string name = "ChannelServer";
  std::string user;  ///< The user to run as; see Worker::user.
  std::string group;

  /// The secret that links of Stormo's dialect must know, at most 255 bytes. They prove it without
  /// sending it (docs/channel-protocol.md). Without one runAll() fails if the server would listen
  /// beyond this machine, unless clients need a certificate, or allowOpen is set. The processes of
  /// this program know it.
  std::string secret;
  /// Accepted, too: the one before, while other programs still have it.
  std::string otherSecret;
  /// Workerman's dialect has no secret. It is accepted from this machine, and from these IP
  /// addresses and networks ("10.0.0.7", "10.1.0.0/16").
  std::vector<std::string> workermanPeers;
  /// For its addresses with `frames://`; all of its TCP addresses have that scheme, or none.
  Tls tls;
  /// Allows to listen beyond this machine without a secret, in a network that is trusted, and
  /// Workerman's dialect from everywhere.
  bool allowOpen = false;

  /// Workerman's dialect has no groups: this event carries their messages, as {group_id, message}.
  /// An event published there reaches the members of the group; messages that clients send to
  /// groups reach its subscribers.
  std::string groupEvent = "send_to_group";

  /// Maximum size of one frame from a link, in bytes. Longer publishes are refused: see
  /// PublishStatus::Refused. 0: the largest Worker::maxPackageSize of this program and 1 KiB, and
  /// at least 10 MiB. runAll() fails if a Worker of this program accepts larger messages.
  std::size_t maxPackageSize = 0;
  /// Maximum bytes of the jobs in one queue. Above it new jobs are rejected and counted, and an
  /// error is logged.
  std::size_t queueBytesMax = 64 << 20;
  /// Maximum bytes that wait for one link. Above it the link lags: what it misses comes from the
  /// replay window, as fast as it reads.
  std::size_t linkBytesMax = 16 << 20;
  /// A link that takes nothing for this time is closed, and the jobs of a process that has no link
  /// for this time go to others.
  std::chrono::milliseconds linkStallMax{10'000};

  /// The replay window: the latest events, for links that lag, and for those of Stormo's dialect
  /// that reconnect. One that has missed more, or older ones, gets a gap.
  std::size_t replayBytesMax = 64 << 20;
  std::chrono::milliseconds replayAgeMax{60'000};

  /// The latest messages of groups, for clients that reconnect (docs/v1-protocol.md). Above one of
  /// these limits the oldest ones are dropped.
  struct History {
    /// Patterns of the names of groups that have a history, as for file names in a shell:
    /// "room.*". Empty: none has. Otherwise what is sent to a user and to everybody has one, too.
    std::vector<std::string> groups;
    std::size_t messagesMax = 100;              ///< For each group.
    std::size_t bytesMax = 1 << 20;             ///< For each group.
    std::chrono::milliseconds ageMax{300'000};  ///< For each message.
    std::size_t totalBytesMax = 256 << 20;      ///< For all groups together.
  } history;

  /// What the Channel keeps in files.
  LogSettings log;

  /// Joins this Channel with those of other machines: docs/scaling.md. For the first
  /// channel::Server of a program.
  ClusterSettings cluster;

  /// More addresses, as URLs: `frame://host:port` or `unix:///path`.
  std::vector<std::string> alsoListen;
  /// The user who owns the unix sockets among the addresses, and alone may use them. Empty: the one
  /// who starts the program.
  std::string socketOwner;

  /// The constructor's address: "frame://127.0.0.1:2206" or "unix:///path"; empty without one.
  [[nodiscard]] const std::string& url() const { return url_; }

 private:
  std::string url_;
};

}  // namespace stormo::channel
