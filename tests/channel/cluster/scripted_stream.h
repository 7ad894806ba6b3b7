#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "channel/cluster/stream.h"

namespace stormo::channel {

class ScriptedStream;

/// The servers that keep a stream, as a script: what they have stored, and who is connected.
class ScriptedServers {
 public:
  struct Stored {
    std::string id;
    std::string message;
  };

  /// The stream is deleted and created again.
  void createAnew();
  /// The stream does not have messages before this sequence any more.
  void forgetBefore(std::uint64_t sequence);
  /// Ids are recognised no longer.
  void forgetIds() { ids_.clear(); }
  /// The latest messages are lost, as after a power failure.
  void loseAfter(std::uint64_t sequence);

  [[nodiscard]] StreamInfo info() const;
  [[nodiscard]] std::uint64_t last() const { return first_ + stored_.size() - 1; }
  [[nodiscard]] const Stored& at(std::uint64_t sequence) const {
    return stored_.at(sequence - first_);
  }
  /// Stores it, unless it has had the id.
  void store(const std::string& id, const std::string& message);

  std::size_t messageBytesMax = 1 << 20;

 private:
  friend class ScriptedStream;
  std::uint64_t epoch_ = 1;
  std::uint64_t first_ = 1;
  std::deque<Stored> stored_;
  std::set<std::string> ids_;
  std::set<ScriptedStream*> streams_;
};

/// One node's connection to them. Nothing moves until the test moves it.
class ScriptedStream final : public Stream {
 public:
  explicit ScriptedStream(ScriptedServers& servers) : servers_(servers) {
    servers_.streams_.insert(this);
  }
  ~ScriptedStream() override { servers_.streams_.erase(this); }

  // --- What happens to it ---

  void connect();
  /// What is in flight is lost.
  void disconnect(const std::string& reason = "cut");
  [[nodiscard]] bool isConnected() const { return isConnected_; }
  /// The servers store the next message in flight. False if there is none.
  bool storeOne();
  /// The message at this place of those in flight is lost.
  void loseOne(std::size_t index = 0) { published_.erase(published_.begin() + index); }
  [[nodiscard]] std::size_t inFlight() const { return published_.size(); }
  /// The node reads the next message. False if there is none.
  bool readOne();
  /// A question or an answer arrives.
  bool talkOne();
  void refuse(const std::string& reason) { sink_->onRefused(reason); }
  /// All that can move. True if something did.
  bool moveAll();

  // --- Stream ---

  void open(StreamSink& sink) override { sink_ = &sink; }
  void readFrom(std::uint64_t sequence) override {
    if (isConnected_) next_ = sequence;
  }
  void publish(std::string id, std::string message) override {
    if (isConnected_) published_.push_back({std::move(id), std::move(message)});
  }
  void ask(std::string question) override;
  void answer(std::string_view asker, std::string answer) override;

 private:
  struct Talk {
    ScriptedStream* asker = nullptr;  // null: an answer
    std::string text;
  };

  ScriptedServers& servers_;
  StreamSink* sink_ = nullptr;
  bool isConnected_ = false;
  std::uint64_t next_ = 0;  // 0: does not read
  std::deque<ScriptedServers::Stored> published_;
  std::deque<Talk> talks_;
};

}  // namespace stormo::channel
