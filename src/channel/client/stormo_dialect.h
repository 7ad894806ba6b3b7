#pragma once

#include <stormo/event_loop.h>
#include <stormo/timer.h>

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/keyed_hash.h"
#include "channel/client/client_dialect.h"
#include "channel/client/receive_cursor.h"
#include "channel/client/unacked_log.h"
#include "event/process_life.h"
#include "protocol/channel/packet.h"

namespace stormo::channel {

/// Stormo's dialect. Publishes are kept until the Channel has acknowledged them, and
/// resent on a new link. Events are received once; after a lost link it requests what it has
/// missed. A publish that the Channel would reject is refused before it is kept: resent on each new
/// link, and closing each, it would block all publishes after it.
class StormoDialect final : public ClientDialect {
 public:
  /// Throws std::invalid_argument for a secret that is too long.
  explicit StormoDialect(ClientLink& link);
  ~StormoDialect() override;
  StormoDialect(const StormoDialect&) = delete;
  StormoDialect& operator=(const StormoDialect&) = delete;

  void subscribeGroup(std::string_view name) override;
  void unsubscribeGroup(std::string_view name) override;
  PublishStatus publishToGroup(std::string_view name, Message message, SendId send) override;
  void requestHistory(std::string_view group, Position since,
                      Channel::HistoryHandler handler) override;
  [[nodiscard]] Position position() const override { return {cursor_.epoch(), cursor_.offset()}; }
  [[nodiscard]] std::size_t frameBytesMax() const override { return frameBytesMax_; }
  void write(LinkRequest request, const Names& names, std::string& out) override;
  PublishStatus publish(const Names& events, const Value& data, bool toOne) override;
  PublishStatus publish(std::string_view event, const Value& data,
                        Channel::ReceiptHandler onReceipt) override;
  PublishStatus retain(std::string_view event, std::uint64_t key, const Value& data,
                       std::uint64_t until, Channel::ReceiptHandler onReceipt) override;
  PublishStatus publishWith(std::string_view group, Message message,
                            Channel::GroupPublish options) override;
  PublishStatus enqueue(const Names& queues, const Value& data) override;
  void finishJob(std::uint64_t number) override;
  [[nodiscard]] bool giveBackJob(std::uint64_t number, std::string_view queue,
                                 const Value& data) override;
  [[nodiscard]] bool awaitsJobs() const override { return jobsOnTheWay_ > 0; }
  [[nodiscard]] std::uint64_t accepted() const override { return sequence_; }
  [[nodiscard]] std::uint64_t acknowledged() const override { return acknowledged_; }
  [[nodiscard]] std::size_t unackedBytes() const override { return unacked_.size(); }

 private:
  struct HistoryRequest {
    std::string group;
    Position since;
    Channel::HistoryHandler handler;
    EventLoop::TimePoint until = {};  ///< Its position is waited for until then, if it is ahead.
  };

  /// A publish whose Receipt has not come.
  struct AwaitedReceipt {
    std::uint64_t sequence;
    Channel::ReceiptHandler onReceipt;
  };

  void onConnection() override;
  void onFrame(std::string_view payload) override;
  void writeSubscriptions(std::string& out) override;
  void sendKept() override;
  void onLost() override;
  [[nodiscard]] std::string_view name() const override { return "stormo"; }
  [[nodiscard]] bool expectsPong() const override { return true; }

  void onChallenge(const Packet& packet);
  void onWelcome(const Packet& packet);
  void onAck(const Packet& packet);
  void onRejectedPacket(const Packet& packet);
  /// The Channel, new or restarted with other settings, accepts less than was kept for it.
  void dropTooLong();
  void dropped(std::uint64_t sequence, std::string_view reason);
  /// The outbox has become smaller.
  void released();
  void onEventPacket(const Packet& packet);
  void onReceiptPacket(const Packet& packet);
  /// Of what was accepted last; an empty handler awaits nothing.
  void awaitReceipt(Channel::ReceiptHandler onReceipt);
  /// Ends the awaited receipt of that publish, if there is one.
  void endReceipt(std::uint64_t sequence, const Result<Receipt>& receipt);
  void onGapPacket(const Packet& packet);
  void onJobPacket(const Packet& packet);
  void endJob(Kind kind, std::uint64_t number);
  void reportGap(std::string_view why);
  /// Views into the packet.
  [[nodiscard]] static GroupMessage groupMessage(const Packet& event);
  void onHistoryReply(const Packet& packet);
  void sendHistoryRequests();
  /// False if its position was waited for long enough.
  bool asksAgain(HistoryRequest& request);
  void refused(std::string_view reason);
  [[nodiscard]] bool isTooLong(std::size_t frameBytes) const { return frameBytes > frameBytesMax_; }
  [[nodiscard]] static Packet groupPublish(std::string_view name, Message message, SendId send);
  /// Publishes it with the next sequence.
  PublishStatus publishFrame(Packet& publish);
  PublishStatus publishFrames(const Names& names, const Value& data, Packet publish);

  /// Room in the outbox for frames of the next sequences; null: Full.
  char* place(std::size_t bytes);
  /// What was written there is on its way.
  void placed(std::size_t bytes);

  const std::uint64_t producerId_;
  std::uint64_t sequence_ = 0;
  std::uint64_t acknowledged_ = 0;
  UnackedLog unacked_;
  std::size_t frameBytesMax_;  // as the Channel's last Welcome stated
  std::uint64_t cutAt_ = 0;    // the publish at which the Channel has cut a link; 0: none
  UnfinishedWork unfinished_;  // while unacked_ is not empty
  ReceiveCursor cursor_;
  bool resumes_ = false;  // this link goes on for the last one
  bool refusalReported_ = false;
  std::uint64_t jobsOnTheWay_ = 0;  // that a new link brings again
  /// The jobs of this process that the Channel holds for it, by lease, and the sequence with which
  /// each was ended; 0: it is in work.
  KeyedMap<std::uint64_t, std::uint64_t> jobs_;
  /// A job's number is its lease and this, which grows with each epoch: an epoch may repeat leases
  /// of the one before.
  std::uint64_t jobNumbersBegin_ = 0;
  std::uint64_t highestJobNumber_ = 0;
  std::deque<AwaitedReceipt> receipts_;         // in the order of their sequences
  std::deque<HistoryRequest> historyRequests_;  // not answered yet, in the order of the answers
  std::size_t historyRequestsSent_ = 0;         // of these, on this link
  std::vector<HistoryRequest> aheadRequests_;   // to ask again
  Timer::Id askAgain_ = 0;
  /// And whether the last link had it, too.
  KeyedMap<std::string, bool> groups_;
  std::string frames_;
  std::string data_;
};

}  // namespace stormo::channel
