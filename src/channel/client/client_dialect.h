#pragma once

#include <stormo/channel.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace stormo::channel {

class ClientLink;

/// A request of a client without a payload. All but Reserve and Ping have names.
enum class LinkRequest { Subscribe, Unsubscribe, Watch, Unwatch, Reserve, Ping };

/// What a ClientLink sends and receives, in one protocol of the Channel. It belongs to its link,
/// which outlives it, and calls the link with what it has decoded. The operations are those of
/// Channel, where their contracts are; names were checked.
class ClientDialect {
 public:
  virtual ~ClientDialect() = default;
  ClientDialect(const ClientDialect&) = delete;
  ClientDialect& operator=(const ClientDialect&) = delete;

  using Names = std::vector<std::string>;

  /// For the log.
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// True if the server answers a ping.
  [[nodiscard]] virtual bool expectsPong() const = 0;

  // --- The life of the link ---

  /// There is a new connection. Calls becomeUp() of the link, at once or after a handshake.
  virtual void onConnection() = 0;
  virtual void onFrame(std::string_view payload) = 0;
  /// Appends requests for all subscriptions: the link's events and the groups.
  virtual void writeSubscriptions(std::string& out) = 0;
  /// Sends the publishes that were not sent on this connection. Called once, when the link is up.
  virtual void sendKept() = 0;
  virtual void onLost() {}

  // --- Operations ---

  /// Appends the frames of a request.
  virtual void write(LinkRequest request, const Names& names, std::string& out) = 0;
  virtual PublishStatus publish(const Names& events, const Value& data, bool toOne) = 0;
  // With receipts, kept events and exceptions: in Stormo's dialect alone. The others throw
  // std::logic_error.
  virtual PublishStatus publish(std::string_view event, const Value& data,
                                Channel::ReceiptHandler onReceipt);
  virtual PublishStatus retain(std::string_view event, std::uint64_t key, const Value& data,
                               std::uint64_t until, Channel::ReceiptHandler onReceipt);
  virtual PublishStatus publishWith(std::string_view group, Message message,
                                    Channel::GroupPublish options);
  virtual PublishStatus enqueue(const Names& queues, const Value& data) = 0;
  /// A job that was received is done.
  virtual void finishJob(std::uint64_t number) = 0;
  /// A job that was received goes to another process. False if it is lost.
  [[nodiscard]] virtual bool giveBackJob(std::uint64_t number, std::string_view queue,
                                         const Value& data) = 0;
  /// The server is about to send jobs that this process may have lost: until then none must be
  /// reserved.
  [[nodiscard]] virtual bool awaitsJobs() const { return false; }

  virtual void subscribeGroup(std::string_view group) = 0;
  virtual void unsubscribeGroup(std::string_view group) = 0;
  virtual PublishStatus publishToGroup(std::string_view group, Message message, SendId send) = 0;
  virtual void requestHistory(std::string_view group, Position since,
                              Channel::HistoryHandler handler) = 0;

  [[nodiscard]] virtual Position position() const = 0;
  [[nodiscard]] virtual std::uint64_t accepted() const = 0;
  [[nodiscard]] virtual std::uint64_t acknowledged() const = 0;
  [[nodiscard]] virtual std::size_t unackedBytes() const = 0;
  [[nodiscard]] virtual std::size_t frameBytesMax() const = 0;

 protected:
  explicit ClientDialect(ClientLink& link) : link_(link) {}
  [[nodiscard]] ClientLink& link() const { return link_; }

 private:
  ClientLink& link_;
};

}  // namespace stormo::channel
