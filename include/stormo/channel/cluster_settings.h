#pragma once

#include <stormo/tls.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace stormo::channel {

/// Where a stream keeps its messages.
enum class StreamStorage : std::uint8_t {
  File,    ///< Messages survive the end of all NATS servers.
  Memory,  ///< Faster. Messages are lost when all servers that have a replica end.
};

/// The NATS servers that the nodes of a cluster share, and the stream on them. All nodes need the
/// same `stream`; what the stream is created with comes from the node that starts first.
struct ClusterSettings {
  /// `nats://host:port` or `tls://host:port`, as in "nats://h1:4222". The scheme is nats and the
  /// port is 4222 if there is none. A user and a password, or a token, may stand before the host:
  /// "nats://user:password@h1:4222", with percent-encoding. Empty: there is no cluster.
  std::vector<std::string> servers = {};
  /// Name of the JetStream stream: 1 to 200 characters of A-Z a-z 0-9 _ and -. Its subjects begin
  /// with this name and a dot.
  std::string stream = "stormo";

  // --- Of this node ---

  /// Its name for people, at most 255 bytes. Empty: the name of the machine.
  std::string node = {};
  /// A node of the cluster that sends nothing for this time is gone: what it owned is free.
  std::chrono::milliseconds goneAfter{10'000};

  // --- What the stream is created with. An existing stream is used as it is, except that `storage`
  // must be the same. ---

  /// On how many servers each message is. 0: as many as there are in `servers`, at most 3.
  int replicas = 0;
  StreamStorage storage = StreamStorage::File;
  /// Above it, the oldest messages are removed. 0: no limit.
  std::uint64_t maxBytes = 1 << 30;
  /// Older messages are removed. 0: no limit.
  std::chrono::seconds maxAge{0};

  // --- How to log in: nothing, or one of these. It applies to servers without a user in their URL.
  // The user may publish and subscribe to STREAM.> and _INBOX.>, and publish to $JS.API.> and
  // $JS.FC.>, where STREAM is the name above. ---

  std::string user = {};
  std::string password = {};
  std::string token = {};
  /// File with the seed of an NKey, which begins with SU.
  std::string nkeySeedFile = {};
  /// File with a user's JWT and seed, as `nsc` writes it (.creds).
  std::string credentialsFile = {};

  /// For tls:// servers, and for all servers if a file is set.
  TlsClient tls = {};
};

}  // namespace stormo::channel
