#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "channel/cluster/batch.h"
#include "channel/log/state_stream.h"

namespace stormo::channel {

/// The nodes of a cluster, and which batches of theirs count: the same on all nodes, as it is
/// computed from the messages of the stream alone.
///
/// The batches of one incarnation count in the order of their numbers, without a hole: one that was
/// sent again counts once, however much later it comes, and one that overtook another does not
/// count. Those of an incarnation that has ended do not count either.
class Nodes {
 public:
  struct Node {
    std::string name = {};
    std::uint64_t incarnation = 0;
    std::uint64_t number = 0;     ///< Of its latest batch.
    std::uint64_t goneSince = 0;  ///< Sequence of the message that has ended it; 0: it is here.
    std::string part = {};        ///< Of its next records.
  };
  /// By id.
  using Table = std::map<NodeId, Node>;
  /// Nodes that are gone are forgotten above this number.
  static constexpr std::size_t kGoneMax = 100;

  enum class Verdict {
    Counts,
    Repeated,  ///< It has counted before, or its incarnation has ended.
    Early,     ///< A batch before it is missing.
  };

  /// A batch has come from the stream, as the message of this sequence.
  Verdict take(const Batch& batch, std::uint64_t sequence);
  /// The records of a Records batch that has counted: `batch.body`, or with its parts before it. A
  /// view, valid until the next call.
  [[nodiscard]] std::string_view recordsOf(const Batch& batch);
  /// True if the Gone batch of this sequence has ended the node that it names.
  [[nodiscard]] bool hasEnded(const GoneNode& gone, std::uint64_t sequence) const;

  /// True if a node has sent parts, and not what follows them.
  [[nodiscard]] bool hasParts() const;

  [[nodiscard]] const Table& table() const { return table_; }
  /// Null if it has never started, or was forgotten.
  [[nodiscard]] const Node* find(NodeId id) const;
  /// For log lines: its name, or its id while that is unknown.
  [[nodiscard]] std::string nameOf(NodeId id) const;

  void save(StateWriter& out) const;
  /// Only on an empty table.
  void restore(StateReader& in);

 private:
  Verdict start(const Batch& batch);
  void end(const GoneNode& gone, std::uint64_t sequence);
  void forgetGone();

  Table table_;
  std::string records_;
};

/// Adds the body of a Part batch to those before it; drops these if there are too many.
void appendPart(std::string_view body, std::string& part);

}  // namespace stormo::channel
