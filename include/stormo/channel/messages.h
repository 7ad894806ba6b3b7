#pragma once

#include <stormo/message.h>
#include <stormo/value.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stormo {

/// What became of one publish.
enum class [[nodiscard]] PublishStatus{
    Accepted,  ///< It will be delivered: it was sent, or is kept until there is a link.
    Full,      ///< Not accepted: too many bytes wait for their acknowledgement. See onDrain.
    Refused,  ///< Not accepted, and a retry cannot succeed: arrays nested deeper than 64, more than
              ///< 1,000,000 array elements, or a message longer than the Channel accepts
              ///< (channel::Server::maxPackageSize).
};

/// A place in the order of the Channel's log. Offsets grow from event to event within an epoch. A
/// new epoch begins when the log is lost, or may lack what was in use (docs/delivery.md). Epoch 0:
/// no position.
struct Position {
  std::uint64_t epoch = 0;
  std::uint64_t offset = 0;
  bool operator==(const Position&) const = default;
};

/// Identifies one send of a client, over all workers: the session that numbers it, and its number.
/// The Channel drops a send whose number is not greater than the session's last one. Session 0: the
/// send has no identity, and is never taken for a duplicate.
struct SendId {
  std::uint64_t session = 0;
  std::uint64_t number = 0;
};

/// A message as the members of its group receive it. The views are valid until the handler returns.
struct GroupMessage {
  std::string_view group;
  std::uint64_t offset = 0;  ///< In the current epoch; 0 in Workerman's dialect, which has none.
  Message message;
  /// Users and clients that do not receive it, by their names in the Channel, which are in a row:
  /// the length of each as one byte, then the name. See exceptions(). Usually empty.
  std::string_view except = {};
};

/// What the Channel has done with a publish.
struct Receipt {
  /// Its place in the log. Offset 0: not known, because the link was lost before this receipt came,
  /// or because the publish was a duplicate of one that is not the latest of its sender.
  Position position = {};
  bool isDuplicate = false;     ///< It was taken before, with the same SendId, and is dropped.
  std::uint64_t receivers = 0;  ///< Of an event: how many processes it was sent to.
};

/// The replies to Channel::requestAll().
struct Replies {
  std::vector<Value> values = {};
  bool isComplete = false;  ///< All subscribers have replied.
};

/// The answer to Channel::requestHistory().
struct HistoryReply {
  Position position;                        ///< The position that this answer reaches.
  bool isWhole = false;                     ///< No message after the requested position is missing.
  std::vector<GroupMessage> messages = {};  ///< In their order; valid until the handler returns.
};

namespace channel {

/// One or several names of events or queues, each of 1 to 255 bytes.
class Names {
 public:
  Names(const char* name) : names_{name} {}
  Names(std::string_view name) : names_{std::string(name)} {}
  Names(const std::string& name) : names_{name} {}
  Names(std::initializer_list<std::string> names) : names_(names) {}
  Names(std::vector<std::string> names) : names_(std::move(names)) {}
  [[nodiscard]] const std::vector<std::string>& all() const { return names_; }

 private:
  std::vector<std::string> names_;
};

}  // namespace channel
}  // namespace stormo
