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
#include "net/deadline_wheel.h"
#include "net/incomplete_messages.h"
#include "net/peer.h"

namespace stormo::net {

/// Owns the connections of one loop, reads them, flushes them once a turn, and frees them at its
/// end.
class ConnectionTable final : EventSink, StageWorker {
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
  Result<Peer*> accept(UniqueFd fd, const Endpoint& endpoint, const Address& remote = {});
  /// Takes over a socket whose connect to `remote` was started; the same if that is refused.
  Result<Peer*> connect(UniqueFd fd, const Endpoint& endpoint, const Address& remote = {});
  /// Null once it is closing or gone.
  Peer* find(ConnectionId id);
  template <typename Visit>
  void forEach(Visit visit) {
    peers_.forEach(visit);
  }
  [[nodiscard]] std::size_t size() const { return peers_.size(); }

  /// For codecs: the handshake is done.
  void open(Peer& peer);
  void close(Peer& peer, CloseCode code, std::string_view reason);
  void destroy(Peer& peer);
  /// The endpoint goes away: its connections close at once, calling nothing. Those that are closing
  /// already still flush.
  void abandon(const Endpoint& endpoint);
  /// The peer broke its protocol: counted, then closed like close().
  void refuse(Peer& peer, CloseCode code, std::string_view reason);
  /// The peer's goodbye has come. After ours, or answered by ours.
  void goodbyeReceived(Peer& peer, CloseCode code);
  /// Flushes and closes, with no goodbye of the protocol.
  void closeQuietly(Peer& peer, CloseCode code);
  /// For codecs: forgets what is queued for this turn, and closes with these bytes as the last.
  void closeWith(Peer& peer, CloseCode code, std::string_view lastBytes);

  // --- Input ---

  /// For codecs: hands one message to the user. The connection may be paused or closing afterwards.
  void deliver(Peer& peer, Message message);
  /// For codecs, after each frame or package, however short: false if the connection that is being
  /// read has spent its share of this turn.
  [[nodiscard]] bool spendOnFrame() { return (work_ -= kFrameWork) > 0; }
  void pauseReceiving(Peer& peer);
  void resumeReceiving(Peer& peer);
  /// Runs a user's handler; what it throws is logged and closes that connection with 1011.
  template <typename Handler, typename... Args>
  void call(Peer& peer, const Handler& handler, Args&&... args) {
    if (handler) guard(peer, [&] { handler(peer, std::forward<Args>(args)...); });
  }
  /// The same for anything that may end up in the user's code.
  template <typename Body>
  void guard(Peer& peer, const Body& body) {
    try {
      body();
    } catch (const std::exception& thrown) {
      handlerThrew(peer, thrown.what());
    } catch (...) {
      handlerThrew(peer, "not a std::exception");
    }
  }

  // --- Output ---

  SendStatus send(Peer& peer, Message message);
  /// For codecs and fan-outs: where output for this peer alone goes, in this turn.
  Batch& ownBatch(Peer& peer);
  OutputOrder& order() { return order_; }
  /// For fan-outs that give this member a copy: the same, but null if it is cut for not draining.
  Batch* ownBatchOfMember(Peer& peer);
  /// For fan-outs: the member leaves. What `batch` holds for it becomes its own output, in its
  /// place in the order.
  void keepForLeaver(Peer& peer, const Batch& batch);
  /// For codecs: puts bytes before all that is queued for this peer.
  void sendFirst(Peer& peer, std::string_view bytes);
  /// True if so much waits already that nothing more may be queued.
  [[nodiscard]] bool isFull(const Peer& peer, std::size_t extra) const;
  /// For whoever asked isFull() and queued nothing: onBufferFull will be called, and onBufferDrain
  /// when all has left.
  void noteFull(Peer& peer);
  /// For fan-outs, in the stage CollectGroups: this member gets `batch`, at once if it gets nothing
  /// else in this turn, else gathered with the rest in the stage FlushGroups. The batch stays as it
  /// is until then.
  void fanOut(Peer& peer, const Batch& batch);
  /// In the stage Acknowledge, for what could be said only now: flushes those that got output since
  /// the stage FlushConnections.
  void flushAgain() { flushDirty(dirty_); }

  LoopImpl& loop() { return loop_; }
  Counters& counters() { return loop_.counters(); }

 private:
  void onReady(SlotId id, std::uint32_t events) override;
  void onStage(Stage stage) override;

  // connection_table.cc
  Result<Peer*> add(UniqueFd fd, const Endpoint& endpoint, const Address& remote, Phase phase,
                    std::uint32_t events);
  void announce(Peer& peer);
  void finishConnect(Peer& peer);
  void beginClosing(Peer& peer, CloseCode code);
  void die(Peer& peer);
  void fail(Peer& peer, int error, const char* step);
  void leaveFanouts(Peer& peer);
  void putInClosedList(Peer& peer);
  void freeClosed();
  void watchSpares();
  void trimSpares();
  void handlerThrew(Peer& peer, const char* what);

  // connection_deadlines.cc
  void setDeadline(Peer& peer, TimePoint deadline);
  void armWheel();
  void onDeadline(Peer& peer);
  void watchForSilence(Peer& peer);
  void noteIncomplete(Peer& peer);
  void watchIncomplete();
  void closeIncomplete(Peer& peer, CloseCode code, std::string_view reason);

  // connection_reader.cc
  void readFresh(Peer& peer);
  void readBacklog();
  void requestBacklogTurn();
  [[nodiscard]] bool hasRoom(const Peer& peer);
  [[nodiscard]] bool read(Peer& peer, std::int64_t work);
  ssize_t receive(Peer& peer, std::size_t bytesMax);
  void receiveRest(Peer& peer);
  void readLater(Peer& peer);
  void take(Peer& peer, char* bytes, std::size_t count);
  void takeStash(Peer& peer);
  void keepStash(Peer& peer, std::unique_ptr<Stash> stash);
  [[nodiscard]] std::size_t feed(Peer& peer, std::span<char> bytes);
  void onEndOfFile(Peer& peer);

  // connection_writer.cc
  void markDirty(Peer& peer);
  void flushDirty(std::vector<SlotId>& dirty);
  void flushGathered();
  void discardOwn(Peer& peer);
  void replaceOwn(Peer& peer, std::span<const Piece> pieces);
  [[nodiscard]] bool cutIfHeldTooMuch(Peer& peer);
  void flushOwn(Peer& peer);
  void flush(Peer& peer, std::span<const Piece> pieces);
  [[nodiscard]] bool mayLeaveNow(std::span<const Piece> pieces) const;
  void writeLater(Peer& peer);
  void serveRotation();
  void drainQueue(Peer& peer, std::size_t bytesMax);
  void onSent(Peer& peer, std::size_t bytes);
  std::size_t sendPieces(Peer& peer, std::span<const Piece> pieces);
  void enqueue(Peer& peer, std::span<const Piece> pieces, std::size_t taken);
  void armWrite(Peer& peer, bool armed);
  void onDrained(Peer& peer);
  void reportFull(Peer& peer);
  void doom(Peer& peer, int error);
  void executeDoomed();

  LoopImpl& loop_;
  LoopImpl::Tag tag_;
  SlotTable<Peer> peers_;
  DeadlineWheel wheel_;
  SlotId wheelTimer_;
  std::optional<TimePoint> wheelArmedFor_;
  IncompleteMessages incomplete_;
  bool incompleteWatched_ = false;  // by a timer
  OutputOrder order_;

  std::vector<SlotId> dirty_;
  std::vector<SlotId> dirtyLinks_;
  std::vector<SlotId> flushing_;  // the list being worked on, so that handlers may fill the others
  // Those with more to read than their share of a turn, in the order in which they get the next
  // one.
  Fifo<SlotId> backlog_;
  Fifo<SlotId> linkBacklog_;
  // Work is counted in bytes; a frame costs as much as so many, whatever it holds.
  static constexpr std::int64_t kFrameWork = 512;
  std::int64_t work_ = 0;       // what is left to the connection that is being read
  std::int64_t freshWork_ = 0;  // done in this turn for those that are not in the backlog
  std::vector<SlotId> closed_;

  /// Members of several fan-outs: for each, a chain of the batches that it gets in this turn.
  struct Gathered {
    const Batch* batch;
    std::uint32_t next;
  };
  static constexpr std::uint32_t kNobody = 0xffff'ffff;
  std::vector<Gathered> gathered_;
  std::vector<Peer*> gathering_;
  std::vector<Piece> pieces_;

  /// Peers whose output failed while it was being sent to many: not touched before that is over.
  struct Doomed {
    SlotId peer;
    int error;  // zero: it is too slow
  };
  std::vector<Doomed> doomed_;

  /// Those with output waiting that the kernel has not refused, and what is left of the bytes that
  /// this turn may send.
  Fifo<SlotId> rotation_;
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
