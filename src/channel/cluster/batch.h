#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "channel/log/log.h"

namespace stormo::channel {

/// What a batch, one message of the stream, is about. The numbers are in messages.
enum class BatchKind : std::uint8_t {
  Records = 0,  ///< Whole records, or what follows parts. Without any it is a sign of life.
  Part = 1,     ///< The beginning of the next Records: of a record longer than a message.
  Start = 2,    ///< The node takes part from now on, as a new incarnation.
  Gone = 3,     ///< Another node has sent nothing for long.
  Epoch = 4,    ///< Messages before it are lost, and a new epoch begins.
};

/// A batch as the stream carries it, byte by byte in docs/log-format.md. Each node numbers its own.
struct Batch {
  BatchKind kind = BatchKind::Records;
  NodeId node = 0;
  /// Of the node: a greater one for each process that takes part as this node.
  std::uint64_t incarnation = 0;
  /// 0 for Start and Epoch; the others have 1, 2, 3, …
  std::uint64_t number = 0;
  /// How often the batches from this one on had to be sent again, as one before was missing.
  std::uint32_t round = 0;
  /// Records, a part of them, the name of the node that starts, a GoneNode, or an EpochBegin.
  std::string_view body = {};
};

/// The body of a Gone batch: which node, and its latest batch.
struct GoneNode {
  NodeId node = 0;
  std::uint64_t incarnation = 0;
  std::uint64_t number = 0;
};
[[nodiscard]] std::string encodeGone(const GoneNode& gone);
/// `body` is that of a batch that readBatch() has read.
[[nodiscard]] GoneNode goneIn(std::string_view body);

/// Messages of later versions begin with another number, and may mean anything.
inline constexpr std::uint8_t kBatchVersion = 1;
inline constexpr std::size_t kBatchHeaderBytes = 32;
inline constexpr std::size_t kNodeNameBytesMax = 255;

/// The body of an Epoch batch, one byte: what becomes of the state.
enum class EpochBegin : std::uint8_t {
  Keeps = 0,  ///< It is kept, as far as the stream goes.
  Empty = 1,  ///< Nobody has it.
};

[[nodiscard]] std::string encodeBatch(const Batch& batch);
/// Changes the round of an encoded batch.
void setRound(std::string& message, std::uint32_t round);

enum class BatchVerdict {
  Ok,
  Newer,      ///< Of a later version: only `node` is known.
  Malformed,  ///< Not of a Channel: any process can publish on the stream's subject.
};

struct BatchRead {
  BatchVerdict verdict;
  Batch batch = {};  ///< Views into the message.
};

[[nodiscard]] BatchRead readBatch(std::string_view message);

/// The number of whole records, all with the right checksum; nullopt if there is anything else.
[[nodiscard]] std::optional<std::uint64_t> countCheckedRecords(std::string_view records);

}  // namespace stormo::channel
