#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/fifo.h"
#include "base/spares.h"
#include "event/loop_impl.h"
#include "net/batch.h"
#include "net/connection_impl.h"
#include "net/deadline_wheel.h"
#include "net/incomplete_messages.h"

namespace stormo::net {

/// Owns the connections of one loop, reads them, flushes them once a turn, and frees them at its
/// end.
class ConnectionTable final : EventSink {
 public:
  explicit ConnectionTable(EventLoop& loop);
  ~ConnectionTable();
  ConnectionTable(const ConnectionTable&) = delete;
  ConnectionTable& operator=(const ConnectionTable&) = delete;

  /// The table of that loop, made when first asked for and owned by the loop.
  static ConnectionTable& of(EventLoop& loop);
  static ConnectionTable& current() { return of(EventLoop::current()); }

  // --- Life ---

  /// Takes over an accepted socket and calls onConnect. If the system refuses to watch it, it is
  /// closed.
  Result<ConnectionImpl*> accept(UniqueFd fd, const Endpoint& endpoint, const Address& remote = {});
  /// Takes over a socket whose connect to `remote` was started; the same if that is refused.
  Result<ConnectionImpl*> connect(UniqueFd fd, const Endpoint& endpoint,
                                  const Address& remote = {});
  /// Null once it is closing or gone.
  ConnectionImpl* find(ConnectionId id);
  template <typename Visit>
  void forEach(Visit visit) {
    peers_.forEach(visit);
  }
  [[nodiscard]] std::size_t size() const { return peers_.size(); }

  /// For codecs: the handshake is done.
  void open(ConnectionImpl& peer);
  void close(ConnectionImpl& peer, CloseCode code, std::string_view reason);
  void destroy(ConnectionImpl& peer);
  /// The endpoint goes away: its connections close at once, calling nothing. Those that are closing
  /// already still flush.
  void abandon(const Endpoint& endpoint);
  /// The peer broke its protocol: counted, then closed like close().
  void refuse(ConnectionImpl& peer, CloseCode code, std::string_view reason);
  /// The peer's goodbye has come. After ours, or answered by ours.
  void goodbyeReceived(ConnectionImpl& peer, CloseCode code);
  /// Flushes and closes, with no goodbye of the protocol.
  void closeQuietly(ConnectionImpl& peer, CloseCode code);
  /// For codecs: forgets what is queued for this turn, and closes with these bytes as the last.
  void closeWith(ConnectionImpl& peer, CloseCode code, std::string_view lastBytes);

  // --- Input ---

  /// For codecs: hands one message to the user. The connection may be paused or closing afterwards.
  void deliver(ConnectionImpl& peer, Message message);
  /// For codecs, after each frame or package, however short: false if the connection that is being
  /// read has spent its share of this turn.
  [[nodiscard]] bool spendOnFrame() { return (work_ -= kFrameWork) > 0; }
  void pauseReceiving(ConnectionImpl& peer);
  void resumeReceiving(ConnectionImpl& peer);
  /// Runs a user's handler; what it throws is logged and closes that connection with 1011.
  template <typename Handler, typename... Args>
  void call(ConnectionImpl& peer, const Handler& handler, Args&&... args) {
    if (handler) guard(peer, [&] { handler(peer, std::forward<Args>(args)...); });
  }
  /// The same for anything that may end up in the user's code.
  template <typename Body>
  void guard(ConnectionImpl& peer, const Body& body) {
    try {
      body();
    } catch (const std::exception& thrown) {
      handlerThrew(peer, thrown.what());
    } catch (...) {
      handlerThrew(peer, "not a std::exception");
    }
  }

  // --- Output ---

  SendStatus send(ConnectionImpl& peer, Message message);
  /// For codecs and fan-outs: where output for this peer alone goes, in this turn.
  Batch& ownBatch(ConnectionImpl& peer);
  OutputOrder& order() { return order_; }
  /// For fan-outs that give this member a copy: the same, but null if it is cut for not draining.
  Batch* ownBatchOfMember(ConnectionImpl& peer);
  /// For fan-outs: the member leaves. What `batch` holds for it becomes its own output, in its
  /// place in the order.
  void keepForLeaver(ConnectionImpl& peer, const Batch& batch);
  /// For codecs: puts bytes before all that is queued for this peer.
  void sendFirst(ConnectionImpl& peer, std::string_view bytes);
  /// True if so much waits already that nothing more may be queued.
  [[nodiscard]] bool isFull(const ConnectionImpl& peer, std::size_t extra) const;
  /// For whoever asked isFull() and queued nothing: onBufferFull will be called, and onBufferDrain
  /// when all has left.
  void noteFull(ConnectionImpl& peer);
  /// In GroupOutput::fanOut(): this member gets `batch`, at once if it gets nothing else in this
  /// turn, else with the rest in flushGathered(). The batch stays as it is until then.
  void fanOut(ConnectionImpl& peer, const Batch& batch);
  /// For observers of the flush: flushes the connections that got output since.
  void flushAgain() { flushDirty(dirty_); }

  // --- The parts of a turn, for the Reactor, which has their order ---

  /// Reads on those that had more than their share.
  void readBacklog();
  /// True if there were some to flush.
  bool flushLinks();
  /// Flushes the members of several fan-outs.
  void flushGathered();
  void flushConnections();
  /// Closes those whose output failed, reports what was closed, and frees it.
  void freeClosed();
  /// Keeps the loop from waiting while there is a backlog that can be read.
  void requestBacklogTurn();
  /// Frees memory for output that is not used any more.
  void watchSpares();

  LoopImpl& loop() { return loop_; }
  Counters& counters() { return loop_.counters(); }

 private:
  void onReady(Handle id, std::uint32_t events) override;

  // connection_table.cc
  Result<ConnectionImpl*> add(UniqueFd fd, const Endpoint& endpoint, const Address& remote,
                              Phase phase, std::uint32_t events);
  void announce(ConnectionImpl& peer);
  void finishConnect(ConnectionImpl& peer);
  void beginClosing(ConnectionImpl& peer, CloseCode code);
  void die(ConnectionImpl& peer);
  void fail(ConnectionImpl& peer, int error, const char* step);
  void leaveFanouts(ConnectionImpl& peer);
  void putInClosedList(ConnectionImpl& peer);
  void trimSpares();
  void handlerThrew(ConnectionImpl& peer, const char* what);

  // connection_deadlines.cc
  void setDeadline(ConnectionImpl& peer, TimePoint deadline);
  void armWheel();
  void onDeadline(ConnectionImpl& peer);
  void watchForSilence(ConnectionImpl& peer);
  void noteIncomplete(ConnectionImpl& peer);
  void watchIncomplete();
  void closeIncomplete(ConnectionImpl& peer, CloseCode code, std::string_view reason);

  // connection_reader.cc
  void readFresh(ConnectionImpl& peer);
  [[nodiscard]] bool hasRoom(const ConnectionImpl& peer);
  [[nodiscard]] bool read(ConnectionImpl& peer, std::int64_t work);
  ssize_t receive(ConnectionImpl& peer, std::size_t bytesMax);
  void receiveRest(ConnectionImpl& peer);
  void readLater(ConnectionImpl& peer);
  void take(ConnectionImpl& peer, char* bytes, std::size_t count);
  void takeStash(ConnectionImpl& peer);
  void keepStash(ConnectionImpl& peer, std::unique_ptr<Stash> stash);
  [[nodiscard]] std::size_t feed(ConnectionImpl& peer, std::span<char> bytes);
  void onEndOfFile(ConnectionImpl& peer);

  // connection_writer.cc
  void markDirty(ConnectionImpl& peer);
  void flushDirty(std::vector<Handle>& dirty);
  void discardOwn(ConnectionImpl& peer);
  void replaceOwn(ConnectionImpl& peer, std::span<const Piece> pieces);
  [[nodiscard]] bool cutIfHeldTooMuch(ConnectionImpl& peer);
  void flushOwn(ConnectionImpl& peer);
  void flush(ConnectionImpl& peer, std::span<const Piece> pieces);
  [[nodiscard]] bool mayLeaveNow(std::span<const Piece> pieces) const;
  void writeLater(ConnectionImpl& peer);
  void serveRotation();
  void drainQueue(ConnectionImpl& peer, std::size_t bytesMax);
  void onSent(ConnectionImpl& peer, std::size_t bytes);
  std::size_t sendPieces(ConnectionImpl& peer, std::span<const Piece> pieces);
  void enqueue(ConnectionImpl& peer, std::span<const Piece> pieces, std::size_t taken);
  void armWrite(ConnectionImpl& peer, bool armed);
  void onDrained(ConnectionImpl& peer);
  void reportFull(ConnectionImpl& peer);
  void doom(ConnectionImpl& peer, int error);
  void executeDoomed();

  LoopImpl& loop_;
  LoopImpl::Tag tag_;
  HandleTable<ConnectionImpl> peers_;
  DeadlineWheel wheel_;
  Handle wheelTimer_;
  std::optional<TimePoint> wheelArmedFor_;
  IncompleteMessages incomplete_;
  bool incompleteWatched_ = false;  // by a timer
  OutputOrder order_;

  std::vector<Handle> dirty_;
  std::vector<Handle> dirtyLinks_;
  std::vector<Handle> flushing_;  // the list being worked on, so that handlers may fill the others
  // Those with more to read than their share of a turn, in the order in which they get the next
  // one.
  Fifo<Handle> backlog_;
  Fifo<Handle> linkBacklog_;
  // Work is counted in bytes; a frame costs as much as so many, whatever it holds.
  static constexpr std::int64_t kFrameWork = 512;
  std::int64_t work_ = 0;       // what is left to the connection that is being read
  std::int64_t freshWork_ = 0;  // done in this turn for those that are not in the backlog
  std::vector<Handle> closed_;

  /// Members of several fan-outs: for each, a chain of the batches that it gets in this turn.
  struct Gathered {
    const Batch* batch;
    std::uint32_t next;
  };
  static constexpr std::uint32_t kNobody = 0xffff'ffff;
  std::vector<Gathered> gathered_;
  std::vector<ConnectionImpl*> gathering_;
  std::vector<Piece> pieces_;

  /// Peers whose output failed while it was being sent to many: not touched before that is over.
  struct Doomed {
    Handle peer;
    int error;  // zero: it is too slow
  };
  std::vector<Doomed> failed_;

  /// Those with output waiting that the kernel has not refused, and what is left of the bytes that
  /// this turn may send.
  Fifo<Handle> rotation_;
  static constexpr std::int64_t kTurnBytes = 2 << 20;  // about a millisecond of copying
  std::int64_t turnBytesLeft_ = kTurnBytes;

  Spares<Batch> spareBatches_;
  Spares<OutputQueue> spareQueues_;
  bool watchesSpares_ = false;
  bool hadLargeInput_ = false;  // since the last look
  bool freedSpares_ = false;    // since the C library was asked to give back what is free
  std::unique_ptr<char[]> receiveBuffer_;
};

}  // namespace stormo::net
