#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace stormo::channel {

/// What a stream has when a connection to it begins.
struct StreamInfo {
  /// Another one if the stream was deleted and created again. Never 0.
  std::uint64_t epoch = 0;
  /// Sequence of the oldest message that it still has: last + 1 if it has none.
  std::uint64_t first = 1;
  std::uint64_t last = 0;  ///< Of the latest message; 0 if there was never one.
  /// Longest message that it takes, in bytes.
  std::size_t messageBytesMax = 1 << 20;
};

/// Receives what a Stream reports. Called on the loop's thread, never within a call to the Stream.
/// All views are valid during the call.
class StreamSink {
 public:
  /// There is a connection, for the first time or again. Messages published before may be lost,
  /// those to be read may have been lost: readFrom() begins again.
  virtual void onConnected(const StreamInfo& info) = 0;
  /// There is no connection, and another one is tried until it succeeds. Also called when an
  /// attempt has failed for another reason than the last one. `reason` is a sentence for the
  /// operator, without a full stop.
  virtual void onDisconnected(std::string_view reason) = 0;
  /// The messages of the stream, in its order. A sequence that is not the next one means that the
  /// stream does not have those between any more.
  virtual void onMessage(std::uint64_t sequence, std::string_view message) = 0;
  /// A message that was published may not have been stored. `reason` as above.
  virtual void onRefused(std::string_view reason) = 0;

  /// Another node, or this one, has asked. `asker` is for Stream::answer().
  virtual void onQuestion(std::string_view asker, std::string_view question) = 0;
  virtual void onAnswer(std::string_view answer) = 0;

 protected:
  ~StreamSink() = default;
};

/// One sequence of messages that all nodes of a cluster share, numbered 1, 2, 3, … in one order for
/// all: a JetStream stream, or in tests a script. Used on one loop; no call blocks.
class Stream {
 public:
  virtual ~Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// Once, before all else: begins to connect. `sink` outlives this.
  virtual void open(StreamSink& sink) = 0;

  // While there is a connection; else these do nothing.

  /// Calls StreamSink::onMessage() for the messages from this sequence on, and for all that follow.
  /// A later call replaces it.
  virtual void readFrom(std::uint64_t sequence) = 0;
  /// Adds a message, of at most StreamInfo::messageBytesMax. That it is stored shows when it is
  /// read. Messages are stored in the order of the calls, but any of them can be lost. The stream
  /// drops a message with an `id` that it has had not long ago.
  virtual void publish(std::string id, std::string message) = 0;

  /// For all nodes that have a connection now. May be lost.
  virtual void ask(std::string question) = 0;
  /// For the node that has asked. May be lost.
  virtual void answer(std::string_view asker, std::string answer) = 0;

 protected:
  Stream() = default;
};

}  // namespace stormo::channel
