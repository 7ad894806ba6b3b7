#pragma once

#include <sys/epoll.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "hostile_attacks.h"
#include "sys/unique_fd.h"

namespace stormo::bench {

/// The clients of one attack, on their own thread, until destruction.
class HostileClients {
 public:
  /// The thread runs with this niceness.
  HostileClients(const Address& server, std::vector<HostileScript> scripts, int niceness);
  ~HostileClients();
  HostileClients(const HostileClients&) = delete;
  HostileClients& operator=(const HostileClients&) = delete;

  [[nodiscard]] std::uint64_t bytesSent() const { return bytesSent_; }
  [[nodiscard]] std::uint64_t bytesReceived() const { return bytesReceived_; }
  /// Connections that have ended.
  [[nodiscard]] std::uint64_t closed() const { return closed_; }

 private:
  struct Group;
  struct Client {
    Group* group = nullptr;
    UniqueFd fd = {};
    std::shared_ptr<const std::string> opening = {};
    std::size_t openingSent = 0;
    // `repeated`, often enough for an efficient send
    std::shared_ptr<const std::string> block = {};
    std::size_t unitBytes = 0;
    std::size_t blockSent = 0;
    std::uint64_t received = 0;
    bool isQueued = false;
    bool isWritable = false;
  };
  struct Group {
    HostileScript script;
    std::vector<std::unique_ptr<Client>> clients = {};
    std::uint64_t repeats = 0;
    std::size_t next = 0;  // the next client to send, if there is a rate
    std::uint64_t reads = 0;
    std::size_t nextReader = 0;  // if they read at a rate
  };

  void run();
  void open(Client& client);
  void onEvent(Client& client, std::uint32_t events);
  void discardInput(Client& client);
  void queue(Client& client);
  void sendQueued();
  void sendAtRate(Group& group, double elapsedSeconds);
  void readAtRate(Group& group, double elapsedSeconds);
  bool resetIfDue(Client& client);
  bool sendOpening(Client& client);
  bool sendBlock(Client& client);
  bool sendSome(Client& client, std::string_view bytes, std::size_t& sentBytes);
  [[nodiscard]] static std::uint64_t repeatsLeft(const Group& group);
  void lost(Client& client);

  const Address server_;
  std::vector<std::unique_ptr<Group>> groups_;
  UniqueFd epoll_;
  std::vector<Client*> queue_;   // can send, and have something to send
  std::vector<Client*> reopen_;  // closed by the server
  std::atomic<std::uint64_t> bytesSent_ = 0;
  std::atomic<std::uint64_t> bytesReceived_ = 0;
  std::atomic<std::uint64_t> closed_ = 0;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace stormo::bench
