#pragma once

#include <stormo/close_code.h>
#include <stormo/event_loop.h>
#include <stormo/http_request.h>
#include <stormo/message.h>
#include <stormo/tls.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace stormo {
class Worker;
}

/// Tests of your own program, in one process and on one thread: real Workers, a real Channel and
/// real clients, on a loop that the test drives. Nothing happens but inside the calls below, so a
/// test needs no sleep and no lock.
///
///     TEST(Chat, AMessageReachesTheRoom) {
///       Chat chat;  // the class of your program that declares its Server, Workers and Groups
///       test::Program program;
///       test::Client ann = program.connect(chat.worker, "/kitchen");
///       test::Client bob = program.connect(chat.worker, "/kitchen");
///       ann.send("ciao");
///       EXPECT_EQ(bob.receive(), "ciao");
///     }
namespace stormo::test {

/// One client of a Worker, which speaks its protocol. For http:// its messages are the bytes of
/// requests and answers, as they are on the wire. It must not outlive its Program.
class Client {
 public:
  Client(Client&& other) noexcept;
  Client& operator=(Client&& other) noexcept;
  ~Client();  ///< Ends the connection without a close frame.

  /// WebSocket: the status of the server's answer to the handshake. 101: the connection is open.
  /// Other protocols: 0.
  [[nodiscard]] int status() const;

  void send(Message message);
  /// The next message. Drives the loop until it is there; throws std::runtime_error if the
  /// connection ends first, or after 30 s.
  std::string receive();
  /// All messages that are there when the program has nothing left to do.
  std::vector<std::string> receiveAll();

  /// Sends a close frame (other protocols: ends the connection), and drives the loop until the
  /// server has closed.
  void close(CloseCode code = CloseCode::Normal, std::string_view reason = {});
  /// Drives the loop until the server closes the connection. Throws as receive().
  void waitForClose();
  [[nodiscard]] bool isClosed() const;
  /// Of the server's close frame; Abnormal (1006) without one.
  [[nodiscard]] CloseCode closeCode() const;
  [[nodiscard]] const std::string& closeReason() const;

 private:
  friend class Program;
  struct Impl;
  explicit Client(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The program under test: all channel::Servers and Workers that exist, each as one process would
/// be, with id 0 and on a free port of its own. Only one Program at a time on a thread, and no
/// other EventLoop.
class Program {
 public:
  /// Starts the Servers, then the Workers: calls their onWorkerStart, and passes on what it throws.
  /// Waits until each Channel of the program's own Server is connected.
  Program();
  /// Calls onWorkerStop, closes all connections and calls their onClose.
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  /// A new client of that Worker. WebSocket: opens `path` with these header fields, and returns
  /// when the server has answered. Throws std::invalid_argument if the Worker is not of this
  /// Program, and std::runtime_error as Client::receive().
  ///
  /// With Worker::tls the client speaks TLS, too. It accepts each certificate of the Worker, unless
  /// `tls` names authorities: then the certificate must be valid for localhost. A Worker that
  /// demands certificates of its clients (mutual TLS) is shown that of `tls`. Throws
  /// std::runtime_error if one side refuses the other, which with TLS 1.3 the client of a protocol
  /// other than WebSocket may not see before its first message.
  Client connect(const Worker& worker, std::string_view path = "/",
                 const std::vector<HttpHeader>& headers = {}, const TlsClient& tls = {});

  [[nodiscard]] EventLoop& loop();
  /// Drives the loop until the condition holds. Throws std::runtime_error after 30 s.
  void runUntil(const std::function<bool()>& condition);
  /// Drives the loop until it has nothing left to do, timers and answers of others aside.
  void settle();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace stormo::test
