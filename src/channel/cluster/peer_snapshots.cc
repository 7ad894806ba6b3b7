#include "channel/cluster/peer_snapshots.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "base/bytes.h"
#include "channel/log/snapshot_file.h"
#include "channel/log/state_stream.h"
#include "sys/log.h"

namespace stormo::channel {
namespace {

using namespace std::chrono_literals;

constexpr EventLoop::Duration kAskInterval = 1s;
/// A node that sends nothing for so long is not asked any more.
constexpr EventLoop::Duration kSourceTimeout = 5s;
constexpr std::size_t kPieceBytes = 256 << 10;

// A kind, numbers of 8 bytes, and for a piece its bytes.
constexpr char kWho = 'W';    // stream, sequence
constexpr char kOffer = 'O';  // node, sequence, bytes
constexpr char kGet = 'G';    // node, sequence, position
constexpr char kPiece = 'P';  // node, sequence, position
constexpr std::size_t kNumberBytes = 8;

std::string encode(char kind, std::initializer_list<std::uint64_t> numbers,
                   std::string_view bytes = {}) {
  std::string message(1 + numbers.size() * kNumberBytes, kind);
  char* at = message.data() + 1;
  for (const std::uint64_t number : numbers) {
    storeBigEndian(at, number);
    at += kNumberBytes;
  }
  return message.append(bytes);
}

template <std::size_t Count>
std::optional<std::array<std::uint64_t, Count>> numbersIn(std::string_view message) {
  if (message.size() < 1 + Count * kNumberBytes) return std::nullopt;
  std::array<std::uint64_t, Count> numbers;
  for (std::size_t i = 0; i < Count; ++i) {
    numbers[i] = loadBigEndian<std::uint64_t>(message.data() + 1 + i * kNumberBytes);
  }
  return numbers;
}

char kindOf(std::string_view message) { return message.empty() ? '\0' : message.front(); }

}  // namespace

std::optional<ReplicaSnapshot> describeSnapshot(std::string_view file) {
  const auto snapshot = readSnapshot(file);
  if (!snapshot) return std::nullopt;
  StateReader state(snapshot->state);
  const std::uint64_t stream = state.number();
  const std::uint64_t sequence = state.number();
  const bool agrees = stream == snapshot->epoch && sequence == snapshot->offset;
  if (!state.ok() || !agrees) return std::nullopt;
  return ReplicaSnapshot{.stream = stream, .sequence = sequence, .bytes = file.size()};
}

// --- The node that has one ---

void PeerSnapshots::offer(NodeId self, const ReplicaSnapshot& own) {
  self_ = self;
  own_ = own;
}

std::optional<std::uint64_t> PeerSnapshots::onQuestion(std::string_view asker,
                                                       std::string_view question) {
  if (kindOf(question) == kWho) {
    const auto wanted = numbersIn<2>(question);
    if (!wanted || isFetching_) return std::nullopt;
    const auto [stream, sequence] = *wanted;
    if (!own_ || own_->stream != stream || own_->sequence < sequence) return sequence;
    connection_.answer(asker, encode(kOffer, {self_, own_->sequence, own_->bytes}));
    return std::nullopt;
  }
  const auto wanted = numbersIn<3>(question);
  if (kindOf(question) != kGet || !wanted || !own_) return std::nullopt;
  const auto [node, sequence, position] = *wanted;
  if (node == self_ && sequence == own_->sequence) sendPiece(asker, position);
  return std::nullopt;
}

void PeerSnapshots::sendPiece(std::string_view asker, std::uint64_t position) {
  if (servingSequence_ != own_->sequence || serving_.bytes().empty()) {
    auto content = directory_.read(snapshotName(own_->sequence));
    if (!content) return;  // it is asked again, maybe after the next snapshot
    serving_ = std::move(*content);
    servingSequence_ = own_->sequence;
  }
  if (position > serving_.bytes().size()) return;
  connection_.answer(asker, encode(kPiece, {self_, own_->sequence, position},
                                   serving_.bytes().substr(position, kPieceBytes)));
}

// --- The node that wants one ---

void PeerSnapshots::fetch(NodeId self, std::uint64_t stream, std::uint64_t sequence,
                          std::function<void(std::string file)> onFetched) {
  self_ = self;
  isFetching_ = true;
  wanted_ = stream;
  sequence_ = sequence;
  onFetched_ = std::move(onFetched);
  source_.reset();
  file_.clear();
  askWho();
}

void PeerSnapshots::askWho() {
  askedAt_ = EventLoop::current().now();
  connection_.ask(encode(kWho, {wanted_, sequence_}));
}

void PeerSnapshots::askPiece() {
  askedAt_ = EventLoop::current().now();
  connection_.ask(encode(kGet, {source_->node, source_->sequence, file_.size()}));
}

void PeerSnapshots::onAnswer(std::string_view answer) {
  const auto numbers = numbersIn<3>(answer);
  if (!isFetching_ || !numbers) return;
  const auto [node, sequence, number] = *numbers;
  if (kindOf(answer) == kOffer && !source_ && sequence >= sequence_) {
    return startFetch({.node = node, .sequence = sequence, .bytes = number});
  }
  const bool isNext = kindOf(answer) == kPiece && source_ && node == source_->node &&
                      sequence == source_->sequence && number == file_.size();
  const std::string_view piece = answer.substr(1 + 3 * kNumberBytes);
  if (!isNext || piece.empty()) return;
  file_ += piece;
  progressAt_ = EventLoop::current().now();
  if (file_.size() < source_->bytes) return askPiece();
  complete();
}

void PeerSnapshots::startFetch(const Source& source) {
  source_ = source;
  file_.clear();
  progressAt_ = EventLoop::current().now();
  askPiece();
}

void PeerSnapshots::complete() {
  const auto fetched = describeSnapshot(file_);
  if (!fetched || fetched->stream != wanted_ || fetched->sequence < sequence_) {
    log::warning("a snapshot of another node is damaged, asking again node={:016x} bytes={}",
                 source_->node, file_.size());
    source_.reset();
    file_.clear();
    return;
  }
  isFetching_ = false;
  source_.reset();
  std::exchange(onFetched_, {})(std::exchange(file_, {}));
}

void PeerSnapshots::onTick(EventLoop::TimePoint now) {
  if (!isFetching_ || now < askedAt_ + kAskInterval) return;
  if (source_ && now >= progressAt_ + kSourceTimeout) {
    source_.reset();
    file_.clear();
  }
  source_ ? askPiece() : askWho();
}

}  // namespace stormo::channel
