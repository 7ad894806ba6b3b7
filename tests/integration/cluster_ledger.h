#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace stormo::integration {

/// The records of a fault test of clients that reconnect: all members of a group join before the
/// first message, so all of them must receive the same messages at the same offsets, from the first
/// to the last.
class ClusterLedger {
 public:
  using Member = std::size_t;

  /// Before any message is sent to the group.
  Member join(std::size_t group);
  /// The text of the member's next message to its group.
  std::string nextMessage(Member sender);
  /// Its server has acknowledged that message.
  void acknowledged(std::string_view text);
  void received(Member receiver, std::uint64_t offset, std::string_view text);

  /// What has been sent at some moment.
  struct Mark {
    std::vector<std::uint64_t> sent;         // by member
    std::map<std::size_t, std::size_t> end;  // by group, where it is known already
  };
  [[nodiscard]] Mark mark() const;
  /// True if all members have received all of it, and it is acknowledged.
  [[nodiscard]] bool hasArrived(Mark& mark) const;

  /// Messages that are missing or not acknowledged, the first ten. Empty: none.
  [[nodiscard]] std::vector<std::string> missing() const;
  /// Messages that were duplicated, missing between others, or at another place than for others;
  /// the first ten.
  [[nodiscard]] const std::vector<std::string>& wrong() const { return wrong_; }
  /// A line of a check that this class does not make.
  void complain(std::string line);
  [[nodiscard]] std::uint64_t sentCount() const { return sentCount_; }
  [[nodiscard]] std::uint64_t receivedCount() const { return receivedCount_; }

 private:
  struct Record {
    std::size_t group;
    std::uint64_t sent = 0;
    std::uint64_t acknowledged = 0;  // a count
    std::uint64_t seen = 0;          // the last number in its group's sequence
    std::size_t received = 0;        // a count: the place in its group's sequence
  };
  struct Entry {
    std::uint64_t offset;
    std::string text;
    bool operator==(const Entry&) const = default;
  };
  struct Group {
    std::vector<Member> members;
    std::vector<Entry> sequence;  // as the first to receive each message has received it
  };

  void append(Member receiver, Group& group, Entry entry);

  static constexpr std::size_t kLinesMax = 10;
  std::vector<Record> records_;
  std::map<std::size_t, Group> groups_;
  std::vector<std::string> wrong_;
  std::uint64_t sentCount_ = 0;
  std::uint64_t receivedCount_ = 0;
};

}  // namespace stormo::integration
