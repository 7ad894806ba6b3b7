#pragma once

#include <stormo/timer.h>

#include <string>
#include <string_view>
#include <vector>

#include "channel/bus.h"
#include "channel/link_codec.h"
#include "net/outgoing.h"

namespace stormo::channel {

/// What the dialects have in common, for a bus over one link to a Channel server: the link, made
/// again whenever it is lost; what is to be restored on it; and what is published while there is
/// none.
class LinkBus : public Bus, FrameSink {
 public:
  void connect() final;
  void close() final;
  [[nodiscard]] bool isConnected() const final { return isUp_; }

  // Names that are (not) subscribed already are left out of what is sent.
  void subscribe(const std::vector<std::string>& events) final;
  void unsubscribe(const std::vector<std::string>& events) final;
  void watch(const std::vector<std::string>& queues) final;
  void unwatch(const std::vector<std::string>& queues) final;
  void reserve() final;
  void ping() final;

 protected:
  using Names = std::vector<std::string>;

  LinkBus(SocketUrl url, const BusOptions& options);
  ~LinkBus() override;

  // --- What a dialect says ---

  virtual void onLinkMade() = 0;
  virtual void onPayload(std::string_view payload) = 0;
  /// Appends the frames that say it. Names are not empty.
  virtual void saySubscribe(const Names& events, std::string& out) = 0;
  virtual void sayUnsubscribe(const Names& events, std::string& out) = 0;
  virtual void sayWatch(const Names& queues, std::string& out) = 0;
  virtual void sayUnwatch(const Names& queues, std::string& out) = 0;
  virtual void sayReserve(std::string& out) = 0;
  virtual void sayPing(std::string& out) = 0;
  /// Groups, when a link was made.
  virtual void sayGroups(std::string& out) = 0;
  /// True if the server answers a ping.
  [[nodiscard]] virtual bool expectsPong() const = 0;

  // --- What a dialect uses ---

  /// The server listens: restores everything, sends what was kept, and calls onConnect.
  void becomeUp();
  /// Sends frames at once, whatever waits already. There is a link.
  void send(std::string_view frames);
  /// Room for whole frames, in the link's output or among what is kept until there is a link. Null:
  /// Full.
  [[nodiscard]] char* place(std::size_t bytes);
  [[nodiscard]] PublishStatus sendOrKeep(std::string_view frame);
  /// The server said what it cannot say.
  void violation(std::string_view what);
  void jobReceived(std::string_view queue, std::string_view data);
  void eventReceived(std::string_view event, std::string_view data);
  void groupMessageReceived(std::string_view group, Message message);
  /// By subscribe(), not for the sake of groups.
  [[nodiscard]] bool isSubscribed(std::string_view event) const;
  [[nodiscard]] const SocketUrl& url() const { return url_; }
  [[nodiscard]] const BusOptions& options() const { return options_; }

 private:
  void onFrame(net::Peer& peer, std::string_view payload) final;
  void onLost();
  void onTick();
  void reportFailure(const Error& error);
  template <typename Call>
  void guarded(const char* kind, const Call& call);

  const SocketUrl url_;
  const BusOptions options_;
  LinkCodec codec_;
  net::Outgoing outgoing_;
  Timer::Id tick_ = 0;
  bool isUp_ = false;
  bool failureReported_ = false;

  Names events_;  // in the order of their subscription, as all names here
  Names queues_;
  std::uint64_t reservations_ = 0;  // said, and not answered by a job

  std::string kept_;  // whole frames
  bool wantsDrain_ = false;
  std::string scratch_;
};

}  // namespace stormo::channel
