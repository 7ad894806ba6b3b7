#pragma once

#include <stormo/channel/cluster_settings.h>

#include <optional>
#include <string>
#include <string_view>

#include "channel/cluster/stream.h"
#include "channel/nats/nats_connection.h"
#include "channel/nats/nats_library.h"

namespace stormo::channel {

/// The subject of the stream's messages, and that of questions to all nodes.
[[nodiscard]] std::string logSubject(const ClusterSettings& settings);
[[nodiscard]] std::string askSubject(const ClusterSettings& settings);

/// Replicas that a new stream has.
[[nodiscard]] int replicasOf(const ClusterSettings& settings);

/// Throws std::invalid_argument, with a sentence, for values that no stream can have.
void checkStreamSettings(const ClusterSettings& settings);

/// A stream that exists, and how it differs from the settings where that does no harm: empty, or
/// to follow "differs from the settings: ".
struct StreamSetup {
  StreamInfo info;
  std::string differences;
};

/// Creates the stream if it does not exist, or checks it. Blocks until the servers have answered,
/// for some seconds. Nullopt if there is no usable stream: then `problem` is a sentence.
[[nodiscard]] std::optional<StreamSetup> setUpStream(const NatsLibrary& library,
                                                     const NatsConnection& connection,
                                                     const ClusterSettings& settings,
                                                     std::string& problem);

/// The same for what JetStream has answered about an existing stream.
[[nodiscard]] std::optional<StreamSetup> checkStream(const jsStreamInfo& stream,
                                                     const ClusterSettings& settings,
                                                     std::size_t payloadBytesMax,
                                                     std::string& problem);

}  // namespace stormo::channel
