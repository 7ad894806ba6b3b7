#pragma once

#include <stormo/channel/cluster_settings.h>
#include <stormo/timer.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "channel/cluster/stream.h"
#include "channel/nats/nats_mailbox.h"
#include "channel/nats/nats_thread.h"
#include "channel/nats/server_url.h"

namespace stormo::channel {

/// A JetStream stream on NATS servers, through libnats, which is loaded by open(). Calls of libnats
/// that can block are made on a thread of their own, and messages come from its threads without a
/// copy. JetStream sends at most some 32 MiB of messages that onMessage() has not had.
class NatsStream final : public Stream {
 public:
  /// Throws std::invalid_argument, with a sentence, if the settings are not valid.
  explicit NatsStream(ClusterSettings settings);
  /// A sink may destroy it. Waits for what was published to be sent, for a second at most.
  ~NatsStream() override;

  void open(StreamSink& sink) override;
  void readFrom(std::uint64_t sequence) override;
  void publish(std::string id, std::string message) override;
  void ask(std::string question) override;
  void answer(std::string_view asker, std::string answer) override;

 private:
  void onEvent(NatsEvent& event);
  void onData(const NatsEvent& event);
  void onStatus(const NatsEvent& event, std::string_view reply);
  void answerFlowControl(std::string_view subject);
  /// Ends the link, which was of no use.
  void fail(std::string reason);
  void checkSilence();

  const ClusterSettings settings_;
  const std::vector<ServerUrl> servers_;
  StreamSink* sink_ = nullptr;
  std::shared_ptr<NatsMailbox> mailbox_;
  std::shared_ptr<NatsThread> thread_;
  Timer::Id timer_ = 0;
  std::uint64_t link_ = 0;  // 0: there is none

  // Of the consumer that readFrom() has asked for:
  bool isReading_ = false;
  std::uint64_t reader_ = 0;    // its number; those before are of no interest any more
  std::uint64_t next_ = 1;      // the least sequence that may be delivered
  std::uint64_t consumed_ = 0;  // messages that it has sent
  std::chrono::steady_clock::time_point heard_;
};

}  // namespace stormo::channel
